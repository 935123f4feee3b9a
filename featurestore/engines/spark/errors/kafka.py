"""What a topic or a broker lacks, from the texts of Spark's and Kafka's failures."""

import re

from featurestore.definitions.model.source import KafkaSource
from featurestore.errors import FeatureStoreError, SetupError, SourceError

_NO_JARS = re.compile(
    r"data source: kafka|DATA_SOURCE_NOT_FOUND\b.{0,80}\bkafka"
    r"|(?:ClassNotFoundException|NoClassDefFoundError): [\w./$]*kafka",
    re.IGNORECASE | re.DOTALL,
)
# What the user's code or our own says about other things is no failure of Kafka.
_OF_PYTHON = re.compile(r"PythonException|PYTHON_EXCEPTION|Traceback \(most recent call last\)")
_GONE = re.compile(r"UnknownTopicOrPartition|InvalidTopicException|unknown topic", re.IGNORECASE)
_LOST = re.compile(
    r"KAFKA_DATA_LOSS|failOnDataLoss|data may have been lost|OffsetOutOfRange"
    r"|offsets? .{0,80}out of range|partitions? .{0,80}(?:are gone|have been deleted)",
    re.IGNORECASE | re.DOTALL,
)
_REFUSED = re.compile(r"SaslAuthentication|AuthenticationException|AuthorizationException")
_UNTRUSTED = re.compile(r"SslAuthenticationException|SSLHandshakeException")
# Of a stream, Spark's text has no cause.
_NO_CLIENT = re.compile(r"Failed to create new KafkaAdminClient|Failed to construct kafka")
_DOWN = re.compile(
    r"Timed out waiting for a node|No resolvable bootstrap|Timeout of \d+ ?ms expired before"
    r"|org\.apache\.kafka[\w.]*\.(?:Timeout|Disconnect)Exception"
)
_NEW_PARTITIONS = re.compile(r"must specify all TopicPartitions|don't match what are assigned")
_PART = re.compile(r"[^\n]*(?:gone|lost|changed from|out of range)[^\n]*")


def kafka_failure(text: str, view: str, source: KafkaSource) -> FeatureStoreError | None:
    """Return the error for a failure of reading a topic; None for any other failure.

    Args:
        text: The text of the failure, with its causes.
        view: The view's name.
        source: Its source.

    Example:
        >>> from featurestore.definitions.model.types import Field, Float64
        >>> schema = (Field("x", Float64),)
        >>> paid = KafkaSource("paid", topic="paid", servers="localhost:9092", schema=schema)
        >>> kafka_failure("UnknownTopicOrPartitionException: ...", "v", paid).found
        "the brokers localhost:9092 have no topic 'paid'"
        >>> kafka_failure("NullPointerException", "v", paid) is None
        True
    """
    if _OF_PYTHON.search(text):
        return None
    call = f"materialize view {view!r} from source {source.name!r} ({source.origin})"
    if _NO_JARS.search(text):
        fix = "Run `featurestore setup --with kafka`, then the same command in a new process."
        return SetupError(call, "Spark's jars for Kafka are not there", fix)
    if _NEW_PARTITIONS.search(text):
        return _new_partitions(call, view, source)
    if _LOST.search(text):
        return _lost(text, call, view, source)
    if _GONE.search(text):
        found = f"the brokers {source.servers} have no topic {source.topic!r}"
        fix = "Create the topic, or correct topic= and servers= of the source."
        return SourceError(call, found, fix)
    return _client_failure(text, call, source)


def _client_failure(text: str, call: str, source: KafkaSource) -> SourceError | None:
    """Return the error of a client that the brokers do not answer; None for any other failure."""
    if _UNTRUSTED.search(text):
        found = f"the certificate of the brokers {source.servers} is not trusted"
        fix = (
            "Name a file with it, or with that of its authority, by ssl.truststore.location in "
            "options= of the source."
        )
        return SourceError(call, found, fix)
    if _REFUSED.search(text):
        found = f"the brokers {source.servers} refuse access to topic {source.topic!r}"
        return SourceError(call, found, "Correct options= of the source, or its rights.")
    if _DOWN.search(text):
        found = f"no broker answers at {source.servers}"
        fix = (
            "Start the broker, or correct servers= of the source. The next run goes on by itself."
        )
        return SourceError(call, found, fix)
    if _NO_CLIENT.search(text):
        found = f"Kafka's client could not begin: {source.servers} has no host that is known here"
        if source.options:
            found += ", or options= has a setting that it cannot use, such as a missing file"
        return SourceError(call, found, "Correct servers= or options= of the source.")
    return None


def _lost(text: str, call: str, view: str, source: KafkaSource) -> SourceError:
    part = _PART.search(text)
    detail = f" ({part[0].strip()[:300]})" if part else ""
    return SourceError(
        call,
        f"topic {source.topic!r} no longer has all messages since the last run{detail}: they "
        "expired before they were read, or the topic was made again",
        "Nothing was stored. Choose one: restore the messages. Or build the view from those that "
        f"the topic has now, and lose the rows of older ones: `featurestore materialize {view} "
        "--full`. To prevent this, make the topic's retention.ms longer than the time between "
        "runs.",
    )


def _new_partitions(call: str, view: str, source: KafkaSource) -> SourceError:
    return SourceError(
        call,
        f"topic {source.topic!r} has other partitions than at the last run, and the stream's "
        "checkpoint, which would follow them, is gone",
        "Nothing was stored. Restore the checkpoint from a copy. Or build the view from the "
        "messages that the topic has now, and lose the rows of older ones: `featurestore "
        f"materialize {view} --full`.",
    )
