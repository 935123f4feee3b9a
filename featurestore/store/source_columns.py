"""The columns of a source's newest data, read without Spark: of a Delta table, or of one file.

This is a look before a run, which checks every file. What cannot be read here is left to the run.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from featurestore.definitions.model.source import (
    DeltaSource,
    FileSource,
    StoredSource,
    format_of,
)
from featurestore.store.delta.log import is_table
from featurestore.store.paths import is_local, local_path
from featurestore.store.source_files import COMPRESSED, list_files

_SAMPLED_ROWS = 20


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
    if isinstance(source, DeltaSource):
        return is_table(uri)
    return bool(list_files(uri))


def newest_columns(source: StoredSource, uri: str) -> SourceColumns | None:
    """Return the columns of a source's newest data; None if it cannot be read here.

    Args:
        source: The source.
        uri: Its address. Only local ones are read: a store of objects may not answer for minutes.
    """
    if not is_local(uri):
        return None
    try:
        return _columns(source, uri)
    # A damaged file or another encoding is the run's to report, with all that it knows.
    except (OSError, ValueError, DeltaError, pa.ArrowException, csv.Error):
        return None


@singledispatch
def _columns(source: StoredSource, uri: str) -> SourceColumns | None:
    raise TypeError(source)


@_columns.register
def _(source: DeltaSource, uri: str) -> SourceColumns | None:
    schema = pa.schema(DeltaTable(uri).schema().to_arrow())
    return SourceColumns(source.path, {each.name: each.type for each in schema}, {})


@_columns.register
def _(source: FileSource, uri: str) -> SourceColumns | None:
    files = list_files(uri)
    if not files:
        return None
    newest = max(files, key=lambda file: (file.modified_at, file.path)).path
    name = str(Path(source.path) / Path(newest).name)
    folders = _folder_columns(newest)
    kind = source.file_format or format_of(newest)
    if kind is None or newest.endswith(COMPRESSED):
        return None
    if kind == "parquet":
        schema = pq.read_schema(newest)
        return SourceColumns(name, folders | {each.name: each.type for each in schema}, {})
    rows = _csv_rows(source, newest) if kind == "csv" else _json_rows(source, newest)
    return _of_texts(name, list(islice(rows, _SAMPLED_ROWS)), folders)


def _folder_columns(path: str) -> dict[str, pa.DataType | None]:
    """Return the columns that folders such as ``day=2026-01-31`` add to their files' rows."""
    return {part.partition("=")[0]: None for part in Path(path).parts[:-1] if "=" in part}


def _of_texts(
    name: str, rows: list[Mapping[str, str | None]], folders: Mapping[str, pa.DataType | None]
) -> SourceColumns | None:
    if not rows:
        return None
    names = dict.fromkeys(each for row in rows for each in row)
    values = {
        each: tuple((n, text) for n, row in enumerate(rows, 1) if (text := row.get(each)))
        for each in names
    }
    return SourceColumns(name, {**folders, **dict.fromkeys(names)}, values)


def _csv_rows(source: FileSource, path: str) -> Iterator[Mapping[str, str | None]]:
    delimiter = source.delimiter or ("\t" if path.endswith(".tsv") else ",")
    with Path(local_path(path)).open(newline="", encoding=_encoding(source)) as file:
        reader = csv.DictReader(file, delimiter=delimiter, restkey="")
        nulls = set(source.null_values)
        rows: Iterator[Mapping[str, str | None]] = iter(reader)
        if reader.fieldnames is None:
            return
        empty = True
        for row in rows:
            empty = False
            yield {name: None if row[name] in nulls else row[name] for name in reader.fieldnames}
        if empty:
            yield dict.fromkeys(reader.fieldnames)


def _encoding(source: FileSource) -> str:
    # With "utf-8-sig" a byte order mark is no part of the first name.
    return "utf-8-sig" if source.encoding == "utf-8" else source.encoding


def _json_rows(source: FileSource, path: str) -> Iterator[Mapping[str, str | None]]:
    with Path(local_path(path)).open(encoding=_encoding(source)) as file:
        for line in file:
            if line.strip():
                row = json.loads(line)
                yield {
                    name: None if value is None else value if isinstance(value, str) else ""
                    for name, value in row.items()
                }
