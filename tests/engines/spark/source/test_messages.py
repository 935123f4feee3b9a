"""The settings by which Spark reads a topic."""

import json

import pytest

from featurestore.definitions.model.source import KafkaSource
from featurestore.definitions.model.types import Field, Float64
from featurestore.engines.spark.source.messages import client_options, stream_options
from featurestore.engines.spark.source.partitions import with_added_partitions

PAID = KafkaSource(
    "paid",
    topic="payments",
    servers="localhost:9092",
    schema=(Field("amount", Float64),),
    options=("kafka.example=1", "isolation.level = read_uncommitted"),
)


def test_rolled_back_messages_are_not_read_unless_the_user_says_so() -> None:
    plain = KafkaSource("paid", topic="payments", servers="h:9092", schema=PAID.schema)

    assert client_options(plain)["kafka.isolation.level"] == "read_committed"
    assert client_options(PAID)["kafka.isolation.level"].strip() == "read_uncommitted"


def test_each_batch_of_a_stream_has_a_limit_and_lost_messages_are_an_error() -> None:
    options = stream_options(PAID, "earliest")

    assert int(options["maxOffsetsPerTrigger"]) > 0
    assert (options["failOnDataLoss"], options["subscribe"]) == ("true", "payments")


OF_STREAMS = (
    "java.lang.AssertionError: assertion failed: If startingOffsets contains specific offsets, "
    "you must specify all TopicPartitions.\nUse -1 for latest, -2 for earliest.\n"
)
OF_BATCHES = (
    "org.apache.spark.sql.kafka010.KafkaIllegalStateException: Partitions specified for Kafka "
    "start offsets don't match what are assigned. Use -1 for latest, -2 for earliest.\n"
)
NAMES = "Specified: Set(card-paid-0) Assigned: {kind}({names})"


@pytest.mark.parametrize("begin", [OF_STREAMS, OF_BATCHES], ids=["stream", "batch"])
@pytest.mark.parametrize("kind", ["Set", "HashSet"])
def test_partitions_that_were_added_begin_at_their_first_message(begin: str, kind: str) -> None:
    names = ", ".join(f"card-paid-{number}" for number in (11, 0, 2))

    offsets = with_added_partitions(
        '{"card-paid": {"0": 7}}', begin + NAMES.format(kind=kind, names=names)
    )

    assert json.loads(offsets or "") == {"card-paid": {"0": 7, "2": 0, "11": 0}}


def test_offsets_that_lack_no_partition_stay() -> None:
    complete = OF_STREAMS + NAMES.format(kind="Set", names="card-paid-0")

    assert with_added_partitions('{"card-paid": {"0": 7}}', complete) is None
