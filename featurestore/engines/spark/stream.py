"""The streaming query of one run: started, watched, stopped, and its failures told in our words."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from threading import Event

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.streaming import StreamingQuery

from featurestore.definitions.view import FeatureView
from featurestore.engines.spark.batch import Target, write_batch
from featurestore.engines.spark.reported import reported
from featurestore.engines.spark.sources import Reading, read_stream, stored_source
from featurestore.errors import FeatureStoreError, MaterializationError, SourceError

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
        target: Where its batches go.
        reading: How its source is read.
        stop: Set from outside to end it early.
        watch: Told how far it is.
    """

    view: FeatureView
    _: KW_ONLY
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
        raise _told(error, stream.view) from error
    finally:
        if query.isActive:
            query.stop()
    return rows


def _start(spark: SparkSession, stream: Stream) -> StreamingQuery:
    rows = read_stream(stored_source(stream.view), spark, stream.reading)
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
        ended = bool(query.awaitTermination(_POLL_SECONDS))
        for progress in query.recentProgress:
            read[progress["batchId"]] = progress["numInputRows"]
        stream.watch(sum(1 for rows in read.values() if rows), sum(read.values()))
    return sum(read.values())


def _told(error: PySparkException, view: FeatureView) -> FeatureStoreError:
    known = reported(error)
    if known is not None:
        return known
    text = str(error)
    if any(sign in text for sign in _CANCELLED):
        return _interrupted(view)
    asked = f"materialize view {view.name!r} ({view.origin})"
    for sign, found, fix in _SOURCE_TROUBLE:
        if sign in text:
            return SourceError(asked, f"{found} of source {view.source.name!r}", fix)
    return MaterializationError(
        asked, _first_cause(text), "Correct the cause and materialize again."
    )


def _first_cause(text: str) -> str:
    """The line of Spark's message that says what went wrong, without the stack."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    classed = [line for line in lines if "[" in line and "STREAM_FAILED" not in line]
    return (classed or lines or ["Spark said nothing"])[0][:600]


def _interrupted(view: FeatureView) -> InterruptedRunError:
    return InterruptedRunError(
        f"materialize view {view.name!r}",
        "it was interrupted",
        "Run it again: it goes on where it stopped.",
    )


_CANCELLED = ("SPARK_JOB_CANCELLED", "cancelled as part of cancellation of all jobs")
_FULL = (
    "Build the view anew from the table as it is: `featurestore materialize --full`."
)
_SOURCE_TROUBLE = (
    ("IGNORE_CHANGES", "rows were updated or deleted in the table", _FULL),
    ("IGNORE_DELETE", "rows were deleted from the table", _FULL),
    ("DIFFERENT_DELTA_TABLE", "another table lies now at the path", _FULL),
    (
        "DELTA_FILE_NOT_FOUND",
        "the table's log lacks versions that were not read yet",
        _FULL,
    ),
    ("DELTA_VERSIONS_NOT_CONTIGUOUS", "the table's log lacks versions", _FULL),
    (
        "DELTA_SCHEMA_CHANGED",
        "the columns of the table changed",
        "Materialize again; if columns "
        "were renamed or dropped, change the definition and apply it.",
    ),
    (
        "MALFORMED_RECORD",
        "a file holds a value that does not fit the declared columns",
        "Correct the file under a new name, or declare the column's type as it is.",
    ),
    ("CANNOT_READ_FILE_FOOTER", "a file is damaged", "Replace it by a whole one."),
)
