"""The streaming query of one run: start, progress, stop, and the mapping of its failures."""

from dataclasses import KW_ONLY, dataclass
from functools import partial
from threading import Event
from typing import Protocol

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from featurestore.definitions.model.source import KafkaSource, StoredSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.executors import PYTHON_TOO_SLOW
from featurestore.engines.spark.errors.run import run_failure
from featurestore.engines.spark.errors.unwrap import is_cancelled
from featurestore.engines.spark.source.offsets import (
    last_ended_batch,
    resume_version,
    source_offset,
)
from featurestore.engines.spark.source.readers import Reading, read_stream
from featurestore.engines.spark.write.batch import Target, write_batch
from featurestore.errors import MaterializationError
from featurestore.store.commit import batch_commit
from featurestore.store.delta.log import latest_version
from featurestore.store.lease import require_renewed

POLL_SECONDS = 0.2
# Spark Connect gives the Python process of a batch function 10 seconds to import PySpark; no
# setting changes that. Nothing has begun by then.
_STARTS = 4


class Watcher(Protocol):
    """Receives the progress of a run."""

    def __call__(self, batches: int, rows: int, what: str = "") -> None:
        """Handle the number of ended batches, of rows read so far, and what is read next."""


class InterruptedRunError(MaterializationError):
    """The run was interrupted; the next run continues where it stopped."""


@dataclass(frozen=True)
class Stream:
    """One run of a view's stream.

    Args:
        view: The view, as loaded.
        source: The view's source, or the table of its upstream view.
        target: The destination of its batches.
        reading: The options of reading the source.
        stop: Set by the caller to end the run early.
        watch: Called with the progress.
        history: The table of a snapshot view's build before this one, whose rows a new table
            begins with; None without one.
        full: Whether a build from all rows was requested, so that an empty source is accepted.
    """

    view: FeatureView
    _: KW_ONLY
    source: StoredSource
    target: Target
    reading: Reading
    stop: Event
    watch: Watcher
    history: str | None = None
    full: bool = False


def run_stream(spark: SparkSession, stream: Stream) -> int:
    """Store all new rows of the source, and return the number of rows read.

    Args:
        spark: A session of ours, by `session.child.own_session`.
        stream: The run.

    Raises:
        SourceError: The source changed in a way that a stream of new rows cannot follow.
        MaterializationError: Spark failed.
        InterruptedRunError: The run was interrupted.
        ConflictError: This process could not renew the view's lock.
    """
    stream.watch(0, 0, _new_versions(stream))
    query = _start(spark, stream)
    try:
        rows = _watch(query, stream)
    except PySparkException as error:
        if is_cancelled(error):
            # Ctrl-C cancels Spark's jobs before this thread can stop the query.
            raise interrupted(stream.view) from error
        raise run_failure(error, stream.view) from error
    finally:
        if query.isActive:
            query.stop()
    return rows


def _start(spark: SparkSession, stream: Stream) -> StreamingQuery:
    """Start the query; once more where a busy server of Spark Connect was too slow to begin it."""
    for _ in range(_STARTS - 1):
        try:
            return _started(spark, stream)
        except PySparkException as error:
            if PYTHON_TOO_SLOW not in str(error):
                raise
    return _started(spark, stream)


def _started(spark: SparkSession, stream: Stream) -> StreamingQuery:
    rows = read_stream(stream.source, spark, stream.reading)
    return (
        rows.writeStream.foreachBatch(partial(write_batch, stream.view, stream.target))
        .option("checkpointLocation", stream.target.checkpoint)
        .trigger(availableNow=True)
        .start()
    )


def _new_versions(stream: Stream) -> str:
    """Return which versions of the source are new, for people."""
    if isinstance(stream.source, KafkaSource):
        return f"topic {stream.source.topic}"
    checkpoint, newest = stream.target.checkpoint, latest_version(stream.reading.uri)
    starting = stream.reading.starts_at
    first = starting if isinstance(starting, int) else None
    if first is None:
        first = resume_version(source_offset(checkpoint, last_ended_batch(checkpoint)))
    if newest is None or (first is not None and first > newest):
        return ""
    if first is None or first == newest:
        return f"version {newest} of {stream.source.name}"
    return f"versions {first} to {newest} of {stream.source.name}"


def _watch(query: StreamingQuery, stream: Stream) -> int:
    read: dict[int, int] = {}
    ended = False
    while not ended:
        if stream.stop.is_set():
            raise interrupted(stream.view)
        require_renewed(stream.target.lock, f"materialize view {stream.view.name!r}")
        ended = bool(query.awaitTermination(POLL_SECONDS))  # type: ignore[arg-type]  # any number
        for progress in query.recentProgress:
            batch, spark_rows = progress["batchId"], progress["numInputRows"]
            if batch not in read or (spark_rows and not read[batch]):
                read[batch] = _rows_in(stream.target, batch) if spark_rows else 0
        stream.watch(sum(1 for rows in read.values() if rows), sum(read.values()))
    return sum(read.values())


def _rows_in(target: Target, batch_id: int) -> int:
    """Return the number of source rows of a batch, by its commit.

    Spark's own number counts a row as often as it was read, and a batch may be read twice.
    """
    commit = batch_commit(target.table, target.generation, batch_id)
    return 0 if commit is None or commit.notes.run_id != target.run_id else commit.notes.rows_in


def interrupted(view: FeatureView) -> InterruptedRunError:
    """Return the error of a run that was interrupted."""
    return InterruptedRunError(
        f"materialize view {view.name!r}",
        "it was interrupted",
        f"Run the same command again. `featurestore materialize {view.name}` continues where it "
        "stopped; the repair of a range, with --start and --end, begins again.",
    )
