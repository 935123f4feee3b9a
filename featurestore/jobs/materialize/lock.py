"""The lock of a view: one materialization at a time. The lock of a crashed process is free."""

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from featurestore.errors import ConflictError
from featurestore.store.failures import storage_error, storage_errors
from featurestore.store.fault_points import fault_point
from featurestore.store.layout import Layout
from featurestore.store.paths import is_local, local_path

_POLL_SECONDS = 0.2
# `is_locked` takes a lock for a moment. A run must not be refused for that.
_LOOK_SECONDS = 0.4
_LOOK_POLL_SECONDS = 0.02

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
        >>> with view_locks(Layout("s3://bucket/demo"), {"v": "r1"}, datetime.now(UTC)) as locks:
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


@contextmanager
def view_lock(
    layout: Layout, view: str, run_id: str, now: datetime, on_wait: OnWait | None = None
) -> Iterator[None]:
    """Hold the lock of a view's tables.

    Object stores have no locks. There, the scheduler must not start two runs of a view at once.

    Args:
        layout: The addresses of the tables.
        view: The view's name.
        run_id: The name of the run, for others who want the lock.
        now: The present moment, for others too.
        on_wait: Given, another process is waited for. None to refuse.

    Raises:
        ConflictError: Another process holds it. The message names the process.
        StorageError: The store's root cannot be written.

    Example:
        >>> from datetime import UTC
        >>> with view_lock(Layout("s3://bucket/demo"), "v", "r1", datetime.now(UTC)):
        ...     pass
    """
    if not is_local(layout.root):
        yield
        return
    path = Path(local_path(layout.view_lock(view)))
    # Released by the thread of a run, if that ends before others of its call.
    holder, lock = path.with_suffix(".holder"), FileLock(path, thread_local=False)
    call = f"materialize view {view!r}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _acquire(lock, holder, view, on_wait)
    except Timeout:
        raise ConflictError(
            call,
            _found(holder),
            "Wait until that run has ended, then run the command again.",
        ) from None
    except OSError as error:
        raise storage_error(error, call, str(path)) from error
    try:
        with storage_errors(call, str(holder)):
            holder.write_text(_holder(run_id, now), encoding="utf-8")
            fault_point("lock.acquired", view)
        yield
        with suppress(OSError):  # the disk failed during the run: the results say so
            holder.unlink(missing_ok=True)
    finally:
        with storage_errors(call, str(path)):
            lock.release()
            fault_point("lock.released", view)


def is_locked(layout: Layout, view: str) -> bool:
    """Return whether another process materializes a view now; False in object stores.

    Example:
        >>> is_locked(Layout("no/such/root"), "spending")
        False
    """
    path = Path(local_path(layout.view_lock(view)))
    if not is_local(layout.root) or not path.is_file():
        return False
    try:
        with FileLock(path, blocking=False):
            return False
    except Timeout:
        return True
    except OSError:  # a store that this user cannot write
        return False


def _acquire(lock: FileLock, holder: Path, view: str, on_wait: OnWait | None) -> None:
    """Take the lock, or wait for it if there is somebody to say so to.

    Raises:
        Timeout: Another process holds it.
    """
    try:
        lock.acquire(_LOOK_SECONDS, poll_interval=_LOOK_POLL_SECONDS)
    except Timeout:
        if on_wait is None:
            raise
        on_wait(view, _found(holder))
        lock.acquire(poll_interval=_POLL_SECONDS)


def _found(holder: Path) -> str:
    return f"another process materializes it {_described(holder)}"


def _holder(run_id: str, now: datetime) -> str:
    process = {"pid": os.getpid(), "host": socket.gethostname(), "run_id": run_id}
    return json.dumps({**process, "since": now.isoformat(timespec="seconds")})


def _described(holder: Path) -> str:
    try:
        lock = json.loads(holder.read_text(encoding="utf-8"))
        process = f"host {lock['host']}, pid {lock['pid']}, run {lock['run_id']}"
        return f"since {lock['since']} ({process})"
    except (OSError, ValueError, KeyError):  # the other process has just taken the lock
        return "since a moment ago"
