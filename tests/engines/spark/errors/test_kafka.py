"""Failures of topics and brokers, by the texts of Spark and of Kafka's client."""

import pytest
from pyspark.errors import PySparkException

from featurestore.definitions.model.source import KafkaSource
from featurestore.definitions.model.types import Field, Float64
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.kafka import kafka_failure
from featurestore.engines.spark.errors.run import run_failure
from featurestore.engines.spark.errors.transport import sent_text
from featurestore.errors import DataQualityError, FeatureStoreError, SetupError, SourceError

PAID = KafkaSource(
    "paid", topic="payments", servers="localhost:9092", schema=(Field("amount", Float64),)
)
STACK = "\tat org.apache.spark.sql.kafka010.KafkaSourceProvider.createSource(X.scala:1)\n"


def found(text: str) -> FeatureStoreError | None:
    return kafka_failure(text, "spending", PAID)


@pytest.mark.parametrize(
    "text",
    [
        "Futures timed out after [300 seconds]: java.util.concurrent.TimeoutException",
        "java.net.SocketTimeoutException: Read timed out of s3a://bucket/x",
        "PythonException: ValueError: unknown topic",
        "Traceback (most recent call last):\nLookupError: partition 1 of the data are gone",
        "java.lang.NullPointerException\n" + STACK,
    ],
)
def test_a_failure_of_something_else_is_no_failure_of_kafka(text: str) -> None:
    assert found(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "[DATA_SOURCE_NOT_FOUND] Failed to find the data source: kafka. Please find packages",
        "Failed to find data source: kafka. Please deploy the application",
        "java.lang.NoClassDefFoundError: org/apache/kafka/common/serialization/Deserializer",
    ],
)
def test_missing_jars_are_named(text: str) -> None:
    assert isinstance(found(text), SetupError)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("org.apache.kafka.common.errors.TimeoutException: Timeout of 20000ms expired", "9092"),
        ("Timed out waiting for a node assignment. Call: describeTopics", "9092"),
        ("failOnDataLoss: some data may have been lost", "payments"),
        ("org.apache.kafka.common.errors.UnknownTopicOrPartitionException", "payments"),
        ("SslAuthenticationException: SSL handshake failed", "certificate"),
        ("SaslAuthenticationException: Authentication failed: Invalid username", "refuse"),
        ("terminated with exception: Failed to create new KafkaAdminClient", "host"),
        ("you must specify all TopicPartitions.\nUse -1 for latest", "partitions"),
        ("start offsets don't match what are assigned", "partitions"),
    ],
)
def test_a_failure_of_the_topic_is_named_also_with_the_stack_of_spark(
    text: str, part: str
) -> None:
    error = found(f"{text}\n{STACK}")

    assert isinstance(error, SourceError)
    assert part in error.found


def test_our_own_error_of_a_batch_is_passed_on_whatever_it_says() -> None:
    view = FeatureView("spending", entities=(), source=PAID, schema=(Field("amount", Float64),))
    own = DataQualityError("store rows", "the partitions 1 and 2 are gone", "Add them.")

    error = run_failure(PySparkException(f"[STREAM_FAILED] {sent_text(own)}"), view)

    assert (type(error), error.found) == (DataQualityError, own.found)
