"""The lock of a view: one materialization at a time. The lock of a crashed process is free.

It is a locked file of a local root, and a lease in an object store.
"""

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from filelock import Timeout

from featurestore.errors import ConflictError, StorageError
from featurestore.jobs.locks import is_held, lock_file
from featurestore.store.failures import storage_error, storage_errors
from featurestore.store.fault_points import fault_point
from featurestore.store.layout import Layout
from featurestore.store.lease import HeldError, Lease
from featurestore.store.paths import has_leases, is_local, local_path

_WAIT = "Wait until that run has ended, then run the command again."

OnWait = Callable[[str, str], None]
"""Is called once with a view and who holds its lock, before its lock is waited for."""


@dataclass(frozen=True)
class ViewLocks:
    """The locks of several views.

    Args:
        busy: For each view that another process materializes, the error that says so.
        held: The locks of the other views.
    """

    busy: dict[str, ConflictError] = field(default_factory=dict)
    held: dict[str, ExitStack] = field(default_factory=dict)

    def release(self, view: str) -> None:
        """Release a view's lock, so that other processes need not wait for the other views."""
        if (lock := self.held.pop(view, None)) is not None:
            lock.close()


@contextmanager
def view_locks(
    layout: Layout, run_ids: Mapping[str, str], now: datetime, on_wait: OnWait | None = None
) -> Iterator[ViewLocks]:
    """Hold the locks of those views that no other process holds, until the block ends.

    Locks are taken in the order of the views' names, so that two calls never wait for each other.

    Args:
        layout: The addresses of the tables.
        run_ids: The views, each with the name of its run.
        now: The present moment.
        on_wait: Given, other processes are waited for, so that no view has an error.

    Raises:
        StorageError: The store's root cannot be written.

    Example:
        >>> from datetime import UTC
        >>> with view_locks(Layout("memory:///demo"), {"v": "r1"}, datetime.now(UTC)) as locks:
        ...     locks.busy, list(locks.held)
        ({}, ['v'])
    """
    locks = ViewLocks()
    with ExitStack() as end:
        for view in sorted(run_ids):
            lock = ExitStack()
            try:
                lock.enter_context(view_lock(layout, view, run_ids[view], now, on_wait))
            except ConflictError as error:
                fix = f"{error.fix} Or add --wait (wait=True)."  # the runs that can wait
                locks.busy[view] = ConflictError(error.call, error.found, fix)
            else:
                locks.held[view] = lock
                end.callback(locks.release, view)
        yield locks


def view_lock(
    layout: Layout, view: str, run_id: str, now: datetime, on_wait: OnWait | None = None
) -> AbstractContextManager[None]:
    """Return a context that holds the lock of a view's tables.

    HDFS and other file systems that only Spark knows have no locks here. There, the scheduler must
    not start two runs of a view at once.

    Args:
        layout: The addresses of the tables.
        view: The view's name.
        run_id: The name of the run, for others who want the lock.
        now: The present moment, for others too.
        on_wait: Given, another process is waited for. None to refuse.

    Raises:
        ConflictError: Another process holds it. The message names the process.
        SetupError: The root is in an object store, and the package obstore is not installed.
        StorageError: The store's root cannot be written.

    Example:
        >>> from datetime import UTC
        >>> with view_lock(Layout("memory:///demo"), "v", "r1", datetime.now(UTC)):
        ...     pass
    """
    holder = _holder(run_id, now)
    if has_leases(layout.root):
        return _leased(layout, view, holder, on_wait)
    return _locked(layout, view, holder, on_wait) if is_local(layout.root) else nullcontext()


@contextmanager
def _locked(
    layout: Layout, view: str, holder: dict[str, str], on_wait: OnWait | None
) -> Iterator[None]:
    path, call = Path(local_path(layout.view_lock(view))), f"materialize view {view!r}"
    note = path.with_suffix(".holder")
    report = None if on_wait is None else lambda: on_wait(view, _found(_read(note)))
    try:
        lock = lock_file(path, report)
    except Timeout:
        raise ConflictError(call, _found(_read(note)), _WAIT) from None
    except OSError as error:
        raise storage_error(error, call, str(path)) from error
    try:
        with storage_errors(call, str(note)):
            note.write_text(json.dumps(holder), encoding="utf-8")
            fault_point("lock.acquired", view)
        yield
        with suppress(OSError):  # the disk failed during the run: the results say so
            note.unlink(missing_ok=True)
    finally:
        with storage_errors(call, str(path)):
            lock.release()
            fault_point("lock.released", view)


@contextmanager
def _leased(
    layout: Layout, view: str, holder: dict[str, str], on_wait: OnWait | None
) -> Iterator[None]:
    lease = Lease(layout.view_lock(view), holder)
    report = None if on_wait is None else lambda fields: on_wait(view, _found(fields))
    try:
        lease.acquire(report)
    except HeldError as error:
        call = f"materialize view {view!r}"
        raise ConflictError(call, _found(error.holder), _WAIT) from None
    try:
        fault_point("lock.acquired", view)
        yield
    finally:
        # If the store cannot be reached, the lease ends by itself.
        with suppress(StorageError):
            lease.release()
        fault_point("lock.released", view)


def is_locked(layout: Layout, view: str) -> bool:
    """Return whether another process materializes a view now; False where that is not known.

    Example:
        >>> is_locked(Layout("no/such/root"), "spending")
        False
    """
    return is_held(layout.view_lock(view)) is True


def is_free(layout: Layout, view: str) -> bool:
    """Return whether no process materializes a view now; False where that is not known.

    A user who cannot write the store cannot look at a lock. HDFS has none.

    Example:
        >>> is_free(Layout("no/such/root"), "spending"), is_free(Layout("hdfs://host/demo"), "v")
        (True, False)
    """
    return is_held(layout.view_lock(view)) is False


def _holder(run_id: str, now: datetime) -> dict[str, str]:
    process = {"pid": str(os.getpid()), "host": socket.gethostname(), "run_id": run_id}
    return {**process, "since": now.isoformat(timespec="seconds")}


def _read(holder: Path) -> Mapping[str, str]:
    """Return who holds a lock; nothing if the other process has just taken it."""
    try:
        fields = json.loads(holder.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _found(holder: Mapping[str, str]) -> str:
    try:
        process = f"host {holder['host']}, pid {holder['pid']}, run {holder['run_id']}"
        since = f"since {holder['since']} ({process})"
    except KeyError:
        since = "since a moment ago"
    return f"another process materializes it {since}"
