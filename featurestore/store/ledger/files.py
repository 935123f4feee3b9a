"""The ledger of source files, by which a file that changed after it was read is noticed."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, asdict, dataclass

from featurestore.store.layout import Layout
from featurestore.store.ledger.append import append, read
from featurestore.store.ledger.schemas import FILES


@dataclass(frozen=True)
class FileRecord:
    """A source file that a table holds the rows of.

    Args:
        view: The view's name.
        table_id: The build that read it.
        path: The file's address.
        size: Its bytes; -1 where it had changed before they could be noted.
        modified_at: Its time when it was read, in UTC milliseconds.
        run_id: The run that read it.
    """

    view: str
    _: KW_ONLY
    table_id: str
    path: str
    size: int
    modified_at: int
    run_id: str


class Files:
    """The ledger of source files, by which a changed file is noticed.

    Example:
        >>> Files(Layout("no/such/root")).records("t1")
        ()
    """

    def __init__(self, layout: Layout) -> None:
        self._uri = layout.files()

    def records(self, table_id: str) -> tuple[FileRecord, ...]:
        """Return the files that a build has read, by path."""
        rows = (row for row in read(self._uri) if row["table_id"] == table_id)
        return tuple(FileRecord(**row) for row in sorted(rows, key=lambda row: str(row["path"])))

    def record(self, records: Iterable[FileRecord]) -> None:
        """Append files that a run has read; nothing happens without any."""
        if rows := [asdict(record) for record in records]:
            append(self._uri, FILES, rows)
