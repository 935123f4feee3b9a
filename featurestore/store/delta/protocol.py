"""The gate that keeps our tables plain: reader 1, writer 2, so that everybody can read them."""

from featurestore.errors import TableError
from featurestore.store.delta.snapshot import open_table

READER_VERSION, WRITER_VERSION = 1, 2


def check_plain(uri: str) -> None:
    """Refuse a table of ours that left the plain protocol.

    Session defaults such as ``spark.databricks.delta.properties.defaults.*`` can switch features
    on for every new table; delta-rs and pyarrow would then read it wrongly or not at all.

    Raises:
        TableError: The table is missing, or needs more than reader 1 and writer 2.

    Example:
        >>> check_plain("no/such/table")
        Traceback (most recent call last):
        ...
        featurestore.errors.TableError: open table no/such/table: there is no Delta table...
    """
    protocol = open_table(uri).protocol()
    found = (protocol.min_reader_version, protocol.min_writer_version)
    if found > (READER_VERSION, WRITER_VERSION) or found[1] > WRITER_VERSION:
        features = {*(protocol.reader_features or ()), *(protocol.writer_features or ())}
        raise TableError(
            f"check table {uri}",
            f"it asks for Delta reader {found[0]} and writer {found[1]}"
            + (f" ({', '.join(sorted(features))})" if features else ""),
            "Remove spark.databricks.delta.properties.defaults.* from the session's "
            "configuration, then build the view anew with `featurestore materialize --full`.",
        )
