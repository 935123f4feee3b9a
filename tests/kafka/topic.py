"""A project of one view of a topic, and its messages."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from featurestore.definitions.model.types import Field, Float64, String, Timestamp
from tests.jobs.world import NOON, World
from tests.kafka.broker import Broker

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMA = (Field("card_id", String), Field("at", Timestamp), Field("amount", Float64))


class Topic(World):
    """A project of one view of a topic."""

    broker: Broker
    topic: str

    def send(self, *values: str, partition: int | None = None) -> None:
        """Append messages with one key."""
        send(self.spark, self.broker, self.topic, *values, partition=partition)

    def pay(self, *payments: tuple[str | None, int | None, float | None]) -> None:
        self.send(*(message(*payment) for payment in payments))


def send(
    spark: "SparkSession", broker: Broker, topic: str, *values: str, partition: int | None = None
) -> None:
    """Append messages with one key, to the partition of the key or to another one."""
    rows = [("a", value, partition) for value in values]
    frame = spark.createDataFrame(rows, "key string, value string, partition int")
    options = {"kafka.bootstrap.servers": broker.servers, "topic": topic}
    frame.write.format("kafka").options(**options).save()


def message(card: str | None, hour: int | None, amount: float | None) -> str:
    at = None if hour is None else (NOON + timedelta(hours=hour)).isoformat()
    return json.dumps({"card_id": card, "at": at, "amount": amount})
