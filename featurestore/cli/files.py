"""Rows as files and as lines: CSV, JSON lines and Parquet. Each value is exact, or refused."""

from collections.abc import Callable, Iterator
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from featurestore.client.display.json_text import duration_text, json_text
from featurestore.client.plain_types import converted, plain_column
from featurestore.credentials import without_credentials
from featurestore.engines.arrays import is_text
from featurestore.errors import RequestError
from featurestore.store.paths import is_local, local_path

_Writer = Callable[[pa.Table, BinaryIO], None]
_BATCH = 10_000
_BINARY = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def require_file(path: str | Path) -> None:
    """Check that `write_file` can write a file with this name, before its rows are computed.

    Args:
        path: The file.

    Raises:
        RequestError: It is a URL, or the file's suffix is none of `write_file`.

    Example:
        >>> require_file("rows.csv")
    """
    _writer_of(str(path))


def write_file(table: pa.Table, path: str | Path) -> None:
    """Write rows to a file, which is replaced as a whole.

    Args:
        table: The rows.
        path: A .parquet, .csv, .json or .jsonl file.

    Raises:
        RequestError: It is a URL, the file's suffix is none of these, or the format cannot hold a
            column.
    """
    write, out = _writer_of(str(path)), Path(local_path(str(path)))
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(out.name + ".partial")
    try:
        # Arrow itself opens no file whose name has bytes that are no UTF-8.
        with unfinished.open("wb") as file:
            write(table, file)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)


def write_csv(table: pa.Table, to: BinaryIO) -> None:
    """Write rows as CSV, with a header. A null is empty, an empty text is ``""``.

    Args:
        table: The rows.
        to: The file.

    Raises:
        RequestError: CSV cannot hold a column, such as a list.
    """
    texts = {name: _csv_column(name, column) for name, column in _columns(table)}
    pacsv.write_csv(pa.table(texts), to)


def write_lines(table: pa.Table, file: TextIO) -> None:
    """Write rows as JSON objects, one a line.

    Args:
        table: The rows.
        file: The text file.

    Raises:
        RequestError: JSON cannot hold a column, such as a time of the year 300000.
    """
    for start in range(0, table.num_rows, _BATCH):
        for row in python_rows(table.slice(start, _BATCH)):
            file.write(json_text(dict(zip(table.column_names, row, strict=True))) + "\n")


def python_rows(table: pa.Table, form: str = "JSON") -> list[tuple[Any, ...]]:
    """Return rows as Python's values. Durations and times with nanoseconds are texts.

    Args:
        table: The rows.
        form: What is written, for the error.

    Raises:
        RequestError: Python cannot hold a value, such as a time of the year 300000.

    Example:
        >>> python_rows(pa.table({"n": [1], "took": pa.array([1500], pa.duration("ms"))}))
        [(1, 'PT1.5S')]
    """
    values = (_values(name, column, form) for name, column in _columns(table))
    return list(zip(*values, strict=True))


def _columns(table: pa.Table) -> Iterator[tuple[str, pa.ChunkedArray]]:
    return zip(table.column_names, table.columns, strict=True)


def _values(name: str, column: pa.ChunkedArray, form: str) -> list[Any]:
    try:
        values: list[Any] = _text_column(column).to_pylist()
    except (ValueError, OverflowError) as error:
        raise _refusal(form, name, column.type, str(error)) from None
    return values


def _write_json(table: pa.Table, file: BinaryIO) -> None:
    with TextIOWrapper(file, encoding="utf-8", newline="\n") as lines:
        write_lines(table, lines)


def _write_parquet(table: pa.Table, file: BinaryIO) -> None:
    for index, (name, column) in enumerate(_columns(table)):
        if _is_unknown_to_parquet(column):
            table = table.set_column(index, name, plain_column(column))
    for field in table.schema:
        _require_parquet(field)
    pq.write_table(table, file)


def _require_parquet(field: pa.Field) -> None:
    try:
        pq.write_table(pa.schema([field]).empty_table(), pa.BufferOutputStream())
    except pa.ArrowException as error:
        raise _refusal("Parquet", field.name, field.type, str(error)) from None


def _is_unknown_to_parquet(column: pa.ChunkedArray) -> bool:
    if not pa.types.is_dictionary(column.type):
        return _has_unknown_encoding(column.type)
    has_null = any(chunk.dictionary.null_count for chunk in column.chunks)
    return has_null or _has_unknown_encoding(column.type)


def _has_unknown_encoding(dtype: pa.DataType) -> bool:
    """Return whether Parquet cannot hold an encoding of a type, or of a type in it."""
    if pa.types.is_dictionary(dtype):
        # pyarrow reads a dictionary of durations as integers, and writes none of string views.
        return dtype.value_type not in (pa.string(), pa.large_string())
    inner = (dtype.field(index).type for index in range(dtype.num_fields))
    return pa.types.is_run_end_encoded(dtype) or any(map(_has_unknown_encoding, inner))


def _csv_column(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    plain = plain_column(column)
    kind = plain.type
    if pa.types.is_nested(kind) or pa.types.is_interval(kind):
        raise RequestError(
            "write CSV",
            f"column {name!r} holds {column.type}",
            "CSV holds no lists, maps and intervals. Use a .parquet or .jsonl file.",
        )
    if is_text(kind):
        return _valid_texts(name, plain)
    if pa.types.is_null(kind):
        return converted(plain, pa.string())
    if pa.types.is_temporal(kind):
        _require_year(name, plain)
    if any(holds(kind) for holds in _BINARY):
        return _texts(plain, bytes.hex)
    return _text_column(plain) if pa.types.is_duration(kind) else plain


def _require_year(name: str, column: pa.ChunkedArray) -> None:
    """Check that days and times are of the years 1 to 9999. Arrow writes others as other years."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp(kind.unit))
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.unit != "ns"):
        try:
            pc.min_max(column).as_py()
        except (ValueError, OverflowError) as error:
            raise _refusal("CSV", name, kind, str(error)) from None


def _valid_texts(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts, after a check that their bytes are UTF-8."""
    try:
        column.cast(pa.large_binary()).cast(pa.large_string())
    except pa.ArrowInvalid as error:
        raise _refusal("CSV", name, column.type, str(error)) from None
    return column


def _text_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts for times that Python's own types cannot hold, else the plain values."""
    plain = plain_column(column)
    kind = plain.type
    if pa.types.is_duration(kind):
        return _texts(plain.cast(pa.int64()), partial(duration_text, digits=_DIGITS[kind.unit]))
    if kind == pa.time64("ns"):
        return plain.cast(pa.string())
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pc.replace_substring(plain.cast(pa.string()), " ", "T", max_replacements=1)
    return plain


def _texts(column: pa.ChunkedArray, text: Callable[[Any], str]) -> pa.ChunkedArray:
    values = [None if each is None else text(each) for each in column.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.large_string())])


def _refusal(form: str, name: str, dtype: pa.DataType, problem: str) -> RequestError:
    return RequestError(
        f"write {form}",
        f"{form} cannot hold column {name!r} of type {dtype}: {problem}",
        "Convert the column before it becomes part of the spine, or leave it out.",
    )


def _writer_of(address: str) -> _Writer:
    if not is_local(address):
        found = "a file is written to a folder of this machine only"
        fix = "Use a local path; or --engine spark and a URL without a suffix, for a Delta table."
        raise RequestError(f"--out {without_credentials(address)}", found, fix)
    writers: dict[str, _Writer] = {
        ".parquet": _write_parquet,
        ".csv": write_csv,
        ".json": _write_json,
        ".jsonl": _write_json,
    }
    suffix = Path(local_path(address)).suffix
    if suffix.lower() in writers:
        return writers[suffix.lower()]
    kind = f"files that end in {suffix!r}" if suffix else "files without a suffix"
    fix = f"Use {', '.join(writers)}."
    if not suffix:
        fix += " With --engine spark, a name without a suffix is the folder of a Delta table."
    raise RequestError(f"--out {address}", f"{kind} cannot be written", fix)
