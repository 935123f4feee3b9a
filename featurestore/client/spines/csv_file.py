"""A spine from a CSV file: every value is its text, and an empty one is null."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from featurestore.client.spines.text_file import read_text
from featurestore.engines.spine_times import RowName
from featurestore.errors import SpineError

_BLOCK = 64 * 2**20
# A text up to the first quote that opens a value and is not closed before a delimiter or line end.
# PERF: one match of two million quoted values takes 0.4 s; a match for each took 1.3 s.
_CLOSED = r'(?:[^"]++|(?:\A|(?<=[,\r\n]))"(?:[^"]++|"")*+"(?=[,\r\n]|\Z)|(?<=[^,\r\n])")*+'
_FORM = "Write RFC 4180: commas between values, and quotes around values that hold a comma."
_OTHER_DELIMITERS = (";", "\t", "|")


def read_csv(path: Path, call: str, delimiter: str = ",") -> tuple[pa.Table, RowName]:
    """Return the rows of a CSV file as texts, and a function that names the line of a row.

    Args:
        path: The file, in UTF-8, with a line of names first.
        call: The call, for errors.
        delimiter: The character between values.

    Returns:
        The rows in order. A value without quotes that is empty is null; with quotes it is the
        empty text.

    Raises:
        SpineError: The file is empty or no CSV. The error names the line.
    """
    text = read_text(path, call)
    names = _header(text, call, delimiter, path)
    data = text.lstrip("\r\n").encode()
    _require_closed_quotes(text, call, delimiter)
    try:
        table = pacsv.read_csv(
            io.BytesIO(data),
            read_options=pacsv.ReadOptions(block_size=_BLOCK, column_names=_distinct(names)),
            # In a file of one column, an empty line is a row whose value is null.
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=len(names) > 1,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(_distinct(names), pa.string()),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid as error:
        raise _ragged(text, len(names), call, delimiter, error) from None
    return table.slice(1).rename_columns(names), partial(_line_name, text, len(names), delimiter)


def _header(text: str, call: str, delimiter: str, path: Path) -> list[str]:
    names = next((record for _, record in _records(text, delimiter)), None)
    if names is None:
        raise SpineError(call, "the file is empty", "Write the columns' names in its first line.")
    for other in _OTHER_DELIMITERS:
        if len(names) == 1 and delimiter == "," and other in names[0]:
            fix = f"Pass fs.csv_spine({str(path)!r}, delimiter={other!r})."
            raise SpineError(call, f"the first line has {other!r} in place of commas", fix)
    return names


def _distinct(names: list[str]) -> list[str]:
    """Return a name of its own for each column: a file may have a name twice."""
    return [str(number) for number in range(len(names))]


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with its first line, from the line of names to one that is no CSV."""
    lines, line, started = io.StringIO(text, newline=""), 1, False
    reader = csv.reader(lines, delimiter=delimiter)
    with suppress(csv.Error):
        for record in reader:
            started = started or bool(record)
            if started:
                yield line, record
            line = reader.line_num + 1


def _require_closed_quotes(text: str, call: str, delimiter: str) -> None:
    """Check each quote that opens a value. Arrow would read on to the file's end."""
    closed = re.match(_CLOSED.replace(",", re.escape(delimiter)), text)
    end = 0 if closed is None else closed.end()
    if end < len(text):
        line = text.count("\n", 0, end) + 1
        raise SpineError(
            call,
            f"line {line:,} has a quote that is not closed before a {_named(delimiter)} or the "
            "line's end",
            "Write a quote inside of a quoted value twice.",
        )


def _named(delimiter: str) -> str:
    return "comma" if delimiter == "," else repr(delimiter)


def _ragged(
    text: str, columns: int, call: str, delimiter: str, error: pa.ArrowInvalid
) -> SpineError:
    for line, record in _records(text, delimiter):
        if record and len(record) != columns:
            return SpineError(
                call,
                f"line {line:,} has {len(record)} values, but the first line has {columns} names",
                _FORM,
            )
    return SpineError(call, f"it is no CSV: {error}", _FORM)


def _line_name(text: str, columns: int, delimiter: str, position: int) -> str:
    records = (each for each in _records(text, delimiter) if each[1] or columns == 1)
    for number, (line, _) in enumerate(records):
        if number == position + 1:
            return f"line {line:,}"
    return f"row {position:,}"
