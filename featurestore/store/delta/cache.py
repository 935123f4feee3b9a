"""Caches of open Delta tables, which only look for new commits when they are read again.

Opening a table takes milliseconds; checking it for new commits takes a fraction of one. A table
that was deleted and created again at the same address is opened again.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from featurestore.store.delta.log import is_table
from featurestore.store.delta.process import check_process
from featurestore.store.delta.snapshot import Snapshot, open_table, snapshot_of
from featurestore.store.failures import storage_errors
from featurestore.store.paths import is_local, local_path

T = TypeVar("T")


class TableCache(Generic[T]):
    """A value read from the newest version of a table, and read again only from a newer version.

    Args:
        uri: The table's address.
        read: Reads the value from the open table.

    Example:
        >>> TableCache("no/such/table", DeltaTable.version).newest() is None
        True
    """

    def __init__(self, uri: str, read: Callable[[DeltaTable], T]) -> None:
        self._uri, self._read, self._lock = uri, read, Lock()
        self._table: DeltaTable | None = None
        self._folder: tuple[int, ...] = ()
        self._cached: tuple[int, T] | None = None

    def __reduce__(self) -> tuple[type["TableCache[T]"], tuple[str, Callable[[DeltaTable], T]]]:
        """Pickle and copy without the open table and the lock: another process opens its own."""
        return type(self), (self._uri, self._read)

    def newest(self) -> T | None:
        """Return the value read from the newest version, or None if there is no table.

        Raises:
            TableError: The table does not open.
        """
        # First: a thread that the fork lost may hold the lock.
        check_process()
        with self._lock:
            table = self._updated()
            if table is None:
                return None
            version = table.version()
            if self._cached is None or self._cached[0] != version:
                self._cached = version, self._read(table)
            return self._cached[1]

    def _updated(self) -> DeltaTable | None:
        folder = _identity(self._uri)
        if self._table is not None and folder == self._folder:
            try:
                self._table.update_incremental()
            except DeltaError:  # e.g. a clean-up removed the log entries after our version
                self._table = None
            else:
                return self._table
        self._folder, self._cached = folder, None
        self._table = open_table(self._uri) if is_table(self._uri) else None
        return self._table


class Snapshots:
    """The newest snapshots of tables, with the footers read so far.

    Args:
        checksums: Whether the pages of their files are compared with their checksums.
    """

    def __init__(self, *, checksums: bool = False) -> None:
        self._checksums = checksums
        self._caches: dict[str, TableCache[Snapshot]] = {}

    def newest(self, uri: str) -> Snapshot:
        """Return the newest snapshot of a table.

        Raises:
            TableError: There is no such table, or the local engine cannot read it.
        """
        new = TableCache(uri, partial(_snapshot, uri=uri, checksums=self._checksums))
        cache = self._caches.setdefault(uri, new)
        # Without a table, opening it again raises the error.
        return cache.newest() or _snapshot(open_table(uri), uri, self._checksums)


def _snapshot(table: DeltaTable, uri: str, checksums: bool) -> Snapshot:
    return replace(snapshot_of(table, uri), checksums=checksums)


def _identity(uri: str) -> tuple[int, ...]:
    """Return numbers of a local table that a new table at the same address does not share.

    A file system may give the folder of a new table the inode of a removed one. So the first
    commit counts too, as long as Delta keeps it.
    """
    if not is_local(uri):
        return ()
    log = Path(local_path(uri), "_delta_log")
    with storage_errors(f"open table {uri}", str(log)):
        try:
            folder = log.stat()
        except FileNotFoundError:
            return (0,)
        try:
            first = (log / f"{0:020}.json").stat()
        except (FileNotFoundError, NotADirectoryError):
            return folder.st_dev, folder.st_ino
    return folder.st_dev, folder.st_ino, first.st_ino, first.st_mtime_ns
