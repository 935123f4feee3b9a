"""`materialize --continuous` of a topic, killed: each message is stored once."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import featurestore as fs
from tests.jobs.continuous.process import Process, amounts, batches
from tests.kafka.broker import Broker
from tests.kafka.topic import message, send

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.integration

DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("card_id", fs.String),))
payments = fs.KafkaSource(
    "payments",
    topic="{topic}",
    servers="{servers}",
    schema=(
        fs.Field("card_id", fs.String),
        fs.Field("at", fs.Timestamp),
        fs.Field("amount", fs.Float64),
    ),
    timestamp_field="at",
)
spending = fs.FeatureView(
    "spending",
    entities=(card,),
    source=payments,
    schema=(fs.Field("amount", fs.Float64),),
    aggregations=(fs.Aggregation("amount", "sum", windows=("7d",)),),
    latest=False,
)
copied = fs.FeatureView(
    "copied",
    entities=(card,),
    source=spending,
    schema=(fs.Field("amount", fs.Float64),),
    latest=False,
)
"""


@pytest.mark.parametrize("point", ["rows.computed", "data.committed"])
def test_a_killed_process_of_a_topic_loses_and_doubles_no_message(
    tmp_path: Path, kafka_spark: "SparkSession", broker: Broker, point: str
) -> None:
    topic = f"killed_at_{point}"

    def pay(hour: int) -> None:
        rows = [message(card, hour, float(hour)) for card in ("a", "b")]
        send(kafka_spark, broker, topic, *rows, "no json")

    broker.create(kafka_spark, topic)
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "featurestore.toml").write_text('project = "killed"\n', "utf-8")
    definitions = DEFINITIONS.format(topic=topic, servers=broker.servers)
    (tmp_path / "feature_defs" / "views.py").write_text(definitions, "utf-8")
    store = fs.FeatureStore(tmp_path)
    store.apply(store.plan())
    pay(0)

    with Process(tmp_path, faults=f"spending/{point}=kill@2") as first:
        first.wait_for(lambda: batches(tmp_path, "copied") == 1)
        pay(1)
        assert first.wait() == -signal.SIGKILL
    pay(2)
    with Process(tmp_path) as second:
        second.wait_for(lambda: len(amounts(tmp_path, "copied")) == 6)
        pay(3)
        second.wait_for(lambda: len(amounts(tmp_path, "copied")) == 8)
        assert second.end() == 0

    expected = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0]
    assert amounts(tmp_path, "spending") == amounts(tmp_path, "copied") == expected
    status = {each.view: each for each in store.status()}
    assert (status["spending"].rows_quarantined, store.doctor()) == (4, [])
    assert [each.last_run for each in status.values()] == ["done", "done"]
