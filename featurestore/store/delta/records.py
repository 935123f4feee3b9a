"""Rows of small Delta tables as dicts, read without importing pandas."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from featurestore.errors import TableError
from featurestore.store.delta.snapshot import check_readable, damage_fix, require_newest_commit
from featurestore.store.failures import failure_text, object_store_error
from featurestore.store.paths import is_local, local_path
from featurestore.times import from_micros


def read_records(
    table: DeltaTable, columns: Sequence[str] | None = None, predicate: str | None = None
) -> list[dict[str, Any]]:
    """Return a table's rows as dicts, with timestamps as aware datetimes in UTC.

    ``pa.table()`` of a stream and ``to_pylist()`` of timestamps import pandas if it is installed,
    which takes 0.45 s; ``cast`` imports Arrow's compute functions, which takes 0.1 s. Both take
    longer than the rest of `featurestore status`, so this function uses neither.

    Args:
        table: The table.
        columns: The columns to read; all by default.
        predicate: A SQL condition on the rows.

    Raises:
        TableError: The table needs a newer Delta reader, or its log names a file outside of it, or
            a file cannot be read.
        StorageError: The object store refuses it, or does not answer.
    """
    rows = read_table(table, columns, predicate)
    uri = _address(table)
    try:
        values = {field.name: _plain(rows[field.name]) for field in rows.schema}
    except OverflowError as error:
        raise _damaged(uri, "it has a time outside of the years 1 to 9999") from error
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def read_table(
    table: DeltaTable, columns: Sequence[str] | None = None, predicate: str | None = None
) -> pa.Table:
    """Return a table's rows, without importing pandas.

    Args:
        table: The table.
        columns: The columns to read; all by default.
        predicate: A SQL condition on the rows.

    Raises:
        TableError: As for `read_records`.
    """
    uri = _address(table)
    require_newest_commit(uri, f"read table {uri}")
    check_readable(table, uri)
    try:
        stream = table.scan(
            columns=None if columns is None else list(columns), predicate=predicate
        )
        return pa.RecordBatchReader.from_stream(stream).read_all()
    except (DeltaError, pa.ArrowException, OSError, ValueError) as error:
        if (refused := object_store_error(error, f"read table {uri}", uri)) is not None:
            raise refused from error
        raise _damaged(uri, _lost_file(table) or failure_text(error)) from error


def check_record(uri: str, row: Mapping[str, Any], kinds: Mapping[str, type]) -> None:
    """Check that columns of a row have values of their types, so that none of them is null.

    Args:
        uri: The table's address, for the message.
        row: The row.
        kinds: The columns that cannot be null, with the types of their values.

    Raises:
        TableError: A value is null, or has another type.
    """
    wrong = [name for name, kind in kinds.items() if not isinstance(row.get(name), kind)]
    if wrong:
        raise _damaged(uri, f"a row has no valid {', '.join(wrong)}")


def _address(table: DeltaTable) -> str:
    return str(table.table_uri).removeprefix("file://").rstrip("/")


def _damaged(uri: str, found: str) -> TableError:
    return TableError(f"read table {uri}", found, damage_fix(uri, is_newest=False))


def _lost_file(table: DeltaTable) -> str | None:
    """Return which data file is gone, as a clause: delta-rs says so in several nested errors."""
    paths = (local_path(file) for file in table.file_uris() if is_local(file))
    gone = [path for path in paths if not Path(path).exists()]
    return f"its file {gone[0]} is gone" if gone else None


def _plain(column: pa.ChunkedArray) -> list[Any]:
    if not pa.types.is_timestamp(column.type):
        return list(column.to_pylist())
    micros = (value for chunk in column.chunks for value in _micros(chunk).to_pylist())
    return [None if value is None else from_micros(value) for value in micros]


def _micros(chunk: pa.Array) -> pa.Array:
    # Delta's timestamps are microseconds: the same bits, no conversion.
    return chunk.view(pa.int64())
