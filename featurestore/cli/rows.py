"""Rows on the command line: printed, or written to a file."""

import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pyarrow as pa

from featurestore.cli.files import python_rows, write_csv, write_file, write_lines
from featurestore.cli.output import SHOWN_ROWS, print_table, print_upright, say
from featurestore.client.frame.frame import FeatureFrame, with_count
from featurestore.client.frame.spark_frame import SparkFrame
from featurestore.credentials import without_credentials

_TABLE = "a table on the screen"


def emit(frame: FeatureFrame | SparkFrame, out: str | Path | None, form: str) -> None:
    """Write the rows to a file, or print them to stdout.

    Args:
        frame: The rows.
        out: A .parquet, .csv or .jsonl file, replaced as a whole; None to print. For distributed
            rows also a new folder or a URL, at which the executors write a Delta table.
        form: ``"table"`` (the first rows), ``"csv"`` or ``"json"`` (all rows, one a line).

    Raises:
        RequestError: The file's suffix is none of these, or the format cannot hold a column.
    """
    if isinstance(frame, SparkFrame):
        address = None if out is None else str(out)  # a Path of a URL would lose a slash
        if address is not None and not PurePosixPath(address).suffix:
            written = with_count(frame.write(address), "row")
            say("wrote {} as a Delta table to {}", written, without_credentials(address))
            return
        frame = frame.collect()
    for view, count in frame.null_key_rows.items():
        if count:
            say("{} of {} rows have a null key of view {}", count, len(frame), view)
    for absent in frame.absent_keys.values():
        say("[yellow]{}[/]", absent)
    for early in frame.early_rows.values():
        say("[yellow]{}[/]", early)
    table = frame.to_arrow()
    if out is not None:
        write_file(table, out)
        rows, features = with_count(len(frame), "row"), with_count(len(frame.features), "feature")
        say("wrote {} with {} to {}", rows, features, out)
        return
    printers: dict[str, Callable[[pa.Table], None]] = {
        "csv": lambda rows: write_csv(rows, sys.stdout.buffer),
        "json": lambda rows: write_lines(rows, sys.stdout),
        "table": _print_head,
    }
    printers[form](table)


def _print_head(table: pa.Table) -> None:
    if table.num_rows == 1:
        print_upright(table.column_names, python_rows(table, _TABLE)[0])
        return
    print_table(table.column_names, python_rows(table.slice(0, SHOWN_ROWS), _TABLE))
    if table.num_rows > SHOWN_ROWS:
        say("first {} of {} rows; --out FILE writes all rows", SHOWN_ROWS, table.num_rows)
