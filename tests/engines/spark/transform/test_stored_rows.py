"""The identity of a stored row: its row hash, and the hash of where it has nulls."""

from typing import TYPE_CHECKING

from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Array, Field, Float64, Int64
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.transform.stored_rows import NULL_HASH, null_hash, stored_rows
from featurestore.store.columns import ROW_HASH
from tests.jobs.world import NOON

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LISTS = Array(Array(Int64))
VIEW = FeatureView(
    "v",
    entities=(),
    source=DeltaSource("paid", path="paid", timestamp_field="at"),
    schema=(
        Field("amount", Float64),
        Field("fee", Float64),
        Field("first", LISTS),
        Field("second", LISTS),
    ),
)
MOVED = [
    (5.0, None, None, None),
    (None, 5.0, None, None),
    (None, None, [], None),
    (None, None, None, []),
    (None, None, [[1], [2]], None),
    (None, None, [[1, 2]], None),
    (None, None, [[1, 2], []], None),
    (None, None, [[1, None], [2]], None),
    (None, None, [[None, 1], [2]], None),
    (None, None, [[1], None, [2]], None),
    (None, None, [[1]], [[2]]),
    (None, None, None, [[1, 2]]),
]


def test_values_that_moved_give_another_identity(spark: "SparkSession") -> None:
    lists = "array<array<bigint>>"
    schema = f"at timestamp, amount double, fee double, first {lists}, second {lists}"
    rows = spark.createDataFrame([(NOON, *row) for row in MOVED], schema)

    stored = stored_rows(VIEW, rows)
    found = stored.withColumn(NULL_HASH, null_hash(VIEW, stored.schema)).collect()

    assert len({row[ROW_HASH] for row in found}) < len(MOVED)  # Spark passes over nulls
    assert len({(row[ROW_HASH], row[NULL_HASH]) for row in found}) == len(MOVED)
