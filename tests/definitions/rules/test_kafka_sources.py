"""Rules of Kafka sources."""

from dataclasses import replace

import pytest

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import KafkaSource
from featurestore.definitions.model.types import Field, Float64, String, Timestamp
from featurestore.definitions.rules import check
from featurestore.definitions.rules.kafka_sources import options_are_settings_without_secrets

PAID = KafkaSource(
    "paid",
    topic="payments",
    servers="localhost:9092",
    schema=(Field("at", Timestamp), Field("amount", Float64)),
    timestamp_field="at",
)


def test_a_topic_with_a_schema_is_fine() -> None:
    secret = "sasl.jaas.config=${env:KAFKA_JAAS}"

    assert check(Manifest.of([replace(PAID, options=("security.protocol=SSL", secret))])) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"topic": "pay ments"},
        {"servers": "localhost"},
        {"servers": "kafka://localhost:9092"},
        {"schema": ()},
        {"schema": (Field("at", Timestamp), Field("kafka_offset", Float64))},
        {"schema": (Field("at", String),)},
        {"options": ("security.protocol",)},
        {"options": ("ssl.key.password=abc",)},
        {"options": ("sasl.jaas.config=org.apache... password='abc';",)},
        {"options": ("auto.offset.reset=latest",)},
        {"options": ("group.id =mine",)},
        {"options": ("Group.Id=mine",)},
        {"options": ("ssl.key.password=${env:}",)},
        {"timestamp_field": ""},
        {"timezone": "Europe/Pariss"},
    ],
)
def test_what_cannot_be_read_is_an_issue(changes: dict[str, object]) -> None:
    issues = check(Manifest.of([replace(PAID, **changes)]))  # type: ignore[arg-type]  # of its fields

    assert [issue.origin for issue in issues]


@pytest.mark.parametrize(
    "option",
    [
        "ssl.key.password=abc",
        "sasl.jaas.config=org.apache... password='abc';",
        "ssl.truststore.certificates.token=abc",
    ],
)
def test_a_secret_as_text_is_an_issue_of_its_own(option: str) -> None:
    """Other rules find some of them, too: this one names the option and not its value."""
    manifest = Manifest.of([replace(PAID, options=(option,))])

    issues = list(options_are_settings_without_secrets(manifest))

    assert [(option[:8] in issue.message, "abc" in issue.message) for issue in issues] == [
        (True, False)
    ]
