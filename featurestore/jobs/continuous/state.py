"""What a process that materializes continuously says of each view: a small file beside the tables.

`status` reads it without Java. A lock beside the file says whether the process still runs; in an
object store, that is a lease. The lock of a killed process is free. Nothing is said where nobody
knows: to a user who may not write the store, or while the clocks of two machines may differ. HDFS
has no locks: there the file alone counts, which the process removes at its end.
"""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import KW_ONLY, asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from featurestore.errors import ConflictError, StorageError
from featurestore.jobs.locks import is_held, lock_file
from featurestore.store.failures import storage_errors
from featurestore.store.file_system import read_text, remove, write_text
from featurestore.store.layout import Layout
from featurestore.store.lease import HeldError, Lease
from featurestore.store.paths import has_leases, is_local, local_path

_MOMENTS = ("since", "last_batch_at", "last_run_at", "retry_at", "backlog_since")


@dataclass(frozen=True)
class ContinuousState:
    """The state of a view that a process materializes continuously.

    Args:
        view: The view's name.
        since: The moment when the process began.
        trigger_seconds: The seconds from the start of a batch to the start of the next one.
        host: The machine of the process.
        pid: The process.
        batches: The number of batches with rows, since the beginning.
        rows: The number of rows stored in them.
        last_batch_at: The moment when the last of them had ended; None without one.
        last_batch_rows: The number of rows that it has stored.
        last_batch_seconds: Its duration.
        last_run_at: The moment when the last run that has succeeded had ended, with or without
            rows; None without one.
        failures: The number of failures since the last success.
        retry_at: The moment of the next try after a failure; None without a failure, and for a
            view that is not tried again.
        backlog: The number of messages that the topic had at the last look, and the view had not;
            None if that is not known, and for other sources, which show it themselves.
        backlog_since: The time of the oldest of them.
        backlog_is_more: Whether the topic may have more of them: so many are counted at most.
    """

    view: str
    _: KW_ONLY
    since: datetime
    trigger_seconds: float
    host: str = ""
    pid: int = 0
    batches: int = 0
    rows: int = 0
    last_batch_at: datetime | None = None
    last_batch_rows: int = 0
    last_batch_seconds: float = 0.0
    last_run_at: datetime | None = None
    failures: int = 0
    retry_at: datetime | None = None
    backlog: int | None = None
    backlog_since: datetime | None = None
    backlog_is_more: bool = False

    @property
    def seen_at(self) -> datetime:
        """The last moment when the process has certainly kept the view up to date."""
        return self.last_run_at or self.last_batch_at or self.since


def new_state(view: str, now: datetime, trigger_seconds: float) -> ContinuousState:
    """Return the state of a view whose process begins now.

    Args:
        view: The view's name.
        now: The present moment.
        trigger_seconds: The seconds from one trigger to the next.

    Example:
        >>> from datetime import UTC
        >>> new_state("spending", datetime(2026, 1, 1, tzinfo=UTC), 5.0).batches
        0
    """
    process = {"host": socket.gethostname(), "pid": os.getpid()}
    return ContinuousState(view, since=now, trigger_seconds=trigger_seconds, **process)  # type: ignore[arg-type]  # host and pid


def write_state(layout: Layout, state: ContinuousState) -> None:
    """Write a view's state, in one step."""
    values = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(state).items()
    }
    address = layout.continuous(state.view)
    with storage_errors(f"materialize view {state.view!r} continuously", address):
        write_text(address, json.dumps(values))


@dataclass(frozen=True)
class StateFound:
    """The state of a view that a process materializes continuously, or did when it died.

    Args:
        state: What the process says, or said last.
        is_running: Whether the process runs. One that ends by itself leaves no state.
    """

    state: ContinuousState
    is_running: bool


def find_state(layout: Layout, view: str) -> StateFound | None:
    """Return the state of a view of a process that runs or has died; None without one.

    None also if nobody knows whether the process runs. A user who may not write the store cannot
    look at its lock; without the extra ``object-store``, leases cannot be read; and a lease that
    was not renewed for some minutes may be one of a machine with another clock.

    Example:
        >>> find_state(Layout("no/such/root"), "spending") is None
        True
    """
    if (state := _read(layout, view)) is None:
        return None
    is_running = _is_running(layout, view)
    # It may have ended by itself meanwhile, and then has removed its state before its lock.
    if is_running is None or (not is_running and _read(layout, view) is None):
        return None
    return StateFound(state, is_running)


def read_state(layout: Layout, view: str) -> ContinuousState | None:
    """Return the state of a view that a process materializes continuously now; None without one.

    Example:
        >>> read_state(Layout("no/such/root"), "spending") is None
        True
    """
    found = find_state(layout, view)
    return found.state if found is not None and found.is_running else None


def _read(layout: Layout, view: str) -> ContinuousState | None:
    try:
        return _parsed(json.loads(read_text(layout.continuous(view)) or "null"))
    # Of a user who cannot read it; of another release, or damaged.
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


@contextmanager
def continuous_lock(layout: Layout, view: str) -> Iterator[Callable[[], None]]:
    """Let no other process materialize a view continuously, until the block ends.

    Other runs of the view are not refused: they take turns with the batches, by the view's lock.

    Args:
        layout: The addresses of the tables.
        view: The view's name.

    Yields:
        A check that the lock is still held. A lease in an object store may be lost by a process
        that was stopped for a minute. The check raises a ConflictError then, and a StorageError if
        the object store cannot be read.

    Raises:
        ConflictError: Another process does so.
        StorageError: The store's root cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as root, continuous_lock(Layout(root), "spending") as check:
        ...     check()
    """
    with ExitStack() as end:
        check: Callable[[], None] = _check_nothing
        if has_leases(layout.root):
            lease = _leased(layout, view)
            end.callback(_release, lease)
            check = partial(_require_held, layout, view, lease)
        elif is_local(layout.root):
            end.callback(_acquired(layout, view).release)
        end.callback(_remove_state, layout, view, check)
        yield check


def _check_nothing() -> None:
    """Do nothing: a locked file is held as long as its process lives."""


def _leased(layout: Layout, view: str) -> Lease:
    """Take the lease of a view in an object store."""
    lease = Lease(layout.continuous_lock(view), {"host": socket.gethostname()})
    try:
        lease.acquire()
    except HeldError:
        raise _held(layout, view) from None
    return lease


def _release(lease: Lease) -> None:
    with suppress(StorageError):  # if the store cannot be reached, the lease ends by itself
        lease.release()


def _require_held(layout: Layout, view: str, lease: Lease) -> None:
    if lease.confirm():
        return
    raise ConflictError(
        f"materialize view {view!r} continuously",
        f"this process has lost its lock, which it did not renew in time"
        f"{_described(layout, view)}",
        "Another process may do so now: see `featurestore status`, and start this one again if "
        "there is none.",
    )


def _remove_state(layout: Layout, view: str, check: Callable[[], None]) -> None:
    """Remove what this process says of a view, unless another process has taken over.

    A file that stays counts for nothing once the lock is free, so no failure is worth an error,
    which would hide that of the batches.
    """
    with suppress(ConflictError, StorageError, OSError):
        check()
        remove(layout.continuous(view))


def _held(layout: Layout, view: str) -> ConflictError:
    return ConflictError(
        f"materialize view {view!r} continuously",
        f"another process does so already{_described(layout, view)}",
        "Stop that process, or leave the view out.",
    )


def _acquired(layout: Layout, view: str) -> FileLock:
    path = Path(local_path(layout.continuous_lock(view)))
    call = f"materialize view {view!r} continuously"
    with storage_errors(call, str(path)):
        try:
            return lock_file(path)
        except Timeout:
            raise _held(layout, view) from None


def _described(layout: Layout, view: str) -> str:
    text = read_text(layout.continuous(view))
    try:
        state = _parsed(json.loads(text or ""))
    except (ValueError, TypeError, KeyError, AttributeError):  # it has just begun
        return ""
    return f", since {state.since:%Y-%m-%d %H:%MZ} (host {state.host}, pid {state.pid})"


def _is_running(layout: Layout, view: str) -> bool | None:
    """Return whether the process that has written a view's state runs; None if nobody knows."""
    if has_leases(layout.root) or is_local(layout.root):
        return is_held(layout.continuous_lock(view))
    return True  # HDFS has no locks


def _parsed(values: dict[str, Any]) -> ContinuousState:
    known = {name: values[name] for name in ContinuousState.__dataclass_fields__ if name in values}
    moments = {
        name: datetime.fromisoformat(known[name])
        for name in _MOMENTS
        if known.get(name) is not None
    }
    return ContinuousState(**known | moments)
