"""The session: what it sets, what it refuses, and that it leaves the machine as it was."""

from pathlib import Path

from pyspark.sql import SparkSession


def test_delta_writes_and_reads(spark: SparkSession, tmp_path: Path) -> None:
    table = str(tmp_path / "table")

    spark.range(3).write.format("delta").save(table)

    assert sorted(row.id for row in spark.read.format("delta").load(table).collect()) == [0, 1, 2]
