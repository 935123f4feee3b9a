"""The streaming query of one run: start, progress, stop, and the mapping of its failures."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from threading import Event

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from featurestore.definitions.model.source import StoredSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.unwrap import is_cancelled
from featurestore.engines.spark.source.readers import Reading, read_stream
from featurestore.engines.spark.transform.change_feed import feed_failure
from featurestore.engines.spark.write.batch import Target, write_batch
from featurestore.errors import MaterializationError

POLL_SECONDS = 0.2
Watcher = Callable[[int, int], None]
"""Called with the number of ended batches and of rows read so far."""


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
    """
    query = _start(spark, stream)
    try:
        rows = _watch(query, stream)
    except PySparkException as error:
        if is_cancelled(error):
            # Ctrl-C cancels Spark's jobs before this thread can stop the query.
            raise interrupted(stream.view) from error
        raise feed_failure(error, stream.view) from error
    finally:
        if query.isActive:
            query.stop()
    return rows


def _start(spark: SparkSession, stream: Stream) -> StreamingQuery:
    rows = read_stream(stream.source, spark, stream.reading)
    return (
        rows.writeStream.foreachBatch(partial(write_batch, stream.view, stream.target))
        .option("checkpointLocation", stream.target.checkpoint)
        .trigger(availableNow=True)
        .start()
    )


def _watch(query: StreamingQuery, stream: Stream) -> int:
    read: dict[int, int] = {}
    ended = False
    while not ended:
        if stream.stop.is_set():
            raise interrupted(stream.view)
        ended = bool(query.awaitTermination(POLL_SECONDS))  # type: ignore[arg-type]  # any number
        for progress in query.recentProgress:
            read[progress["batchId"]] = progress["numInputRows"]
        stream.watch(sum(1 for rows in read.values() if rows), sum(read.values()))
    return sum(read.values())


def interrupted(view: FeatureView) -> InterruptedRunError:
    """Return the error of a run that was interrupted."""
    return InterruptedRunError(
        f"materialize view {view.name!r}",
        "it was interrupted",
        f"Run the same command again. `featurestore materialize {view.name}` continues where it "
        "stopped; the repair of a range, with --start and --end, begins again.",
    )
