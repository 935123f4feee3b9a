"""Rows on the command line: printed, or written to a file."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TextIO

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from featurestore.cli.output import SHOWN_ROWS, print_table, print_upright, say, to_json
from featurestore.client.arrow_rows import plain
from featurestore.client.frame.frame import FeatureFrame, with_count
from featurestore.errors import RequestError


def emit(frame: FeatureFrame, out: Path | None, form: str) -> None:
    """Write the rows to a file, or print them to stdout.

    Args:
        frame: The rows.
        out: A .parquet, .csv or .jsonl file, replaced as a whole; None to print.
        form: ``"table"`` (the first rows), ``"csv"`` or ``"json"`` (all rows, one a line).

    Raises:
        RequestError: The file's suffix is none of these, or the format cannot hold a column.
    """
    for view, count in frame.null_key_rows.items():
        if count:
            say("{} of {} rows have a null key of view {}", count, len(frame), view)
    table = frame.to_arrow()
    if out is not None:
        _write(table, out)
        rows, features = with_count(len(frame), "row"), with_count(len(frame.features), "feature")
        say("wrote {} with {} to {}", rows, features, out)
        return
    printers: dict[str, Callable[[pa.Table], None]] = {
        "csv": lambda rows: _write_csv(rows, sys.stdout.buffer),
        "json": lambda rows: _write_lines(rows, sys.stdout),
        "table": _print_head,
    }
    printers[form](table)


def _print_head(table: pa.Table) -> None:
    if table.num_rows == 1:
        print_upright(table.column_names, [column[0].as_py() for column in table.columns])
        return
    head = table.slice(0, SHOWN_ROWS)
    columns = [column.to_pylist() for column in head.columns]
    print_table(table.column_names, zip(*columns, strict=True))
    if table.num_rows > SHOWN_ROWS:
        say("first {} of {} rows; --out FILE writes all rows", SHOWN_ROWS, table.num_rows)


def _write(table: pa.Table, out: Path) -> None:
    writers: dict[str, Callable[[pa.Table, Path], None]] = {
        ".parquet": pq.write_table,
        ".csv": _write_csv,
        ".json": _write_json,
        ".jsonl": _write_json,
    }
    if out.suffix not in writers:
        suffixes = ", ".join(writers)
        kind = f"files that end in {out.suffix!r}" if out.suffix else "files without a suffix"
        raise RequestError(f"--out {out}", f"{kind} cannot be written", f"Use {suffixes}.")
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
            "CSV holds no lists and maps. Use a .parquet or .jsonl file.",
        )
    pacsv.write_csv(plain(table), to)


def _write_json(table: pa.Table, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        _write_lines(table, file)


def _write_lines(table: pa.Table, file: TextIO) -> None:
    for row in table.to_pylist():
        file.write(json.dumps(row, default=to_json) + "\n")
