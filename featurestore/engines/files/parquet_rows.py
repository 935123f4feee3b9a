"""The rows of a Parquet file: its columns, converted exactly to the types to read."""

from collections.abc import Iterator
from functools import lru_cache

import pyarrow as pa
import pyarrow.parquet as pq

from featurestore.engines.files.exact_arrow import exact
from featurestore.engines.files.exact_text import UnfitValueError
from featurestore.engines.files.problem import FileProblemError, wrong_value
from featurestore.engines.files.task import FileRows, FileTask, FileUnit, lacks_column
from featurestore.store.source_files import SourceFile, open_file

_ROWS = 65_536
_NANOSECONDS = (
    "Nothing finer than a microsecond is stored: floor the times where the file is made, e.g. "
    "pandas' .dt.floor('us')."
)
_HOW = "Parquet values are converted only where they stay the same."


@lru_cache(maxsize=100_000)
def parquet_schema(file: SourceFile) -> pa.Schema:
    """Return the columns of a Parquet file, from its footer; the columns of an INT96 are in UTC.

    Raises:
        FileProblemError: The file is no Parquet file, or has two columns of one name.
    """
    with _opened(file.address) as parquet:
        return _schema(parquet)


def parquet_rows(unit: FileUnit, task: FileTask) -> Iterator[FileRows]:
    """Yield the columns of a Parquet file that the task reads, in blocks of rows.

    Raises:
        FileProblemError: The file cannot be read, or a declared type does not hold a value.
    """
    with _opened(unit.address) as parquet:
        schema = _schema(parquet)
        unreadable = dict(task.unreadable)
        names = [
            name for name in task.schema.names if name in schema.names and name not in unreadable
        ]
        groups = list(range(unit.part, parquet.num_row_groups, unit.parts))
        positions = [schema.get_field_index(name) for name in names]
        for batch in parquet.iter_batches(_ROWS, groups, columns=names):
            columns = [
                batch.column(batch.schema.get_field_index(name)).cast(schema.field(at).type)
                for name, at in zip(names, positions, strict=True)
            ]
            yield _converted(dict(zip(names, columns, strict=True)), batch.num_rows, task)


def _converted(columns: dict[str, pa.Array], count: int, task: FileTask) -> FileRows:
    reasons = {
        name: lacks_column(name, columns)
        for name in task.lazy
        if name not in columns and name not in task.optional
    }
    read: dict[str, pa.Array] = {}
    for name, values in columns.items():
        try:
            read[name] = exact(values, task.schema.field(name).type)
        except UnfitValueError as error:
            problem = _unfit(name, error, values.type, task)
            if name not in task.lazy:
                raise problem from None
            reasons[name] = problem
            read[name] = pa.nulls(count, task.schema.field(name).type)
    return FileRows(count, read, reasons)


def _unfit(
    name: str, error: UnfitValueError, actual: pa.DataType, task: FileTask
) -> FileProblemError:
    declared = {field.name: field.dtype for field in task.fields}
    dtype = declared.get(name, task.schema.field(name).type)
    return wrong_value(name, error.value, dtype, _NANOSECONDS if _is_time(actual) else _HOW)


def _is_time(actual: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(actual))


class _opened:  # noqa: N801  # a context manager that is used like a function
    """A Parquet file whose errors are `FileProblemError`s."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __enter__(self) -> pq.ParquetFile:
        try:
            # Spark writes INT96 of microseconds; as nanoseconds they would end in year 2262.
            self._file = pq.ParquetFile(
                open_file(self._address),
                coerce_int96_timestamp_unit="us",
                page_checksum_verification=True,
            )
        except pa.ArrowException as error:
            raise _no_parquet(error) from None
        return self._file

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._file.close(force=True)
        if isinstance(error, pa.ArrowException):
            raise _no_parquet(error) from None


def _no_parquet(error: Exception) -> FileProblemError:
    return FileProblemError(
        f"it cannot be read as Parquet: {' '.join(str(error).split())[:300]}",
        "Restore the file, or move it out of the source's folder, and run the command again.",
    )


def _schema(parquet: pq.ParquetFile) -> pa.Schema:
    schema = parquet.schema_arrow
    double = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if double:
        raise FileProblemError(f"it has the column {double[0]!r} twice")
    for column in range(len(parquet.schema)):
        leaf = parquet.schema.column(column)
        if leaf.physical_type == "INT96":
            schema = _with_moments(schema, leaf.path)
    return schema


def _with_moments(schema: pa.Schema, path: str) -> pa.Schema:
    """Return the columns with the zone UTC for an INT96: a column, or the items of its lists."""
    moment = pa.timestamp("us", "UTC")
    for at, field in enumerate(schema):
        if path == field.name:
            return schema.set(at, field.with_type(moment))
        is_times = pa.types.is_list(field.type) and pa.types.is_timestamp(field.type.value_type)
        if is_times and path.startswith(f"{field.name}."):
            items = field.type.value_field.with_type(moment)
            return schema.set(at, field.with_type(pa.list_(items)))
    return schema
