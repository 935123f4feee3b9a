"""Spark's errors become featurestore's: the fitting class, one line, no stack trace."""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import udf

from featurestore.engines.spark.errors.mapping import mapped, spark_errors
from featurestore.engines.spark.errors.transport import received_error, send_errors
from featurestore.errors import (
    DefinitionError,
    FeatureStoreError,
    MaterializationError,
    SetupError,
    SourceError,
    SpineError,
    StorageError,
    SumOverflowError,
    TableError,
)


def stream(spark: SparkSession, table: Path, batch: Callable[[DataFrame, int], None]) -> None:
    """Run one batch function over what is new in a Delta table."""
    rows = spark.readStream.format("delta").load(str(table))
    writer = rows.writeStream.foreachBatch(batch)
    writer = writer.option("checkpointLocation", f"{table}-checkpoint").trigger(availableNow=True)
    writer.start().awaitTermination()


def failure(operation: Callable[[], object]) -> FeatureStoreError:
    """Return the error that an operation raises, after checks that hold for all errors."""
    with pytest.raises(FeatureStoreError) as raised, spark_errors("read payments"):
        operation()
    error = raised.value
    assert error.call == "read payments"
    assert "\n" not in str(error)
    assert "\tat " not in str(error)
    assert len(str(error)) < 900
    return error


@pytest.fixture
def table(spark: SparkSession, tmp_path: Path) -> Path:
    path = tmp_path / "table"
    spark.range(4).coalesce(1).write.format("delta").save(str(path))
    return path


def test_addresses_in_s3_without_their_jars_name_the_command_that_fetches_them() -> None:
    # As Spark says it where the jars are not on its class path; here they may be.
    text = ': org.apache.hadoop.fs.UnsupportedFileSystemException: No FileSystem for scheme "s3"'

    error = mapped(PySparkException(f"An error occurred while calling o80.load.\n{text}"), "read")

    assert (type(error), "setup --with s3" in error.fix) == (SetupError, True)


def test_a_file_of_a_spine_that_is_gone_needs_no_rebuilt_view() -> None:
    gone = PySparkException("[FAILED_READ_FILE.FILE_NOT_EXIST] Encountered error. SQLSTATE: KD001")

    error = mapped(gone, "get_training_set('v')", SpineError)

    assert type(error) is SpineError
    assert "--full" not in error.fix


@pytest.mark.parametrize("kind", [SourceError, SpineError])
def test_a_file_that_is_gone_from_an_object_store_is_no_network_that_fails(
    kind: type[SourceError | SpineError],
) -> None:
    text = (
        "[FAILED_READ_FILE.FILE_NOT_EXIST] Encountered error while reading file s3a://shop/a. "
        "File does not exist. SQLSTATE: KD001\n\nJVM stacktrace:\norg.apache.spark.SparkException"
        "\n\tat org.apache.hadoop.fs.s3a.S3AFileSystem.open(S3AFileSystem.java:1)\nCaused by: "
        "software.amazon.awssdk.services.s3.model.NoSuchKeyException: (Status Code: 404)\n\tat "
        "software.amazon.awssdk.core.internal.http.pipeline.stages.ApiCallTimeoutTrackingStage."
        "execute(ApiCallTimeoutTrackingStage.java:80)\n\t... 27 more"
    )

    error = mapped(PySparkException(text), "read payments", kind)

    assert type(error) is kind
    assert error.found.startswith("FAILED_READ_FILE.FILE_NOT_EXIST")


def test_a_bucket_that_does_not_exist_is_named_without_javas_classes() -> None:
    text = (
        "An error occurred while calling o60.load.\n: org.apache.hadoop.fs.s3a.UnknownStore"
        "Exception: `s3://shop/x/_delta_log': getFileStatus on s3://shop/x/_delta_log: software."
        "amazon.awssdk.services.s3.model.NoSuchBucketException: The specified bucket does not "
        "exist (Service: S3)\n\tat org.apache.hadoop.fs.s3a.S3AUtils.translateException(S3A:277)"
    )

    error = mapped(PySparkException(text), "read payments")

    assert isinstance(error, StorageError)
    assert "'shop'" in error.found
    assert "Exception" not in str(error)


def test_a_value_that_cannot_be_cast_is_named_if_it_fails_in_a_write() -> None:
    failed = PySparkException(
        "[TASK_WRITE_FAILED] Task failed while writing rows to file:/x. SQLSTATE: 58030\n"
        "Caused by: [CAST_INVALID_INPUT] The value 'x' cannot be cast. SQLSTATE: 22018"
    )

    error = mapped(failed, "materialize v")

    assert error.found.startswith("CAST_INVALID_INPUT")
    assert "try_cast" in error.fix


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


def test_an_unknown_column_is_a_definition_error_with_near_names(spark: SparkSession) -> None:
    error = failure(lambda: spark.range(1).select("idd"))

    assert type(error) is DefinitionError
    assert error.found.startswith("UNRESOLVED_COLUMN")
    assert "`idd`" in error.found
    assert "[`id`]" in error.found


def test_sql_that_does_not_parse_is_a_definition_error(spark: SparkSession) -> None:
    error = failure(lambda: spark.sql("selct 1"))

    assert type(error) is DefinitionError
    assert error.found.startswith("PARSE_SYNTAX_ERROR: ")
    assert "'selct'" in error.found


def test_a_value_that_does_not_fit_is_a_materialization_error(
    spark: SparkSession, capfd: pytest.CaptureFixture[str]
) -> None:
    error = failure(lambda: spark.sql("SELECT cast('x' AS int)").collect())

    assert type(error) is MaterializationError
    assert error.found.startswith("CAST_INVALID_INPUT: in \"cast('x' AS int)\" of the SQL: The")
    assert capfd.readouterr().err == ""


def test_a_missing_version_is_a_table_error(spark: SparkSession, table: Path) -> None:
    reader = spark.read.format("delta").option("versionAsOf", 9)

    error = failure(lambda: reader.load(str(table)))

    assert type(error) is TableError
    assert error.found.startswith("DELTA_VERSION_NOT_FOUND")
    assert "version 9" in error.found


def test_a_deleted_source_row_stops_the_stream_with_the_command_that_rebuilds(
    spark: SparkSession, table: Path
) -> None:
    stream(spark, table, lambda rows, _: rows.foreachPartition(list))
    spark.sql(f"DELETE FROM delta.`{table}` WHERE id = 1")

    error = failure(lambda: stream(spark, table, lambda rows, _: None))

    assert type(error) is SourceError
    assert error.found.startswith("DELTA_SOURCE_TABLE_IGNORE_CHANGES: ")
    assert "`featurestore materialize VIEW --full`" in error.fix


def test_a_damaged_file_is_a_source_error(spark: SparkSession, table: Path) -> None:
    (file,) = table.glob("*.parquet")
    file.unlink()

    error = failure(lambda: spark.read.format("delta").load(str(table)).collect())

    assert type(error) is SourceError
    assert file.name in error.found


OURS = SumOverflowError("read payments", 'it is "odd".\nTwice', "Put it back.")


def raise_in_task(batches: Iterator[object]) -> Iterator[object]:
    with send_errors():
        for _ in batches:
            raise OURS
        yield


@pytest.mark.parametrize("where", ["batch", "task"])
def test_an_error_of_ours_arrives_as_it_was_raised(
    spark: SparkSession, table: Path, where: str
) -> None:
    def batch(rows: DataFrame, batch_id: int) -> None:
        with send_errors():
            raise OURS

    with pytest.raises(FeatureStoreError) as raised, spark_errors("materialize"):
        if where == "batch":
            stream(spark, table, batch)
        else:
            spark.range(4).mapInArrow(raise_in_task, "id long").collect()

    error = raised.value
    assert type(error) is SumOverflowError
    assert (error.call, error.found, error.fix) == (OURS.call, OURS.found, OURS.fix)


@pytest.mark.parametrize(
    "text", ['featurestore-error {"kind": "SourceE', 'featurestore-error {"kind": "SourceError"}']
)
def test_an_error_that_arrives_incomplete_is_one_of_spark(text: str) -> None:
    assert received_error(RuntimeError(text)) is None
    assert type(mapped(RuntimeError(text), "read payments")) is MaterializationError


def test_only_errors_of_featurestore_are_raised_by_name() -> None:
    text = 'featurestore-error {"kind": "Iterable", "parts": ["a", "b", "c."]}'

    assert type(received_error(RuntimeError(text))) is MaterializationError


@pytest.mark.parametrize("library", [False, True])
def test_an_error_in_a_users_function_has_its_name_file_and_line(
    spark: SparkSession, library: bool
) -> None:
    def parse(_):  # type: ignore[no-untyped-def]  # PySpark would look for other hints
        return int(Decimal(str(json.loads("{")))) if library else 1 // 0

    error = failure(lambda: spark.range(1).select(udf(parse, "int")("id")).collect())

    assert type(error) is MaterializationError
    assert error.found.startswith("json.decoder.JSONDecodeError" if library else "ZeroDivision")
    assert re.search(r", in function 'parse' \(.*test_mapping\.py:\d+\)$", error.found)


def test_a_wrong_value_has_the_part_of_the_query(spark: SparkSession) -> None:
    rows = spark.sql("SELECT 'x' AS t")

    by_sql = failure(lambda: spark.sql("SELECT 1 + 1, cast(t AS int) FROM {r}", r=rows).collect())
    by_method = failure(lambda: rows.select(rows.t.cast("int")).collect())

    assert by_sql.found.startswith("CAST_INVALID_INPUT: in 'cast(t AS int)' of the SQL: The ")
    beginning = r"CAST_INVALID_INPUT: in cast\(\) \(.*test_mapping\.py:\d+\): The value 'x' "
    assert re.match(beginning, by_method.found)


def test_an_error_for_lack_of_memory_names_the_setting(spark: SparkSession) -> None:
    rows = spark.sql("SELECT size(array_repeat(1, 2000000000))")

    error = failure(rows.collect)

    assert type(error) is MaterializationError
    assert "spark.driver.memory" in error.fix


def test_an_error_of_java_is_shown_by_its_first_line(spark: SparkSession) -> None:
    error = failure(lambda: spark._jvm.java.io.FileInputStream("/absent"))  # type: ignore[union-attr]

    assert type(error) is MaterializationError
    assert error.found.startswith("java.io.FileNotFoundException: /absent")


def test_errors_of_others_stay_as_they_are() -> None:
    with pytest.raises(ConnectionError, match="of the user"), spark_errors("read payments"):
        raise ConnectionError("of the user")


def test_a_decorator_maps_the_errors_of_a_function(spark: SparkSession) -> None:
    @spark_errors("read a table")
    def read() -> DataFrame:
        return spark.table("absent")

    with pytest.raises(DefinitionError, match="TABLE_OR_VIEW_NOT_FOUND"):
        read()


def test_the_caller_chooses_the_class_of_other_errors() -> None:
    assert type(mapped(RuntimeError("unknown"), "start Spark", SetupError)) is SetupError


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE] The streaming query...", SourceError),
        ("[STREAMING_CHECKPOINT_MISSING_METADATA_FILE] Checkpoint...", MaterializationError),
        (
            "An error occurred while calling o1.start.\n: org.apache.hadoop.fs.ChecksumException: "
            "Checksum error: file:/s/p/checkpoints/ab12/0/offsets/3 at 0 exp: 1 got: 2",
            MaterializationError,
        ),
    ],
)
def test_a_stream_that_cannot_go_on_says_how_to_repair_it(
    text: str, kind: type[FeatureStoreError]
) -> None:
    error = mapped(PySparkException(text), "materialize view 'spending'", view="spending")

    assert type(error) is kind
    assert "`featurestore materialize spending --full`" in error.fix
