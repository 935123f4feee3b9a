"""The columns of a source's newest data, read without Spark: of a Delta table, or of one file.

This is a look before a run, which checks every file.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch
from io import TextIOWrapper
from itertools import islice

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from featurestore.definitions.model.source import (
    DeltaSource,
    FileSource,
    StoredSource,
    format_of,
)
from featurestore.engines.files.parquet_rows import parquet_schema
from featurestore.engines.files.plan import plan_files, units
from featurestore.engines.files.problem import FileProblemError
from featurestore.engines.files.read import read_units
from featurestore.errors import FeatureStoreError, SourceError
from featurestore.store.delta.process import check_process
from featurestore.store.source_files import (
    FilePath,
    SourceFile,
    folder_values,
    list_files,
    open_file,
)

_SAMPLED_ROWS = 20
_DAMAGES = (
    *(OSError, ValueError, RecursionError, csv.Error, DeltaError, pa.ArrowException),
    *(FileProblemError, SourceError),
)

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class SourceColumns:
    """The columns of a source's newest data.

    Args:
        origin: The table or the file in which they were found.
        types: The type of each column; None in text formats, which have no types.
        values: The first values of each column of a text format, as texts, with their rows'
            numbers from 1.
    """

    origin: str
    types: Mapping[str, pa.DataType | None]
    values: Mapping[str, tuple[tuple[int, str], ...]]


def has_data(source: StoredSource, uri: str) -> bool:
    """Return whether there is a table or a file at a source's local address.

    Example:
        >>> source = DeltaSource("paid", path="no/such/table", timestamp_field="at")
        >>> has_data(source, "no/such/table")
        False
    """
    try:
        if isinstance(source, DeltaSource):
            check_process()
            return bool(DeltaTable.is_deltatable(uri))
        return bool(list_files(uri))
    except (OSError, ValueError, SourceError):
        return True  # something is there that cannot be read


def newest_columns(source: StoredSource, uri: str) -> SourceColumns | None:
    """Return the columns of a source's newest data; None if it has none, or cannot be read here.

    Args:
        source: The source.
        uri: Its local address.
    """
    try:
        return _columns(source, uri)
    except _DAMAGES:  # `first_rows_problem` says what is wrong
        return None


def first_rows_problem(source: StoredSource, uri: str) -> FeatureStoreError | None:
    """Return why a run could not read a source: its table, its format, or its first rows.

    Args:
        source: The source. Of a Delta table only the log is read, of files the newest one.
        uri: Its local address.
    """
    call = f"read source {source.name!r}"
    try:
        if isinstance(source, DeltaSource):
            _opened(uri)
        else:
            _read_first_rows(source, uri)
    except SourceError as error:
        return error
    except (OSError, ValueError, DeltaError, pa.ArrowException) as error:
        found = f"{uri} cannot be read: {str(error).splitlines()[0]}"
        return SourceError(call, found, "Correct path=, or the data there.")
    return None


def _read_first_rows(source: FileSource, uri: str) -> None:
    files = list_files(uri)
    if table := FilePath(uri).table_format:
        raise SourceError(
            f"read source {source.name!r}",
            f"{uri} is a {table} table, whose files hold rows that were replaced",
            "Declare a DeltaSource for a Delta table, or export the rows of another table.",
        )
    newest = _newest(uri)
    # The footers of all Parquet files would take long; the names of text files do not.
    is_text = source.file_format in ("csv", "json") or (
        source.file_format is None and {format_of(file.name) for file in files} != {"parquet"}
    )
    task = plan_files(source, files if is_text else newest)
    next(read_units(task, units(newest, task)[:1]), None)


def _newest(uri: str) -> list[SourceFile]:
    files = list_files(uri)
    return [max(files, key=lambda file: (file.modified_at, file.path))] if files else []


def _opened(uri: str) -> DeltaTable:
    check_process()
    return DeltaTable(uri)


@singledispatch
def _columns(source: StoredSource, uri: str) -> SourceColumns | None:
    raise TypeError(source)


@_columns.register
def _(source: DeltaSource, uri: str) -> SourceColumns | None:
    schema = pa.schema(_opened(uri).schema().to_arrow())
    return SourceColumns(source.path, {each.name: each.type for each in schema}, {})


@_columns.register
def _(source: FileSource, uri: str) -> SourceColumns | None:
    newest = _newest(uri)
    if not newest:
        return None
    [file] = newest
    folders: dict[str, pa.DataType | None] = dict.fromkeys(folder_values(file.name))
    kind = source.file_format or format_of(file.name)
    if kind == "parquet":
        schema = parquet_schema(file)  # as a run reads it: times of INT96 are in UTC
        return SourceColumns(file.name, folders | {each.name: each.type for each in schema}, {})
    with open_file(file.address, decompress=True) as stream:
        text = TextIOWrapper(stream, source.encoding, newline="")
        rows = _csv_rows(source, file, text) if kind == "csv" else _json_rows(text)
        return _of_texts(file.name, list(islice(rows, _SAMPLED_ROWS + 1)), folders)


def _of_texts(
    name: str, rows: list[Row], folders: Mapping[str, pa.DataType | None]
) -> SourceColumns | None:
    if not any(rows):
        return None
    names = dict.fromkeys(each for row in rows for each in row)
    values = {
        each: tuple((n, text) for n, row in enumerate(rows) if (text := row.get(each)))
        for each in names
    }
    return SourceColumns(name, {**folders, **dict.fromkeys(names)}, values)


def _csv_rows(source: FileSource, file: SourceFile, text: TextIOWrapper) -> Iterator[Row]:
    tabs = source.format is None and ".tsv" in file.name.lower()
    reader = csv.DictReader(text, delimiter=source.delimiter or ("\t" if tabs else ","))
    if reader.fieldnames is None:
        return
    names = [name.removeprefix("\ufeff") for name in reader.fieldnames]
    reader.fieldnames = names
    yield dict.fromkeys(names)  # a file may have a header only
    for row in reader:
        yield {name: None if row[name] in source.null_values else row[name] for name in names}


def _json_rows(text: TextIOWrapper) -> Iterator[Row]:
    yield {}  # in place of a header
    for line in text:
        if line.strip():
            row = json.loads(line)
            if not isinstance(row, dict):  # such as a file that is one array
                raise ValueError("the line is no object")
            yield {name: value if isinstance(value, str) else None for name, value in row.items()}
