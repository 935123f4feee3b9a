"""The ledger of source files, which shows files that changed after they were read."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, asdict, dataclass

from featurestore.store.layout import Layout
from featurestore.store.ledger.append import append, delete, read, text_list
from featurestore.store.ledger.schemas import FILES


@dataclass(frozen=True)
class FileRecord:
    """A source file whose rows are in a feature table.

    Args:
        view: The view's name.
        table_id: The build that read the file.
        path: The file's address.
        size: Its size in bytes; -1 if the file changed before its size was recorded.
        modified_at: The time of its last change before it was read, in UTC milliseconds.
        run_id: The run that read the file.
        digest: The hash of its content when it was read; None if it is not known, as in an object
            store, and for records of older releases.
    """

    view: str
    _: KW_ONLY
    table_id: str
    path: str
    size: int
    modified_at: int
    run_id: str
    digest: str | None = None


class Files:
    """The ledger of source files, which shows changed files.

    Example:
        >>> Files(Layout("no/such/root")).records("t1")
        ()
    """

    def __init__(self, layout: Layout) -> None:
        self._uri = layout.files()

    def records(self, table_id: str) -> tuple[FileRecord, ...]:
        """Return the files that a build has read, sorted by path."""
        rows = (row for row in read(self._uri) if row["table_id"] == table_id)
        return tuple(FileRecord(**row) for row in sorted(rows, key=lambda row: str(row["path"])))

    def forget(self, table_ids: Iterable[str]) -> None:
        """Remove the files of builds that were removed."""
        if ids := list(table_ids):
            delete(self._uri, f"table_id IN {text_list(ids)}")

    def record(self, records: Iterable[FileRecord]) -> None:
        """Append the files that a run has read, if any."""
        if rows := [asdict(record) for record in records]:
            append(self._uri, FILES, rows)
