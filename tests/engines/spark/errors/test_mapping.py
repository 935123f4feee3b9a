"""Spark's errors come out as ours: of the fitting kind, in one sentence, without a Java trace."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import udf

from featurestore.engines.spark.errors.mapping import mapped, spark_errors
from featurestore.errors import (
    DefinitionError,
    FeatureStoreError,
    MaterializationError,
    SetupError,
    SourceError,
    TableError,
)


def stream(spark: SparkSession, table: Path, batch: Callable[[DataFrame, int], None]) -> None:
    """Run one batch function over what is new in a Delta table."""
    rows = spark.readStream.format("delta").load(str(table))
    writer = rows.writeStream.foreachBatch(batch)
    writer = writer.option("checkpointLocation", f"{table}-checkpoint").trigger(availableNow=True)
    writer.start().awaitTermination()


def failure(ask: Callable[[], object]) -> FeatureStoreError:
    """Return the error that asking raises, having checked what all of them promise."""
    with pytest.raises(FeatureStoreError) as raised, spark_errors("ask"):
        ask()
    error = raised.value
    assert str(error).startswith("ask: ")
    assert "\n" not in str(error)
    assert "\tat " not in str(error)
    assert len(str(error)) < 900
    return error


@pytest.fixture
def table(spark: SparkSession, tmp_path: Path) -> Path:
    path = tmp_path / "table"
    spark.range(4).coalesce(1).write.format("delta").save(str(path))
    return path


def test_a_missing_path_is_a_source_error(spark: SparkSession, tmp_path: Path) -> None:
    error = failure(lambda: spark.read.parquet(str(tmp_path / "absent")))

    assert type(error) is SourceError
    assert error.found == f"PATH_NOT_FOUND: Path does not exist: file:{tmp_path}/absent"


def test_a_folder_without_a_delta_table_is_a_source_error(
    spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("no table")

    error = failure(lambda: spark.read.format("delta").load(str(tmp_path)))

    assert type(error) is SourceError
    assert error.found.startswith("DELTA_TABLE_NOT_FOUND")


def test_an_unknown_column_is_a_definition_error_with_the_near_names(spark: SparkSession) -> None:
    error = failure(lambda: spark.range(1).select("idd"))

    assert type(error) is DefinitionError
    assert "`idd` cannot be resolved. Did you mean one of the following? [`id`]" in error.found


def test_sql_that_does_not_parse_is_a_definition_error(spark: SparkSession) -> None:
    error = failure(lambda: spark.sql("selct 1"))

    assert type(error) is DefinitionError
    assert error.found == "PARSE_SYNTAX_ERROR: Syntax error at or near 'selct'"


def test_a_value_that_does_not_fit_is_a_materialization_error(
    spark: SparkSession, capfd: pytest.CaptureFixture[str]
) -> None:
    error = failure(lambda: spark.sql("SELECT cast('x' AS int)").collect())

    assert type(error) is MaterializationError
    assert error.found.startswith("CAST_INVALID_INPUT: The value 'x' of the type \"STRING\"")
    assert capfd.readouterr().err == ""


def test_a_version_that_is_gone_is_a_table_error(spark: SparkSession, table: Path) -> None:
    reader = spark.read.format("delta").option("versionAsOf", 9)

    error = failure(lambda: reader.load(str(table)))

    assert type(error) is TableError
    assert "to version 9. Available versions: [0, 0]" in error.found


def test_a_deleted_source_row_stops_the_stream_and_says_what_to_do(
    spark: SparkSession, table: Path
) -> None:
    stream(spark, table, lambda rows, _: rows.foreachPartition(list))
    spark.sql(f"DELETE FROM delta.`{table}` WHERE id = 1")

    error = failure(lambda: stream(spark, table, lambda rows, _: None))

    assert type(error) is SourceError
    assert error.found.startswith("DELTA_SOURCE_TABLE_IGNORE_CHANGES: Detected a data update")
    assert "materialize --full" in error.fix


def test_a_damaged_file_is_a_source_error(spark: SparkSession, table: Path) -> None:
    (file,) = table.glob("*.parquet")
    file.unlink()

    error = failure(lambda: spark.read.format("delta").load(str(table)).collect())

    assert type(error) is SourceError
    assert file.name in error.found


def test_our_error_comes_out_of_a_batch_as_it_went_in(spark: SparkSession, table: Path) -> None:
    def refuse(rows: DataFrame, batch: int) -> None:
        raise SourceError("read payments", "the file changed. Twice", "Put it back.")

    with pytest.raises(SourceError) as raised, spark_errors("materialize"):
        stream(spark, table, refuse)

    assert str(raised.value) == "read payments: the file changed. Twice. Put it back."
    assert raised.value.fix == "Put it back."


def test_an_error_in_a_users_function_is_told_with_its_place(spark: SparkSession) -> None:
    divide = udf(lambda _: 1 // 0, "int")

    error = failure(lambda: spark.range(1).select(divide("id")).collect())

    assert type(error) is MaterializationError
    assert error.found.startswith("ZeroDivisionError: integer division or modulo by zero (")
    assert "test_mapping.py:" in error.found


def test_memory_that_ran_out_names_the_setting(spark: SparkSession) -> None:
    rows = spark.sql("SELECT size(array_repeat(1, 2000000000))")

    error = failure(rows.collect)

    assert error.found == "Spark ran out of memory"
    assert "spark.driver.memory" in error.fix


def test_an_error_of_java_is_its_first_line(spark: SparkSession) -> None:
    error = failure(lambda: spark._jvm.java.io.FileInputStream("/absent"))  # type: ignore[union-attr]

    assert type(error) is MaterializationError
    assert error.found.startswith("java.io.FileNotFoundException: /absent")


def test_other_errors_pass(spark: SparkSession) -> None:
    with pytest.raises(ConnectionError, match="the user's"), spark_errors("ask"):
        raise ConnectionError("the user's")


def test_a_decorated_function_is_guarded(spark: SparkSession) -> None:
    @spark_errors("read a table")
    def read() -> DataFrame:
        return spark.table("absent")

    with pytest.raises(DefinitionError, match="TABLE_OR_VIEW_NOT_FOUND"):
        read()


def test_a_kind_can_be_asked_for(spark: SparkSession) -> None:
    assert type(mapped(RuntimeError("odd"), "ask", SetupError)) is SetupError
