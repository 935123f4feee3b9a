"""A Delta table's change feed: which of its rows retract others, in which order, known since when.

The rows of the first snapshot are known since the time that they carry; every later change is
known since its commit, if not later. Of one commit, what is written beats what is taken back.
"""

import re

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import DeltaSource, StoredSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.unwrap import SparkFailure, failure
from featurestore.engines.spark.source.offsets import snapshot_version, source_offset
from featurestore.engines.spark.transform.row_metadata import with_row_metadata
from featurestore.errors import FeatureStoreError, SourceError
from featurestore.store.delta.log import table_properties

ENABLED = "delta.enableChangeDataFeed"
_TYPE, _VERSION, _TIME = "_change_type", "_commit_version", "_commit_timestamp"
_RETRACTING = ("delete", "update_preimage")
# What Spark says of versions whose changes were never recorded, or are gone after a clean-up.
_GONE = re.compile(
    r"DELTA_MISSING_CHANGE_DATA|DELTA_CHANGE_DATA_FILE_NOT_FOUND|DELTA_VERSION_NOT_FOUND"
    r"|DELTA_LOG_FILE_NOT_FOUND|DELTA_TRUNCATED_TRANSACTION_LOG|FAILED_READ_FILE.FILE_NOT_EXIST"
)


def is_feed(source: object) -> bool:
    """Return whether a source is read by its change feed.

    Example:
        >>> is_feed(DeltaSource("paid", path="p", timestamp_field="at"))
        False
    """
    return isinstance(source, DeltaSource) and source.change_feed


def require_feed(source: StoredSource, place: str) -> None:
    """Refuse a change-feed source whose table records no changes.

    Raises:
        SourceError: Its table does not have the property.
    """
    if is_feed(source) and table_properties(place).get(ENABLED, "").lower() != "true":
        raise SourceError(
            f"read the change feed of source {source.name!r} ({source.origin})",
            f"the table at {place} records none",
            f"Run: ALTER TABLE delta.`{place}` SET TBLPROPERTIES ({ENABLED} = true)",
        )


def current_changes(rows: DataFrame) -> DataFrame:
    """Return a table's rows as they lie there now, carrying what those of a snapshot carry."""
    kinds = {_TYPE: F.lit("insert"), _VERSION: F.lit(0).cast("bigint")}
    return changes(rows.withColumns(kinds | {_TIME: F.lit(None).cast("timestamp")}), snapshot=0)


def changes(rows: DataFrame, snapshot: int | None) -> DataFrame:
    """Return a feed's rows, carrying their order, their commit's time, and if they retract.

    Args:
        rows: Rows of a change feed, with Delta's three columns, which are taken off.
        snapshot: The version of the first snapshot; None where all rows are later changes.
    """
    version, retracts = F.col(_VERSION), F.col(_TYPE).isin(*_RETRACTING)
    later = F.lit(snapshot is None) | (version > F.lit(snapshot if snapshot is not None else -1))
    metadata = F.struct(
        (version * 2 + F.when(retracts, 0).otherwise(1)).cast("bigint").alias("seq"),
        retracts.alias("deleted"),
        # As a number: a timestamp would go through Python in the machine's zone.
        F.when(later, F.unix_micros(_TIME)).alias("at"),
    )
    return with_row_metadata(rows, metadata).drop(_TYPE, _VERSION, _TIME)


def batch_changes(rows: DataFrame, checkpoint: str, generation: int, batch_id: int) -> DataFrame:
    """Return a batch of a feed's stream as `changes`, its first snapshot told from what follows.

    Args:
        rows: The batch.
        checkpoint: The stream's checkpoint.
        generation: Of the checkpoint: only the first reads a snapshot, later ones resume.
        batch_id: The batch's number.
    """
    if generation > 0:
        return changes(rows, snapshot=None)
    if batch_id > 0:
        before = source_offset(checkpoint, batch_id - 1)
        return changes(rows, snapshot=snapshot_version(before))
    # Rows of a snapshot bear its version, and no change before it is read.
    first = rows.agg(F.min(_VERSION)).collect()[0][0]
    return changes(rows, snapshot=first)


def feed_failure(error: SparkFailure, view: FeatureView) -> FeatureStoreError:
    """Return our error for one of Spark's; told of the feed where changes are gone."""
    call = f"materialize view {view.name!r} ({view.origin})"
    gone = _GONE.search(str(error)) if is_feed(view.source) else None
    if gone is None:
        return failure(error, call)
    return SourceError(
        call,
        f"the change feed of source {view.source.name!r} no longer holds all changes since the "
        f"last run ({gone[0]})",
        f"Build the view anew with `featurestore materialize {view.name} --full`. Keep changes "
        "longer than the time between runs: delta.deletedFileRetentionDuration and "
        "delta.logRetentionDuration.",
    )
