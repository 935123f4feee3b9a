"""The rows of a source's files as a Spark DataFrame: Arrow reads the files in Spark's tasks.

Spark itself opens none of them: it would leave out files whose names it cannot read, round values,
and fill columns that a file lacks with nulls.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.accumulators import Accumulator
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention
from pyspark.sql.pandas.types import from_arrow_schema

from featurestore.definitions.model.source import FileSource
from featurestore.definitions.model.types import Timestamp
from featurestore.engines.files.plan import UsedColumns, plan_files, units
from featurestore.engines.files.read import read_units, result_schema
from featurestore.engines.files.task import SOURCE_FILE, UNREADABLE, FileTask, FileUnit
from featurestore.engines.spark.errors.transport import refusal, send_errors
from featurestore.engines.spark.source.row_counts import RowCounts, count_rows
from featurestore.engines.spark.source.timestamps import TimeColumn, is_outside, moment
from featurestore.quoting import spark_name
from featurestore.store.source_files import SourceFile

_UNIT = "address string, name string, part int, parts int"
_TIMES = (T.TimestampType, T.TimestampNTZType)
_OUTSIDE = "Correct the value in the file, or read the column as String."
_LACKING = (
    "Correct the file, declare schema= on the source with the column, or leave the column out of "
    "the transform."
)


def read_files(
    source: FileSource,
    spark: SparkSession,
    files: Sequence[SourceFile],
    columns: UsedColumns | None = None,
) -> DataFrame:
    """Return the rows of files, with the source's declared columns.

    See `read_and_count` for the arguments and errors.
    """
    return _read(source, spark, plan_files(source, files, columns), files, None)


def read_and_count(
    source: FileSource,
    spark: SparkSession,
    files: Sequence[SourceFile],
    columns: UsedColumns | None = None,
) -> tuple[DataFrame, RowCounts]:
    """Return the rows of files, with the source's declared columns, and their counts.

    Args:
        source: The source.
        spark: A session of ours.
        files: The files.
        columns: The columns that the view uses, with the fields that declare their types; None if
            its transform may use any.

    Raises:
        SourceError: A file has not the declared columns; a file's values are checked when the
            rows are used.
    """
    task = plan_files(source, files, columns)
    counts = RowCounts(spark, units(files, task))
    return _read(source, spark, task, files, counts.counts), counts


def _read(
    source: FileSource,
    spark: SparkSession,
    task: FileTask,
    files: Sequence[SourceFile],
    counts: "Accumulator[Any] | None",
) -> DataFrame:
    pieces = [(unit.address, unit.name, unit.part, unit.parts) for unit in units(files, task)]
    rows = spark.createDataFrame(pieces, _UNIT).mapInArrow(
        partial(_read_in_task, task, counts),
        from_arrow_schema(result_schema(task), prefer_timestamp_ntz=True),
    )
    return rows.select(*(_column(source, task, rows.schema[name]) for name in task.schema.names))


def _read_in_task(
    task: FileTask, counts: "Accumulator[Any] | None", batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    with send_errors():
        for batch in batches:
            for row in batch.to_pylist():
                yield from count_rows(partial(read_units, task), FileUnit(**row), counts)


def _column(source: FileSource, task: FileTask, field: T.StructField) -> Column:
    """Return a column of the result.

    What no schema declares stops the query only where it is used. So does a time that no answer
    can show; an event at such a time is left out when it is stored.
    """
    declared = {column.name: column.dtype for column in source.schema}
    if declared.get(field.name) == Timestamp:
        value = moment(TimeColumn(field.name, field.dataType, source, F.col(SOURCE_FILE)))
    else:
        value = F.col(spark_name(field.name))
    roles = (source.timestamp_field, source.available_timestamp_field)
    is_time = isinstance(field.dataType, _TIMES) or declared.get(field.name) == Timestamp
    if is_time and field.name not in roles:
        text = F.lit(f"column {field.name!r} has a time outside of the years 1 to 9999")
        outside = is_outside(value.cast("timestamp"))
        value = F.when(outside, _refused(task, text, _OUTSIDE)).otherwise(value)
    if field.name in task.lazy:
        reason = F.col(UNREADABLE).getItem(field.name)
        value = F.when(reason.isNotNull(), _refused(task, reason, _LACKING)).otherwise(value)
    return value.alias(field.name)


def _refused(task: FileTask, reason: Column, fix: str) -> Column:
    found = F.concat(F.lit("file "), F.col(SOURCE_FILE), F.lit(": "), reason)
    return refusal(task.call, found, fix)
