"""The streaming query of one run: started, watched, stopped, its failures in our words."""

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

_POLL_SECONDS = 0.2
Watcher = Callable[[int, int], None]
"""Told the batches done and the rows read so far."""


class InterruptedRunError(MaterializationError):
    """The run was stopped from outside; the next one goes on where it stopped."""


@dataclass(frozen=True)
class Stream:
    """One run of a view's stream.

    Args:
        view: The view, as loaded.
        source: What to read: the view's source, or the table of the view that it is derived from.
        target: Where its batches go.
        reading: How its source is read.
        stop: Set from outside to end it early.
        watch: Told how far it is.
    """

    view: FeatureView
    _: KW_ONLY
    source: StoredSource
    target: Target
    reading: Reading
    stop: Event
    watch: Watcher


def run_stream(spark: SparkSession, stream: Stream) -> int:
    """Read everything that is new in the source, and return how many rows that was.

    Args:
        spark: A session of ours, by `writing.own_session`.
        stream: What to run.

    Raises:
        SourceError: The source changed in a way that a stream of new rows cannot follow.
        MaterializationError: Spark failed.
        InterruptedRunError: It was stopped.
    """
    query = _start(spark, stream)
    try:
        rows = _watch(query, stream)
    except PySparkException as error:
        if is_cancelled(error):
            # Ctrl-C cancels Spark's jobs before anybody here can ask the query to stop.
            raise _interrupted(stream.view) from error
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
            raise _interrupted(stream.view)
        ended = bool(query.awaitTermination(_POLL_SECONDS))  # type: ignore[arg-type]  # any number
        for progress in query.recentProgress:
            read[progress["batchId"]] = progress["numInputRows"]
        stream.watch(sum(1 for rows in read.values() if rows), sum(read.values()))
    return sum(read.values())


def _interrupted(view: FeatureView) -> InterruptedRunError:
    return InterruptedRunError(
        f"materialize view {view.name!r}",
        "it was interrupted",
        "Run it again: it goes on where it stopped.",
    )
