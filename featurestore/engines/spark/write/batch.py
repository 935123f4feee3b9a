"""One batch of a stream: transformed, normalised, and committed to the feature table."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from datetime import datetime

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.transport import reporting
from featurestore.engines.spark.errors.unwrap import is_cancelled
from featurestore.engines.spark.source.offsets import source_offset
from featurestore.engines.spark.transform.change_feed import feed_failure
from featurestore.engines.spark.transform.inputs import batch_rows
from featurestore.engines.spark.transform.run import transformed
from featurestore.engines.spark.transform.stored_rows import (
    sort_columns,
    stored_rows,
    unmatched,
    unnamed,
)
from featurestore.errors import MaterializationError
from featurestore.store.columns import EVENT_TIME
from featurestore.store.commit import CommitNotes
from featurestore.store.delta.log import last_transaction

# Enough rows that a file is worth opening, few enough that it holds a narrow range of keys.
ROWS_PER_FILE = 500_000


@dataclass(frozen=True)
class Target:
    """Where a run's batches go, and what their commits carry; plain data, for it may be pickled.

    Args:
        run_id: The run.
        table_id: The build of the view's table.
        generation: Of the stream's checkpoint.
        table: The feature table's address.
        checkpoint: The checkpoint's address.
        started_at: When the run started.
        start: Older events are left out; None for none.
        rows_per_file: How many rows a file of a batch shall hold.
    """

    run_id: str
    _: KW_ONLY
    table_id: str
    generation: int
    table: str
    checkpoint: str
    started_at: datetime
    start: datetime | None = None
    rows_per_file: int = ROWS_PER_FILE

    @property
    def application(self) -> str:
        """Delta's name for this sequence of batches: batch ids start anew with a checkpoint."""
        return f"{self.table_id}/{self.generation}"


def write_batch(view: FeatureView, target: Target, rows: DataFrame, batch_id: int) -> None:
    """Commit one batch to the feature table; a batch that is committed already changes nothing.

    Whatever is to be known about it afterwards stands in the commit's ``userMetadata``: this
    function may run in another process than the one that asked for it.

    Args:
        view: The view, as loaded.
        target: Where it goes.
        rows: The source's new rows.
        batch_id: The stream's number of the batch; replayed ones keep theirs.
    """
    done = last_transaction(target.table, target.application)
    if done is not None and batch_id <= done:
        return
    given = batch_rows(view, rows, target.checkpoint, target.generation, batch_id)
    with reporting(), _failing(view), _released(given):
        # Counted before it is written, since the counts are part of the commit.
        kept = stored_rows(view, transformed(view, given), target.start).persist()
        try:
            _commit(view, target, kept, _notes(view, target, given, kept, batch_id))
        finally:
            kept.unpersist()


@contextmanager
def _released(given: DataFrame) -> Iterator[None]:
    """Let go of rows that were kept to be read several times."""
    try:
        yield
    finally:
        given.unpersist()


@contextmanager
def _failing(view: FeatureView) -> Iterator[None]:
    """Tell Spark's failures here, where they still have their causes."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        if is_cancelled(error):
            raise
        raise feed_failure(error, view) from error


def _notes(
    view: FeatureView, target: Target, rows: DataFrame, stored: DataFrame, batch_id: int
) -> CommitNotes:
    counts = _counts(view, stored)
    return CommitNotes(
        target.run_id,
        view=view.name,
        table_id=target.table_id,
        generation=target.generation,
        batch_id=batch_id,
        source_offset=source_offset(target.checkpoint, batch_id),
        rows_in=_rows_in(view, target, rows, counts),
        rows_out=counts["rows_out"],
        null_rows=counts["null_rows"],
        null_unique_rows=counts["null_unique_rows"],
        max_event_timestamp=counts["newest"],
        started_at=target.started_at,
    )


def _counts(view: FeatureView, kept: DataFrame) -> Row:
    """One pass, which also fills the cache and meets every value that cannot be stored."""
    null = unmatched(view)
    return kept.agg(
        F.count_if(~null).alias("rows_out"),
        F.count_if(null).alias("null_rows"),
        F.count_if(~null & unnamed(view)).alias("null_unique_rows"),
        F.unix_micros(F.max(F.when(~null, F.col(EVENT_TIME)))).alias("newest"),
    ).collect()[0]


def _rows_in(view: FeatureView, target: Target, rows: DataFrame, counts: Row) -> int:
    if view.transform is None and target.start is None:  # nothing was left out on the way
        return int(counts["rows_out"] + counts["null_rows"])
    return rows.count()


def _commit(view: FeatureView, target: Target, stored: DataFrame, notes: CommitNotes) -> None:
    if notes.rows_out == 0:
        return
    files = -(-notes.rows_out // target.rows_per_file)
    ordered = _in_order(view, stored.where(~unmatched(view)), files)
    ordered.write.format("delta").mode("append").options(
        txnAppId=target.application,
        txnVersion=str(notes.batch_id),
        userMetadata=notes.to_json(),
    ).save(target.table)
    if last_transaction(target.table, target.application) != notes.batch_id:
        # Delta drops a write whose number is not newer without an exception.
        raise MaterializationError(
            f"commit batch {notes.batch_id} of view {view.name!r}",
            f"table {target.table} did not take it up",
            "Materialize again; if it stays so, build anew: `featurestore materialize --full`.",
        )


def _in_order(view: FeatureView, rows: DataFrame, files: int) -> DataFrame:
    order = sort_columns(view)
    ranged = rows.coalesce(1) if files == 1 else rows.repartitionByRange(files, *order)
    return ranged.sortWithinPartitions(*order)
