"""Caches of open Delta tables, which only look for new commits when they are read again.

Opening a table takes milliseconds; checking it for new commits takes a fraction of one. A table
that was deleted and created again at the same address is opened again.
"""

import os
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
from featurestore.store.delta.snapshot import (
    Snapshot,
    open_table,
    require_newest_commit,
    snapshot_of,
)
from featurestore.store.failures import storage_errors
from featurestore.store.paths import is_local, local_path

T = TypeVar("T")


def _unchecked(_uri: str, _version: int) -> None:
    """Accept each version."""


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
            TableError: The table does not open, or its newest commit is damaged.
        """
        # First: a thread that the fork lost may hold the lock.
        check_process()
        with self._lock:
            table = self._updated()
            if table is not None and _has_next(self._uri, table.version()):
                # A run has just committed; or the commit is empty, which delta-rs takes for none.
                table = self._updated()
                if table is not None and _has_next(self._uri, table.version()):
                    require_newest_commit(self._uri, f"open table {self._uri}")
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
        check: Is called with the address and each new version of a table. It may raise an error.
    """

    def __init__(
        self, *, checksums: bool = False, check: Callable[[str, int], None] = _unchecked
    ) -> None:
        self._checksums, self._check = checksums, check
        self._caches: dict[str, TableCache[Snapshot]] = {}

    def newest(self, uri: str) -> Snapshot:
        """Return the newest snapshot of a table.

        Raises:
            TableError: There is no such table, or the local engine cannot read it.
        """
        new = TableCache(uri, partial(self._snapshot, uri=uri))
        cache = self._caches.setdefault(uri, new)
        # Without a table, opening it again raises the error.
        return cache.newest() or self._snapshot(open_table(uri), uri)

    def _snapshot(self, table: DeltaTable, uri: str) -> Snapshot:
        self._check(uri, table.version())
        return replace(snapshot_of(table, uri), checksums=self._checksums)


def _has_next(uri: str, version: int) -> bool:
    """Return whether there is a file of the next commit; PERF: in 10 microseconds."""
    if not is_local(uri):
        return False
    return os.path.exists(f"{local_path(uri)}/_delta_log/{version + 1:020}.json")  # noqa: PTH110 - PERF


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
