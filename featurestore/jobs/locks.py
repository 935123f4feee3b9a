"""Locks by their addresses: a locked file of a local root, a lease in an object store.

The lock of a crashed process is free. HDFS and other file systems that only Spark knows have none.
"""

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from featurestore.errors import SetupError, StorageError
from featurestore.store.lease import LEASE_SECONDS, lease_state
from featurestore.store.paths import has_leases, is_local, local_path

_POLL_SECONDS = 0.2
# `is_held` takes a lock for a moment. Who wants the lock must not be refused for that.
_LOOK_SECONDS = 0.4
_LOOK_POLL_SECONDS = 0.02
# The clocks of two machines may differ by minutes. A lease so old is certainly left over.
_LEFT_OVER_SECONDS = 3600.0


def lock_file(path: Path, on_wait: Callable[[], None] | None = None) -> FileLock:
    """Lock a file, and return the lock. Any thread may release it.

    Args:
        path: The file. It is made if it is not there.
        on_wait: Called once before another process is waited for. None to refuse.

    Raises:
        Timeout: Another process holds the lock, and ``on_wait`` is None.
        OSError: The file cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     lock_file(Path(folder, "views", "spending.lock")).release()
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(_LOOK_SECONDS, poll_interval=_LOOK_POLL_SECONDS)
    except Timeout:
        if on_wait is None:
            raise
        on_wait()
        lock.acquire(poll_interval=_POLL_SECONDS)
    return lock


def is_held(address: str) -> bool | None:
    """Return whether somebody holds the lock at an address; None where that is not known.

    A user who cannot write the store cannot look at a locked file. A lease seems left over if it
    was not renewed for some minutes: that compares the clocks of the store and of this machine, so
    this is for display only.

    Args:
        address: The lock's file, or the URL of its lease.

    Example:
        >>> is_held("no/such.lock"), is_held("memory:///no/such.lock"), is_held("hdfs://host/a.lock")
        (False, False, None)
    """
    if has_leases(address):
        return _is_leased(address)
    if not is_local(address):
        return None
    path = Path(local_path(address))
    try:
        if not path.is_file():
            return False
        with FileLock(path, blocking=False):
            return False
    except Timeout:
        return True
    except OSError:
        return None


def _is_leased(address: str) -> bool | None:
    try:
        state = lease_state(address)
    except (SetupError, StorageError):
        return None
    if state is None or state.is_free:
        return False
    if state.is_running or state.age_seconds < 2 * LEASE_SECONDS:
        return True
    return None if state.age_seconds < _LEFT_OVER_SECONDS else False
