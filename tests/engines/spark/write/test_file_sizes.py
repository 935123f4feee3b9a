"""The size of feature files and of their row groups: by rows, and by bytes of large rows."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Array, Field, Float64, Int64
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.write.batch import Target, write_batch
from featurestore.engines.spark.write.file_sizes import bytes_of_row
from tests.engines.spark.compiled import compiling
from tests.engines.spark.positions import begun

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MIB = 1 << 20
NUMBERS = 400
ROWS = 12_000
VIEW = FeatureView(
    "vectors",
    entities=(Entity("card", join_keys=(Field("card_id", Int64),)),),
    source=DeltaSource("paid", path="paid", timestamp_field="at"),
    schema=(Field("x", Array(Float64)),),
)


@pytest.fixture(scope="module")
def ours(spark: "SparkSession") -> "SparkSession":
    return compiling(own_session(spark))


def test_large_rows_make_files_and_row_groups_of_a_limited_size(
    ours: "SparkSession", tmp_path: Path
) -> None:
    target = Target(
        "r1",
        table_id="t1",
        generation=0,
        table=str(tmp_path / "t1"),
        checkpoint=begun(str(tmp_path / "begun"), 2),
        source="source",
        quarantine=str(tmp_path / "quarantine"),
        staging=str(tmp_path / "staging"),
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        bytes_per_file=20 * MIB,
    )
    numbers = f"transform(sequence(1, {NUMBERS}), i -> double(xxhash64(id, i)))"
    rows = ours.range(ROWS).selectExpr("id card_id", "timestamp_micros(id) at", f"{numbers} x")

    write_batch(VIEW, target, rows, 0)

    (log,) = Path(target.table, "_delta_log").glob("*0.json")
    actions = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    added = [action["add"] for action in actions if "add" in action]
    footers = [pq.read_metadata(Path(target.table, file["path"])) for file in added]
    groups = [footer.row_group(at) for footer in footers for at in range(footer.num_row_groups)]
    assert sum(footer.num_rows for footer in footers) == ROWS
    assert len(added) == 2
    assert all(15 * MIB < file["size"] < 21 * MIB for file in added)
    assert all(group.total_byte_size < 17 * MIB for group in groups)
    assert len(groups) == 4


def test_the_bytes_of_a_row_are_those_of_its_values(ours: "SparkSession") -> None:
    values = {
        "1L": 8,
        "1S": 2,
        "true": 1,
        "date'2026-01-01'": 4,
        "timestamp'2026-01-01 00:00:00Z'": 8,
        "1.50BD": 8,
        "cast(1 AS decimal(30, 2))": 16,
        "'äb'": 3,
        "X'0102'": 2,
        "cast(NULL AS string)": 0,
        "array(1.5F, NULL, 2.5F)": 12,
        "array('ä', NULL, 'abc')": 5,
        "cast(NULL AS array<string>)": 0,
        "map('ab', 1L, 'c', 2L)": 19,
        "array(array(1, 2), NULL, array(3))": 12,
    }

    found = {
        value: ours.sql(f"SELECT {value} AS `a b`").transform(
            lambda rows: rows.select(bytes_of_row(rows).alias("bytes"))
        )
        for value in values
    }

    assert {value: rows.collect()[0]["bytes"] for value, rows in found.items()} == values
    every = ours.sql("SELECT " + ", ".join(f"{each} AS c{at}" for at, each in enumerate(values)))
    assert every.select(bytes_of_row(every)).collect() == [(sum(values.values()),)]
