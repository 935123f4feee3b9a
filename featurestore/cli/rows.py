"""Rows on the command line: typed on the shell, printed, or written to a file."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TextIO

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from featurestore.cli.output import SHOWN_ROWS, print_table, say, to_json
from featurestore.client.frame import FeatureFrame
from featurestore.client.selection import plain
from featurestore.definitions.manifest import Manifest
from featurestore.errors import RequestError, nearest
from featurestore.query.compile import compile_query
from featurestore.query.nodes import Query
from featurestore.store.columns import UTC_MICROS, arrow_type
from featurestore.times import parse_moment


def typed_rows(manifest: Manifest, features: str | list[str], texts: list[str]) -> pa.Table:
    """Return rows typed on the shell as a table with the types of join keys and request values.

    Args:
        manifest: What is applied.
        features: A service's name, or references.
        texts: Rows as ``key=value`` or ``key=value,key=value``.

    Raises:
        RequestError: A text has no ``=``, or a value is none of its column's type.
    """
    types = _types(compile_query(manifest, features, asked="latest"))
    rows = [dict(_pair(pair) for pair in text.split(",")) for text in texts]
    columns = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        column = pa.array([row.get(name) for row in rows], pa.string())
        try:
            columns[name] = column.cast(types.get(name, pa.string()))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise RequestError(
                f"latest {name}=...", str(error), f"Give a {types[name]}."
            ) from None
    return pa.table(columns)


def asked_row(
    manifest: Manifest, features: str | list[str], text: str, at: str | None
) -> pa.Table:
    """Return one row typed on the shell; keys and request values that it leaves out are null.

    Args:
        manifest: What is applied.
        features: A service's name, or references.
        text: The row, as ``key=value,key=value``.
        at: The moment that all its time columns hold; None leaves them out.

    Raises:
        RequestError: The text names another column, or the moment is no ISO 8601 time.
    """
    query = compile_query(manifest, features, asked="explain")
    row, types = typed_rows(manifest, features, [text]), _types(query)
    times = dict.fromkeys([query.timestamp_field, *(v.timestamp_field for v in query.views)])
    for name in row.column_names:
        if name not in types:
            raise RequestError(f"explain {text}", f"no key {name!r}", nearest(name, types))
    for name in types:
        if name not in row.column_names and name not in times:
            say("{} is not given, and so null", name)
            row = row.append_column(name, pa.nulls(1, types[name]))
    if at is not None:
        moment = pa.array([parse_moment(at)], UTC_MICROS)
        for name in times:
            row = row.append_column(name, moment)
    return row


def emit(frame: FeatureFrame, out: Path | None, form: str) -> None:
    """Write the rows to a file, or print them to stdout.

    Args:
        frame: The rows.
        out: A .parquet, .csv or .jsonl file, replaced as a whole; None to print.
        form: ``"table"`` (the first rows), ``"csv"`` or ``"json"`` (all rows, one a line).

    Raises:
        RequestError: The file is of no known kind.
    """
    for view, count in frame.null_key_rows.items():
        if count:
            say("{} of {} rows have a null key for view {}: no features", count, len(frame), view)
    table = frame.to_arrow()
    if out is not None:
        _write(table, out)
        say("{} rows, {} features -> {}", len(frame), len(frame.features), out)
        return
    printers: dict[str, Callable[[pa.Table], None]] = {
        "csv": lambda rows: _write_csv(rows, sys.stdout.buffer),
        "json": lambda rows: _write_lines(rows, sys.stdout),
        "table": _print_head,
    }
    printers[form](table)


def _types(query: Query) -> dict[str, pa.DataType]:
    """Return the types of the columns that a row needs besides its times."""
    given = {each.column: each.dtype for node in query.on_demand for each in node.given}
    keys = {key.spine_column: key.dtype for view in query.views for key in view.keys}
    return {name: arrow_type(dtype) for name, dtype in {**given, **keys}.items()}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise RequestError(f"latest {text!r}", "no '=' in it", "Write key=value, e.g. card_id=c1.")
    return name, value


def _print_head(table: pa.Table) -> None:
    head = table.slice(0, SHOWN_ROWS)
    columns = [column.to_pylist() for column in head.columns]
    print_table(table.column_names, zip(*columns, strict=True))
    if table.num_rows > SHOWN_ROWS:
        say("first {} of {} rows; --out FILE writes all", SHOWN_ROWS, table.num_rows)


def _write(table: pa.Table, out: Path) -> None:
    writers: dict[str, Callable[[pa.Table, Path], None]] = {
        ".parquet": pq.write_table,
        ".csv": _write_csv,
        ".json": _write_json,
        ".jsonl": _write_json,
    }
    if out.suffix not in writers:
        known = ", ".join(writers)
        raise RequestError(f"--out {out}", "its kind of file is not known", f"Use one of {known}.")
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    writers[out.suffix](table, partial)
    partial.replace(out)


def _write_csv(table: pa.Table, to: Path | BinaryIO) -> None:
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if nested:
        raise RequestError(
            "write CSV",
            f"column {nested[0]!r} holds {table.schema.field(nested[0]).type}",
            "CSV has no lists and maps: write .parquet or .jsonl.",
        )
    pacsv.write_csv(plain(table), to)


def _write_json(table: pa.Table, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        _write_lines(table, file)


def _write_lines(table: pa.Table, file: TextIO) -> None:
    for row in table.to_pylist():
        file.write(json.dumps(row, default=to_json) + "\n")
