"""The messages of a Kafka topic as a Spark DataFrame: Arrow reads the objects in Spark's tasks.

A message that cannot be read is a row without values. Its column `MESSAGE` has what is wrong, so
that the row goes into the quarantine and not through the view's transform.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql.pandas.types import from_arrow_schema

from featurestore.definitions.model.source import MESSAGE_FIELDS, KafkaSource
from featurestore.engines.files.messages import MessageTask, message_text, parse_messages
from featurestore.engines.spark.errors.transport import send_errors
from featurestore.engines.spark.source.partitions import with_added_partitions
from featurestore.environment import resolve
from featurestore.errors import SetupError
from featurestore.store.columns import arrow_type
from featurestore.times import from_micros

MESSAGE = "_featurestore_message"
"""The column with a message that cannot be read, as JSON; null for the others."""

MOST_COUNTED = 100_000
"""A topic with more new messages is said to have so many."""
_EARLIEST = "earliest"
_RAW = ("value", "key", "partition", "offset", "timestamp")
# Builds, and runs after a pause, are cut into batches of so many messages.
_PER_BATCH = 1_000_000
# Users may set others.
_DEFAULTS = {
    # A broker that is down is named after seconds, not after minutes.
    "kafka.default.api.timeout.ms": "20000",
    "kafka.request.timeout.ms": "15000",
    # Messages of a transaction that was rolled back were never sent.
    "kafka.isolation.level": "read_committed",
}


def read_messages_stream(source: KafkaSource, spark: SparkSession, starting: str) -> DataFrame:
    """Return the new messages of a topic as a stream.

    Args:
        source: The source.
        spark: A session of ours.
        starting: ``"earliest"``, or the first offsets as JSON, for a new checkpoint. Partitions
            that they lack are read from their beginning.
    """
    if starting != _EARLIEST:
        starting = _of_all_partitions(source, spark, starting)
    reader = spark.readStream.format("kafka").options(**stream_options(source, starting))
    return _parsed(source, reader.load())


def _of_all_partitions(source: KafkaSource, spark: SparkSession, offsets: str) -> str:
    try:
        _raw(source, spark, offsets).select("offset").limit(1).collect()
    except (PySparkException, Py4JError) as error:  # the stream names any other problem
        return with_added_partitions(offsets, str(error)) or offsets
    return offsets


def _raw(source: KafkaSource, spark: SparkSession, starting: str) -> DataFrame:
    """Return the messages that a topic has now, from some offsets on, as Spark reads them."""
    reader = spark.read.format("kafka").options(**client_options(source))
    return (
        reader.option("subscribe", resolve(source.topic))
        .option("startingOffsets", starting)
        .load()
    )


def stream_options(source: KafkaSource, starting: str) -> dict[str, str]:
    """Return the options of Spark's stream of a topic.

    Args:
        source: The source.
        starting: ``"earliest"``, or the first offsets as JSON, for a new checkpoint.

    Raises:
        SetupError: An environment variable is not set.
    """
    return {
        **client_options(source),
        "subscribe": resolve(source.topic),
        "startingOffsets": starting,
        "maxOffsetsPerTrigger": str(_PER_BATCH),
        # Messages that expired before they were read end the stream with an error.
        "failOnDataLoss": "true",
    }


def read_messages(source: KafkaSource, spark: SparkSession) -> DataFrame:
    """Return all messages that a topic has now, as a table.

    Args:
        source: The source.
        spark: A session of ours.
    """
    return _parsed(source, _raw(source, spark, _EARLIEST))


@dataclass(frozen=True)
class Behind:
    """The messages of a topic after an offset.

    Args:
        count: Their number, at most `MOST_COUNTED`.
        oldest_at: The time of the oldest one, in UTC; None without a message.
    """

    count: int
    oldest_at: datetime | None = None


def messages_behind(source: KafkaSource, spark: SparkSession, offset: str) -> Behind | None:
    """Return how many messages a topic has after an offset; None if the topic cannot be read.

    Args:
        source: The source.
        spark: A session of ours.
        offset: The offsets of the last batch, as JSON of the stream's checkpoint. All messages of
            partitions that were added since are after it.
    """
    try:
        rows = _raw(source, spark, offset).select("timestamp").limit(MOST_COUNTED)
        oldest = F.unix_micros(F.min("timestamp"))
        found = rows.agg(F.count("*").alias("count"), oldest.alias("oldest")).collect()[0]
    except SetupError:  # the run names what is wrong
        return None
    except (PySparkException, Py4JError) as error:
        complete = with_added_partitions(offset, str(error))
        return None if complete is None else messages_behind(source, spark, complete)
    moment = None if found["oldest"] is None else from_micros(found["oldest"])
    return Behind(found["count"], moment)


def client_options(source: KafkaSource) -> dict[str, str]:
    """Return the settings of Kafka's client, with the values of environment variables.

    Args:
        source: The source.

    Raises:
        SetupError: An environment variable is not set.
    """
    own = {
        f"kafka.{name.strip()}": resolve(value)
        for name, _, value in (option.partition("=") for option in source.options)
    }
    return {**_DEFAULTS, **own, "kafka.bootstrap.servers": resolve(source.servers)}


def readable(rows: DataFrame) -> DataFrame:
    """Return the messages that could be read, with the columns of the source."""
    return rows.where(F.col(MESSAGE).isNull()).drop(MESSAGE)


def with_unreadable(stored: DataFrame, rows: DataFrame) -> DataFrame:
    """Return rows to store, and a row without values for each message that cannot be read.

    Args:
        stored: The rows made of the messages that could be read.
        rows: All messages of the batch.
    """
    unreadable = rows.where(F.col(MESSAGE).isNotNull()).select(MESSAGE)
    return stored.unionByName(unreadable, allowMissingColumns=True)


def _parsed(source: KafkaSource, raw: DataFrame) -> DataFrame:
    call = f"read source {source.name!r} ({source.origin})"
    task = MessageTask(call, fields=source.schema, timezone=source.timezone)
    return raw.select(*_RAW).mapInArrow(
        partial(_parse_in_task, task, source.topic),
        from_arrow_schema(_schema(source), prefer_timestamp_ntz=True),
    )


def _schema(source: KafkaSource) -> pa.Schema:
    columns = [(field.name, arrow_type(field.dtype)) for field in source.columns]
    return pa.schema([*columns, (MESSAGE, pa.string())])


def _parse_in_task(
    task: MessageTask, topic: str, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    with send_errors():
        for batch in batches:
            raw = dict(zip(_RAW, batch.columns, strict=True))
            values = raw["value"].to_pylist()
            columns, problems = parse_messages(task, values)
            own = [
                pa.array([message_text(key) for key in raw["key"].to_pylist()], pa.string()),
                raw["partition"],
                raw["offset"],
                raw["timestamp"],
            ]
            texts = [
                None if problem is None else _message(topic, raw, at, problem, values[at])
                for at, problem in enumerate(problems)
            ]
            kinds = [arrow_type(field.dtype) for field in (*task.fields, *MESSAGE_FIELDS)]
            arrays = [each.cast(kind) for each, kind in zip([*columns, *own], kinds, strict=True)]
            names = [field.name for field in (*task.fields, *MESSAGE_FIELDS)]
            yield pa.RecordBatch.from_arrays(
                [*arrays, pa.array(texts, pa.string())], [*names, MESSAGE]
            )


def _message(
    topic: str, raw: dict[str, pa.Array], at: int, problem: str, value: bytes | None
) -> str:
    where = {"partition": raw["partition"][at].as_py(), "offset": raw["offset"][at].as_py()}
    return json.dumps({"topic": topic, **where, "problem": problem, "value": message_text(value)})
