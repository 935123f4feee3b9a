"""The lock of a view: one materialization at a time. The lock of a crashed process is free."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from featurestore.errors import ConflictError
from featurestore.store.failures import storage_error, storage_errors
from featurestore.store.layout import Layout
from featurestore.store.paths import is_local, local_path


@contextmanager
def view_lock(layout: Layout, view: str, run_id: str, now: datetime) -> Iterator[None]:
    """Hold the lock of a view's tables; do not wait for it.

    Object stores have no locks. There, the scheduler must not start two runs of a view at once.

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
    holder, lock = path.with_suffix(".holder"), FileLock(path)
    call = f"materialize view {view!r}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        raise ConflictError(
            call,
            f"another process materializes it {_described(holder)}",
            "Wait until that run has ended, then run the command again.",
        ) from None
    except OSError as error:
        raise storage_error(error, call, str(path)) from error
    try:
        with storage_errors(call, str(holder)):
            holder.write_text(_holder(run_id, now), encoding="utf-8")
        yield
        with suppress(OSError):  # the disk failed during the run: the results say so
            holder.unlink(missing_ok=True)
    finally:
        lock.release()


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
