"""The rows of a source's files as a Spark DataFrame: Arrow reads the files in Spark's tasks.

Spark itself opens none of them: it would leave out files whose names it cannot read, round values,
and fill columns that a file lacks with nulls.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import partial

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql.pandas.types import from_arrow_schema

from featurestore.definitions.model.source import FileSource
from featurestore.definitions.model.types import Timestamp
from featurestore.engines.files.plan import plan_files, units
from featurestore.engines.files.read import read_units, result_schema
from featurestore.engines.files.task import SOURCE_FILE, UNREADABLE, FileTask, FileUnit
from featurestore.engines.spark.errors.transport import refusal, send_errors
from featurestore.engines.spark.source.timestamps import TimeColumn, moment, quoted
from featurestore.store.source_files import SourceFile

_UNIT = "address string, name string, part int, parts int"
_LACKING = (
    "Correct the file, declare schema= on the source with the column, or leave the column out of "
    "the transform."
)


def read_files(
    source: FileSource,
    spark: SparkSession,
    files: Sequence[SourceFile],
    columns: Collection[str] | None = None,
) -> DataFrame:
    """Return the rows of files, with the source's declared columns.

    Args:
        source: The source.
        spark: A session of ours.
        files: The files.
        columns: The columns that the view uses; None if its transform may use any.

    Raises:
        SourceError: A file has not the declared columns; a file's values are checked when the
            rows are used.
    """
    task = plan_files(source, files, columns)
    pieces = [(unit.address, unit.name, unit.part, unit.parts) for unit in units(files, task)]
    rows = spark.createDataFrame(pieces, _UNIT).mapInArrow(
        partial(_read_in_task, task),
        from_arrow_schema(result_schema(task), prefer_timestamp_ntz=True),
    )
    declared = {field.name: field.dtype for field in source.schema}
    return rows.select(
        *(
            _time(source, rows, name) if declared.get(name) == Timestamp else _value(task, name)
            for name in task.schema.names
        )
    )


def _read_in_task(task: FileTask, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    with send_errors():
        for batch in batches:
            yield from read_units(task, (FileUnit(**row) for row in batch.to_pylist()))


def _time(source: FileSource, rows: DataFrame, name: str) -> Column:
    dtype = rows.schema[name].dataType
    return moment(TimeColumn(name, dtype, source, F.col(SOURCE_FILE))).alias(name)


def _value(task: FileTask, name: str) -> Column:
    """Return a column; one that nothing declares stops the query only where it is used."""
    value = F.col(quoted(name))
    if name not in task.lazy:
        return value
    reason = F.col(UNREADABLE).getItem(name)
    found = F.concat(F.lit("file "), F.col(SOURCE_FILE), F.lit(": "), reason)
    refused = refusal(task.call, found, _LACKING)
    return F.when(reason.isNotNull(), refused).otherwise(value).alias(name)
