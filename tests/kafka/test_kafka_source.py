"""Views of a topic, with a real broker: rows, bad messages, lost offsets, and failures."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from featurestore.definitions.model.source import KafkaSource
from featurestore.engines.spark.source import messages
from featurestore.engines.spark.source.messages import MESSAGE, Behind
from featurestore.errors import SourceError
from featurestore.jobs.continuous.backlog import continuous_of
from featurestore.jobs.continuous.idle import idle_views
from featurestore.jobs.materialize.start import materialize
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables
from featurestore.store.quarantine import read_quarantine
from tests.jobs.continuous.running import QUICK, continuously, live
from tests.jobs.world import DERIVED, SPENDING, other
from tests.kafka.broker import PASSWORD, Broker, jaas
from tests.kafka.topic import SCHEMA, Topic, message

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.integration


@pytest.fixture
def topic(
    tmp_path: Path, kafka_spark: "SparkSession", broker: Broker, request: pytest.FixtureRequest
) -> Topic:
    name = request.node.name.replace("[", "_").rstrip("]")[:100]
    broker.create(kafka_spark, name)
    source = KafkaSource(
        "paid",
        topic=name,
        servers=broker.servers,
        schema=SCHEMA,
        timestamp_field="at",
        sequence_field="kafka_offset",
    )
    world = Topic(tmp_path, kafka_spark, views=[other(SPENDING, source=source)])
    world.broker, world.topic = broker, name
    return world


def test_each_message_is_stored_once_by_a_build_and_runs(topic: Topic) -> None:
    topic.pay(("a", 1, 1.0), ("b", 1, 2.5))
    built = topic.materialize()
    topic.pay(("a", 2, 3.0))
    run = topic.materialize()
    nothing = topic.materialize()

    assert (built.kind, built.status, built.rows_out) == ("build", "done", 2)
    assert (run.kind, run.status, run.rows_in, run.rows_out) == ("run", "done", 1, 1)
    assert nothing.status == "nothing"
    assert topic.rows() == [("a", 1, 1.0), ("a", 2, 3.0), ("b", 1, 2.5)]


def test_a_message_that_cannot_be_read_is_in_quarantine_with_its_text(topic: Topic) -> None:
    topic.send(
        "no json",
        message("a", 1, 1.0),
        '{"card_id": "a", "at": "yesterday", "amount": 2.0}',
        '{"card_id": "a", "at": "2026-01-01T13:00:00Z", "amount": "many"}',
    )

    result = topic.materialize()

    assert (result.rows_in, result.rows_out, result.rows_quarantined) == (4, 1, 3)
    assert result.failures == {"unreadable_message": 3}
    record = Tables(topic.layout).current("spending")
    assert record is not None
    rows = [json.loads(row.message or "") for row in read_quarantine(topic.layout, record)]
    assert {row["value"] for row in rows} == {
        "no json",
        '{"card_id": "a", "at": "yesterday", "amount": 2.0}',
        '{"card_id": "a", "at": "2026-01-01T13:00:00Z", "amount": "many"}',
    }
    assert {row["topic"] for row in rows} == {topic.topic}
    assert MESSAGE not in topic.table().schema().to_arrow().names


def test_a_lost_checkpoint_goes_on_at_the_offsets_of_the_last_commit(topic: Topic) -> None:
    topic.pay(("a", 1, 1.0))
    topic.materialize()
    record = Tables(topic.layout).current("spending")
    assert record is not None
    checkpoint = Path(topic.layout.checkpoint(record.table_id, record.generation))
    checkpoint.rename(checkpoint.with_name("lost"))
    topic.pay(("a", 2, 2.0))

    result = topic.materialize()

    assert (result.kind, result.status) == ("run", "done")
    assert topic.rows() == [("a", 1, 1.0), ("a", 2, 2.0)]


def test_a_checkpoint_of_another_view_goes_on_at_the_offsets_of_the_last_commit(
    topic: Topic,
) -> None:
    (view,) = topic.views
    topic.views = [view, other(view, name="foreign")]
    topic.pay(("a", 1, 1.0))
    materialize(topic.job, ["spending"])
    topic.pay(("a", 2, 2.0))
    materialize(topic.job, ["foreign"])
    tables = Tables(topic.layout)
    records = [tables.current(name) for name in ("spending", "foreign")]
    own, foreign = (
        Path(topic.layout.checkpoint(each.table_id, each.generation)) for each in records if each
    )
    shutil.rmtree(own)
    shutil.copytree(foreign, own)

    (result,) = materialize(topic.job, ["spending"])

    assert (result.kind, result.status, result.rows_out) == ("run", "done", 1)
    assert f"the checkpoint at {own} is that of view 'foreign'" in result.message
    assert topic.rows() == [("a", 1, 1.0), ("a", 2, 2.0)]


@pytest.mark.parametrize("is_lost", [False, True], ids=["kept", "lost"])
def test_partitions_that_were_added_are_read_from_their_beginning(
    topic: Topic, is_lost: bool
) -> None:
    topic.pay(("a", 1, 1.0))
    topic.materialize()
    record = Tables(topic.layout).current("spending")
    assert record is not None
    checkpoint = Path(topic.layout.checkpoint(record.table_id, record.generation))
    topic.broker.add_partitions(topic.spark, topic.topic, 6)
    found: list[Behind | None] = []
    idle = idle_views(
        lambda: topic.spark, topic.layout, topic.views, lambda _, each: found.append(each)
    )
    if is_lost:
        checkpoint.rename(checkpoint.with_name("lost"))
    for partition in (0, 4, 5):
        topic.send(message("b", partition, 2.0), partition=partition)

    result = topic.materialize()

    assert (idle, found) == ({"spending"}, [Behind(0)])
    assert (result.kind, result.status, result.rows_out) == ("run", "done", 3)
    assert topic.rows() == [("a", 1, 1.0), ("b", 0, 2.0), ("b", 4, 2.0), ("b", 5, 2.0)]
    assert topic.materialize().status == "nothing"


def test_messages_that_expired_before_they_were_read_are_named(topic: Topic) -> None:
    topic.pay(("a", 1, 1.0))
    topic.materialize()
    topic.pay(*(("a", hour, 1.0) for hour in range(2, 8)))
    topic.broker.expire(topic.spark, topic.topic)
    topic.pay(("a", 9, 9.0))

    result = topic.materialize()

    assert result.status == "failed" and result.error is not None
    assert "--full" in result.error.fix
    assert topic.rows() == [("a", 1, 1.0)]


def test_a_topic_that_is_gone_is_named(topic: Topic) -> None:
    source = topic.views[0].source
    topic.views = [other(SPENDING, source=replace(source, topic="nowhere"))]

    result = topic.materialize()

    assert result.status == "failed" and result.error is not None
    assert "nowhere" in result.error.found


def test_new_messages_are_stored_continuously_and_the_state_says_so(topic: Topic) -> None:
    (spending,) = topic.views
    topic.views = [spending, other(DERIVED, source=spending)]
    topic.pay(("a", 1, 1.0))
    materialize(topic.job, ["spending"])

    with continuously(live(topic)) as running:
        running.wait_for(lambda: running.ended("copied") == 1)  # the topic has nothing new
        topic.pay(("a", 2, 2.0))
        running.wait_for(lambda: running.ended("copied") == 2)
        records = Tables(topic.layout).records()
        found = continuous_of(topic.layout, spending, records, datetime.now(UTC))
        running.end()

    assert topic.rows() == topic.rows(view="copied") == [("a", 1, 1.0), ("a", 2, 2.0)]
    assert found is not None and found.backlog is not None
    assert (found.backlog.unit, found.backlog.count, found.lag_seconds) == ("messages", 0, 0.0)
    assert (QUICK.trigger, found.state.batches) == (found.state.trigger_seconds, 1)


def test_a_run_is_cut_into_batches_as_a_build_is(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic.pay(("a", 1, 1.0))
    topic.materialize()
    topic.pay(*(("a", hour, 1.0) for hour in range(2, 7)))
    monkeypatch.setattr(messages, "_PER_BATCH", 2)

    result = topic.materialize()

    assert (result.kind, result.rows_out, len(topic.rows())) == ("run", 5, 6)
    assert Runs(topic.layout).records("spending")[-1].outcome.batches == 3


SECURE = (
    "security.protocol=SASL_SSL",
    "sasl.mechanism=PLAIN",
    "sasl.jaas.config=${env:KAFKA_JAAS}",
    "ssl.truststore.type=PEM",
    "ssl.truststore.location=${env:KAFKA_CERTIFICATE}",
)


@pytest.fixture
def secure(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> Topic:
    """The topic, read by TLS and with a password."""
    monkeypatch.setenv("KAFKA_JAAS", jaas())
    monkeypatch.setenv("KAFKA_CERTIFICATE", str(topic.broker.certificate))
    source = replace(topic.views[0].source, servers=topic.broker.secure_servers, options=SECURE)
    topic.views = [other(SPENDING, source=source)]
    return topic


def test_a_topic_is_read_by_tls_with_a_password_that_is_written_nowhere(secure: Topic) -> None:
    secure.pay(("a", 1, 1.0))
    built = secure.materialize()
    secure.pay(("a", 2, 2.0))
    with continuously(live(secure)) as running:
        running.wait_for(lambda: running.ended("spending") == 1)
        running.end()

    assert built.status == "done"
    assert secure.rows() == [("a", 1, 1.0), ("a", 2, 2.0)]
    left = [path.read_bytes() for path in secure.folder.rglob("*") if path.is_file()]
    assert len(left) > 20
    assert not any(PASSWORD.encode() in each for each in left)


@pytest.mark.parametrize(
    ("variable", "value", "part"),
    [
        ("KAFKA_JAAS", jaas(password="wrong-of-tests"), "refuse"),
        ("KAFKA_JAAS", None, "KAFKA_JAAS"),
        ("KAFKA_CERTIFICATE", "no/such/file.pem", "options"),
    ],
    ids=["password", "variable", "file"],
)
def test_what_a_client_lacks_is_named(
    secure: Topic, monkeypatch: pytest.MonkeyPatch, variable: str, value: str | None, part: str
) -> None:
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value)

    result = secure.materialize()

    assert result.status == "failed" and result.error is not None
    assert part in result.error.found
    assert not {PASSWORD, "wrong-of-tests"} & set(str(result.error).replace('"', " ").split())


def test_a_certificate_that_is_not_trusted_is_named(secure: Topic) -> None:
    source = replace(secure.views[0].source, options=SECURE[:3])
    secure.views = [other(SPENDING, source=source)]

    result = secure.materialize()

    assert result.status == "failed" and result.error is not None
    assert "certificate" in result.error.found


def test_a_broker_that_is_down_is_named(topic: Topic) -> None:
    source = topic.views[0].source
    topic.views = [other(SPENDING, source=replace(source, servers="127.0.0.1:9"))]

    result = topic.materialize()

    assert result.status == "failed" and result.error is not None
    assert "127.0.0.1:9" in result.error.found
    assert isinstance(result.error, SourceError)
