"""One materialization of a view at a time, by a lock that no crash leaves behind."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from featurestore.errors import ConflictError
from featurestore.store.layout import Layout
from featurestore.store.paths import is_local, local_path


@contextmanager
def view_lock(layout: Layout, view: str, run_id: str, now: datetime) -> Iterator[None]:
    """Hold the lock of a view's tables, without waiting for it.

    Object stores have no locks: there, one scheduler must see to it that runs do not overlap.

    Raises:
        ConflictError: Somebody else holds it; the message names who.

    Example:
        >>> from datetime import UTC
        >>> with view_lock(Layout("s3://bucket/demo"), "v", "r1", datetime.now(UTC)):
        ...     pass
    """
    if not is_local(layout.root):
        yield
        return
    path = Path(local_path(layout.lock(view)))
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = path.with_suffix(".holder")
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise ConflictError(
            f"materialize view {view!r}",
            f"somebody else is at it ({_read(holder)})",
            "Wait until that run has ended, then try again.",
        ) from None
    try:
        holder.write_text(_holder(run_id, now), encoding="utf-8")
        yield
        holder.unlink(missing_ok=True)
    finally:
        lock.release()


def _holder(run_id: str, now: datetime) -> str:
    who = {"pid": os.getpid(), "host": socket.gethostname(), "run_id": run_id}
    return json.dumps({**who, "since": now.isoformat(timespec="seconds")})


def _read(holder: Path) -> str:
    try:
        known = json.loads(holder.read_text(encoding="utf-8"))
        return ", ".join(f"{name} {value}" for name, value in known.items())
    except (OSError, ValueError):  # it has just begun
        return "it has not said who it is yet"
