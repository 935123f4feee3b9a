"""The rows of files, as record batches of one schema; runs inside Spark tasks."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from featurestore.definitions.model.types import DataType, String
from featurestore.engines.files.csv_rows import csv_rows
from featurestore.engines.files.exact_text import UnfitValueError, from_text
from featurestore.engines.files.json_rows import json_rows
from featurestore.engines.files.parquet_rows import parquet_rows
from featurestore.engines.files.problem import FileProblemError, source_error, wrong_value
from featurestore.engines.files.task import SOURCE_FILE, UNREADABLE, FileRows, FileTask, FileUnit
from featurestore.store.source_files import folder_values, open_file

_REASONS = pa.map_(pa.string(), pa.string())
# Spark's own batches have as many rows; larger ones take its memory at once.
_ROWS = 10_000


def result_schema(task: FileTask) -> pa.Schema:
    """Return the schema of the batches: the columns, the file, and the reasons of lazy columns."""
    schema = task.schema.append(pa.field(SOURCE_FILE, pa.string()))
    return schema.append(pa.field(UNREADABLE, _REASONS)) if task.lazy else schema


def read_units(task: FileTask, units: Iterable[FileUnit]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of files.

    Args:
        task: How to read them.
        units: The files, or parts of them.

    Raises:
        SourceError: A file cannot be read as the source declares; the message names it.
    """
    for unit in units:
        try:
            for rows in rows_of_file(task, unit):
                if rows.count:
                    yield from _complete(task, unit, rows).to_batches(_ROWS)
        except FileProblemError as problem:
            raise source_error(problem, task.call, unit.address) from None
        except OSError as error:
            raise source_error(opening_problem(error), task.call, unit.address) from None


def rows_of_file(task: FileTask, unit: FileUnit) -> Iterator[FileRows]:
    """Yield the rows of a file, in the columns that it has.

    Raises:
        FileProblemError: The file cannot be read as the source declares.
        OSError: The file cannot be opened.
    """
    if task.format == "parquet":
        yield from parquet_rows(unit, task)
        return
    read = csv_rows if task.format == "csv" else json_rows
    with open_file(unit.address, decompress=True) as stream:
        yield from read(stream, task, folder_values(unit.name))


def _complete(task: FileTask, unit: FileUnit, rows: FileRows) -> pa.Table:
    """Return the result's columns: the file's, those of the folders' names, and nulls."""
    count, values = rows.count, folder_values(unit.name)
    reasons = {name: problem.found for name, problem in rows.reasons.items()}
    declared = {field.name: field.dtype for field in task.fields}
    columns: dict[str, pa.Array] = {}
    for field in task.schema:
        if field.name in rows.columns:
            columns[field.name] = rows.columns[field.name].cast(field.type)
        elif field.name in values:
            dtype = declared.get(field.name, String)
            columns[field.name] = pa.repeat(
                folder_column(field.name, values[field.name], dtype)[0], count
            )
            reasons.pop(field.name, None)
        else:
            columns[field.name] = pa.nulls(count, field.type)
    columns[SOURCE_FILE] = pa.repeat(pa.scalar(unit.name), count)
    if task.lazy:
        everywhere = list((reasons | dict(task.unreadable)).items())
        columns[UNREADABLE] = pa.repeat(pa.scalar(everywhere or None, _REASONS), count)
    return pa.table(columns, result_schema(task))


def folder_column(name: str, text: str | None, dtype: DataType) -> pa.Array:
    """Return the value that a folder's name gives a column, as an array of one value.

    Raises:
        FileProblemError: The declared type does not hold it.
    """
    try:
        return from_text(pa.array([text], pa.string()), dtype)
    except UnfitValueError as error:
        raise wrong_value(name, error.value, dtype, "It is in the name of a folder.") from None


def opening_problem(error: OSError) -> FileProblemError:
    """Return the problem of a file that cannot be opened."""
    return FileProblemError(f"it cannot be opened: {error.strerror or error}")
