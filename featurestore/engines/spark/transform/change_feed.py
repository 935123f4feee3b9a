"""The rows of a Delta table's change feed: which rows retract others, their order and visibility.

A row of the first snapshot is visible from its own time on. A row of a later change is visible
from its commit on, or later if its own time says so. Within one commit, a written row wins against
a retracted one.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import DeltaSource, StoredSource
from featurestore.engines.spark.source.offsets import snapshot_version, source_offset
from featurestore.engines.spark.transform.row_metadata import with_row_metadata
from featurestore.errors import SourceError
from featurestore.quoting import spark_name
from featurestore.store.delta.log import table_properties
from featurestore.store.paths import catalog_table

ENABLED = "delta.enableChangeDataFeed"
_TYPE, _VERSION, _TIME = "_change_type", "_commit_version", "_commit_timestamp"
_RETRACTING = ("delete", "update_preimage")


def is_feed(source: object) -> bool:
    """Return whether the rows of a source come from its change feed.

    Example:
        >>> is_feed(DeltaSource("paid", path="p", timestamp_field="at"))
        False
    """
    return isinstance(source, DeltaSource) and source.change_feed


def require_feed(source: StoredSource, uri: str) -> None:
    """Check that the table of a change-feed source records its changes.

    Raises:
        SourceError: The table does not have the property.
    """
    if catalog_table(uri):
        return  # `require_present` has looked by Spark
    if is_feed(source) and table_properties(uri).get(ENABLED, "").lower() != "true":
        raise SourceError(
            f"read the change feed of source {source.name!r} ({source.origin})",
            f"the table at {uri} does not record its changes",
            f"Run: ALTER TABLE delta.{spark_name(uri)} SET TBLPROPERTIES ({ENABLED} = true)",
        )


def current_changes(rows: DataFrame) -> DataFrame:
    """Return a table's present rows, with the row metadata of a first snapshot."""
    kinds = {_TYPE: F.lit("insert"), _VERSION: F.lit(0).cast("bigint")}
    return changes(rows.withColumns(kinds | {_TIME: F.lit(None).cast("timestamp")}), snapshot=0)


def changes(rows: DataFrame, snapshot: int | None) -> DataFrame:
    """Return a feed's rows with row metadata: order, time of the commit, whether they retract.

    Args:
        rows: Rows of a change feed. Delta's three columns are removed.
        snapshot: The version of the first snapshot; None if all rows are later changes.
    """
    version, retracts = F.col(_VERSION), F.col(_TYPE).isin(*_RETRACTING)
    later = F.lit(snapshot is None) | (version > F.lit(snapshot if snapshot is not None else -1))
    metadata = F.struct(
        (version * 2 + F.when(retracts, 0).otherwise(1)).cast("bigint").alias("seq"),
        retracts.alias("deleted"),
        # As a number: a timestamp would pass through Python in the machine's time zone.
        F.when(later, F.unix_micros(_TIME)).alias("at"),
    )
    return with_row_metadata(rows, metadata).drop(_TYPE, _VERSION, _TIME)


def batch_changes(rows: DataFrame, checkpoint: str, generation: int, batch_id: int) -> DataFrame:
    """Return a batch of a feed's stream as `changes` does; the first snapshot is recognized.

    Args:
        rows: The batch.
        checkpoint: The stream's checkpoint.
        generation: The generation of the checkpoint. Only the first one reads a snapshot.
        batch_id: The batch's number.
    """
    if generation > 0:
        return changes(rows, snapshot=None)
    if batch_id > 0:
        before = source_offset(checkpoint, batch_id - 1)
        return changes(rows, snapshot=snapshot_version(before))
    # Rows of the snapshot have its version, and no earlier change is read.
    first = rows.agg(F.min(_VERSION)).collect()[0][0]
    return changes(rows, snapshot=first)
