"""The rows of a CSV file: declared columns by the names in its header, each value exact."""

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from io import StringIO
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv

from featurestore.definitions.model.types import Field
from featurestore.engines.files.advice import text_advice
from featurestore.engines.files.csv_blocks import text_blocks
from featurestore.engines.files.exact_text import UnfitValueError, from_text
from featurestore.engines.files.problem import FileProblemError, wrong_value
from featurestore.engines.files.task import FileRows, FileTask, converted, require_columns

_SHOWN = 300  # characters of a line in a message


def csv_rows(stream: BinaryIO, task: FileTask, others: Collection[str] = ()) -> Iterator[FileRows]:
    """Yield a CSV file's declared columns, in blocks of rows; a column that it lacks is left out.

    An unquoted text of ``null_values`` is null; in other columns than texts a quoted one, too.

    Args:
        stream: The file's bytes.
        task: The declared columns, and the options of CSV.
        others: Columns whose values are in the names of the file's folders.

    Raises:
        FileProblemError: The file is not CSV of this encoding, lacks a column, or has a value that
            its declared type does not hold exactly.
    """
    names: list[str] | None = None
    absent: dict[str, FileProblemError] = {}
    has_rows = False
    for text in text_blocks(stream, task.encoding, task.delimiter):
        block = text.lstrip("\r\n") if names is None else text
        if names is None and block:
            names, block = _header(block, task)
            absent = _require_columns(names, others, task)
        if names is not None and block.strip("\r\n"):
            yield _typed(_parsed(block, names, task), task, absent)
            has_rows = True
    if absent and not has_rows:
        yield FileRows(0, {}, absent)


def csv_header(stream: BinaryIO, encoding: str, delimiter: str) -> list[str]:
    """Return the names in a CSV file's header; none of an empty file.

    Args:
        stream: The file's bytes.
        encoding: Its encoding.
        delimiter: The character between names.

    Raises:
        FileProblemError: The file is not CSV of this encoding.
    """
    for text in text_blocks(stream, encoding, delimiter):
        if block := text.lstrip("\r\n"):
            return _first_record(block, delimiter)[0]
    return []


def _require_columns(
    names: list[str], others: Collection[str], task: FileTask
) -> dict[str, FileProblemError]:
    """Check that the header has the declared columns. One name may be all names."""
    folded = {name.strip().lower() for name in names}
    required = [each.name for each in task.fields if each.name not in (*task.optional, *others)]
    is_whole = len(names) == 1 and any(field.name not in names for field in task.fields)
    other = next((mark for mark in ",;\t|" if mark in names[0]), None) if is_whole else None
    if other is not None:
        found = f"its header is one column {names[0]!r} with delimiter={task.delimiter!r}"
        raise FileProblemError(found, f"Add delimiter={other!r} to the source.")
    if required and folded.isdisjoint(name.lower() for name in required):
        found = f"its first line has none of the declared columns: {names}"
        raise FileProblemError(found[:_SHOWN], "Write the columns' names in the first line.")
    return require_columns([*names, *others], task)


def _header(text: str, task: FileTask) -> tuple[list[str], str]:
    """Return the names in the header, and the text after it."""
    names, rest = _first_record(text, task.delimiter)
    # Columns that nothing declares may have any names, such as Excel's empty ones.
    double = [field.name for field in task.fields if names.count(field.name) > 1]
    if double:
        raise FileProblemError(f"its header has the column {double[0]!r} twice")
    return names, rest


def _first_record(text: str, delimiter: str) -> tuple[list[str], str]:
    """Return the values of the first record that has any, and the text after it."""
    # Not splitlines: it splits at characters that may be inside of a name.
    lines = StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter)
    names: list[str] = []
    try:
        while not names:
            names = next(reader, [""])
    except csv.Error as error:  # a name of more than 131,072 characters
        raise FileProblemError(f"its header is no line of names: {error}") from None
    return names, lines.read()


def _parsed(text: str, names: Sequence[str], task: FileTask) -> pa.Table:
    data = text.encode()
    wrong: list[pa_csv.InvalidRow] = []

    def refuse(row: pa_csv.InvalidRow) -> str:
        wrong.append(row)
        return "error"

    # One column is always read, for the number of rows.
    declared = [field.name for field in task.fields if field.name in names] or [names[0]]
    try:
        return pa_csv.read_csv(
            pa.BufferReader(data),
            pa_csv.ReadOptions(
                column_names=list(names), block_size=len(data) + 1, use_threads=False
            ),
            pa_csv.ParseOptions(
                delimiter=task.delimiter, newlines_in_values=True, invalid_row_handler=refuse
            ),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(declared, pa.string()),
                include_columns=declared,
                null_values=list(task.null_values),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if not wrong:
            raise FileProblemError(f"it is no CSV: {error}") from None
        row = wrong[0]
        raise FileProblemError(
            f"a record has {row.actual_columns} values, and the header {row.expected_columns}: "
            f"{row.text[:_SHOWN]!r}"
        ) from None


def _typed(rows: pa.Table, task: FileTask, absent: Mapping[str, FileProblemError]) -> FileRows:
    fields = [field for field in task.fields if field.name in rows.column_names]
    read = converted(
        fields, lambda field: _column(rows[field.name], field, task), rows.num_rows, task
    )
    return replace(read, reasons={**absent, **read.reasons})


def _column(texts: pa.ChunkedArray, field: Field, task: FileTask) -> pa.Array:
    values = pa.array(texts.combine_chunks()) if texts.num_chunks != 1 else texts.chunk(0)
    try:
        return from_text(values, field.dtype, task.null_values)
    except UnfitValueError as error:
        how = text_advice(field, error.value)
        raise wrong_value(field.name, error.value, field.dtype, how) from None
