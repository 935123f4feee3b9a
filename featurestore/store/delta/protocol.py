"""The check that our tables need only Delta reader 1 and writer 2: every engine can read them."""

from featurestore.errors import TableError
from featurestore.store.delta.snapshot import check_readable, open_table

READER_VERSION, WRITER_VERSION = 1, 2


def check_plain(uri: str) -> None:
    """Refuse a table of ours that needs a newer Delta protocol.

    Session defaults such as ``spark.databricks.delta.properties.defaults.*`` can enable features
    for every new table. Then delta-rs and pyarrow cannot read the table, or read it wrongly.

    Raises:
        TableError: The table is missing, needs more than reader 1 and writer 2, or its log names
            a file outside of its folder.

    Example:
        >>> check_plain("no/such/table")
        Traceback (most recent call last):
        ...
        featurestore.errors.TableError: open table no/such/table: there is no Delta table...
    """
    table = open_table(uri)
    protocol = table.protocol()
    reader, writer = protocol.min_reader_version, protocol.min_writer_version
    if reader > READER_VERSION or writer > WRITER_VERSION:
        features = {*(protocol.reader_features or ()), *(protocol.writer_features or ())}
        raise TableError(
            f"check table {uri}",
            f"it needs Delta reader {reader} and writer {writer}"
            + (f" ({', '.join(sorted(features))})" if features else ""),
            "Remove spark.databricks.delta.properties.defaults.* from the session's "
            "configuration, then rebuild the view with `featurestore materialize --full`.",
        )
    check_readable(table, uri)
