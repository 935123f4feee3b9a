"""Spark's tasks describe rows: those that are sent to them, or those of a commit's files."""

import ast
import os
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.write.profiling import (
    Profiling,
    descriptions,
    file_descriptions,
    reads_files,
)


def profiling(*columns: str) -> Profiling:
    return Profiling(
        columns,
        lambda tables: str([table.to_pydict() for table in tables]),
        collect=lambda texts: None,
        counted=frozenset({"a b"}),
    )


def test_of_counted_columns_only_nulls_are_sent(spark: SparkSession) -> None:
    rows = spark.sql(
        "SELECT 1L AS id, array(1.5, 2.5) AS `a b` UNION ALL SELECT 2L, NULL"
    ).coalesce(1)

    assert descriptions(rows, profiling("id", "a b")) == ["[{'id': [1, 2], 'a b': [True, None]}]"]


def test_the_rows_of_one_commit_are_read_from_its_files(
    spark: SparkSession, tmp_path: Path
) -> None:
    table, ours = str(tmp_path / "a b"), own_session(spark)
    options = {"delta.columnMapping.mode": "none"}
    for first in (1, 3):
        rows = ours.range(first, first + 2).selectExpr("id", "string(id) AS `x.y`")
        rows = rows.repartitionByRange(2, "id")
        rows.write.format("delta").mode("append").options(**options).save(table)

    texts = file_descriptions(ours, table, 1, profiling("x.y", "id"))

    assert sorted(texts) == ["[{'x.y': ['3'], 'id': [3]}]", "[{'x.y': ['4'], 'id': [4]}]"]
    assert file_descriptions(ours, table, 7, profiling("id")) == []


@pytest.mark.parametrize("files", [1, 5])
def test_no_more_tasks_than_cores_describe_all_files(
    spark: SparkSession, tmp_path: Path, files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    table, ours = str(tmp_path / "table"), own_session(spark)
    ours.range(0, files, 1, files).write.format("delta").save(table)

    texts = file_descriptions(ours, table, 0, profiling("id"))

    found = [row for text in texts for each in ast.literal_eval(text) for row in each["id"]]
    assert sorted(found) == list(range(files))
    assert len(texts) == min(files, 3)


def test_files_are_read_by_tasks_of_this_machine_alone(
    spark: SparkSession, tmp_path: Path
) -> None:
    assert reads_files(spark, str(tmp_path))
    assert not reads_files(spark, "s3://bucket/table")
