"""Delta tables kept open: asked again, they only look for commits that are new.

To open a table takes milliseconds, to see that nothing is new a fraction of one. One that was
deleted and made anew at the same place is opened anew.
"""

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from featurestore.store.delta.log import is_table
from featurestore.store.delta.snapshot import Snapshot, open_table, snapshot_of
from featurestore.store.paths import is_local, local_path

T = TypeVar("T")


class TableCache(Generic[T]):
    """What is read of a table's newest version, read again only when there is a newer one.

    Args:
        uri: The table's address.
        read: Makes it of the open table.

    Example:
        >>> TableCache("no/such/table", DeltaTable.version).newest() is None
        True
    """

    def __init__(self, uri: str, read: Callable[[DeltaTable], T]) -> None:
        self._uri, self._read, self._lock = uri, read, Lock()
        self._table: DeltaTable | None = None
        self._folder: tuple[int, ...] = ()
        self._found: tuple[int, T] | None = None

    def newest(self) -> T | None:
        """Return what is read of the newest version, or None where there is no table.

        Raises:
            TableError: The table does not open.
        """
        with self._lock:
            table = self._updated()
            if table is None:
                return None
            version = table.version()
            if self._found is None or self._found[0] != version:
                self._found = version, self._read(table)
            return self._found[1]

    def _updated(self) -> DeltaTable | None:
        folder = _identity(self._uri)
        if self._table is not None and folder == self._folder:
            try:
                self._table.update_incremental()
            except DeltaError:  # such as a log that was cleaned up to behind our version
                self._table = None
            else:
                return self._table
        self._folder, self._found = folder, None
        self._table = open_table(self._uri) if is_table(self._uri) else None
        return self._table


class Snapshots:
    """The newest snapshots of any tables, kept with what was read of their files' footers."""

    def __init__(self) -> None:
        self._kept: dict[str, TableCache[Snapshot]] = {}

    def newest(self, uri: str) -> Snapshot:
        """Return the newest version of a table.

        Raises:
            TableError: There is no such table, or one that the local engine does not read.
        """
        kept = self._kept.setdefault(uri, TableCache(uri, lambda table: snapshot_of(table, uri)))
        # Opened once more where there is none, for the error that says so.
        return kept.newest() or snapshot_of(open_table(uri), uri)


def _identity(uri: str) -> tuple[int, ...]:
    """Return what tells a folder from another one at the same place; nothing for a URL."""
    if not is_local(uri):
        return ()
    try:
        first = Path(local_path(uri), "_delta_log").stat()
    except FileNotFoundError:
        return (0,)
    return first.st_dev, first.st_ino
