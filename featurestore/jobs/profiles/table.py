"""The sketches of a whole table: those of its runs, merged; or from its rows."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from featurestore.definitions.model.view import FeatureView
from featurestore.jobs.profiles.batches import deleted_column
from featurestore.monitoring.columns import ProfiledColumn, stored_columns_of
from featurestore.monitoring.rows import RowsSketch, merged_sketches, sketch_table
from featurestore.store.delta.files import open_file
from featurestore.store.delta.snapshot import Snapshot
from featurestore.store.file_system import read_text, write_text
from featurestore.store.layout import Layout

MOST_ROWS = 10_000_000
"""A table of more rows is not read again: it has no profile until it is built again."""


def read_sketches(
    layout: Layout, table_id: str, columns: Iterable[ProfiledColumn]
) -> RowsSketch | None:
    """Return the sketches of a build's rows as of its last profile; None if there are none.

    So it is if they are damaged, of another release, or of other columns: they are made again from
    the table.

    Args:
        layout: The addresses of the tables.
        table_id: The build.
        columns: The columns that they describe.

    Example:
        >>> read_sketches(Layout("no/such/root"), "t1", ()) is None
        True
    """
    text = read_text(layout.sketches(table_id))
    try:
        found = None if text is None else RowsSketch.from_text(text)
    except ValueError:
        return None
    names = {column.name for column in columns}
    return found if found is not None and found.columns.keys() == names else None


def write_sketches(layout: Layout, table_id: str, rows: RowsSketch) -> None:
    """Write the sketches of a build's rows, in place of the earlier ones.

    Args:
        layout: The addresses of the tables.
        table_id: The build.
        rows: The sketches.
    """
    write_text(layout.sketches(table_id), rows.to_text())


def sketch_stored_rows(view: FeatureView, snapshot: Snapshot) -> RowsSketch | None:
    """Return the sketches of all rows of a table, read from its files without Spark.

    Args:
        view: The view.
        snapshot: Its table.

    Returns:
        The sketches; None if the table has more than 10,000,000 rows.
    """
    if snapshot.rows > MOST_ROWS:
        return None
    columns, deleted = stored_columns_of(view), deleted_column(view)
    names = [*(each.name for each in columns), *([] if deleted is None else [deleted])]
    tables = _tables(snapshot, names)
    return merged_sketches(sketch_table(columns, rows, deleted) for rows in tables)


def _tables(snapshot: Snapshot, names: list[str]) -> Iterator[pa.Table]:
    for path in snapshot.files["path"].to_pylist():
        file = open_file(snapshot, path)
        for group in range(file.data.num_row_groups):
            yield file.read([group], names)
