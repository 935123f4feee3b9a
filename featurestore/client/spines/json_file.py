"""A spine from a file of JSON: one object on each line, or an array of objects."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from featurestore.client.spines.python_values import array_of
from featurestore.client.spines.rows import table_of_rows
from featurestore.client.spines.text_file import read_text
from featurestore.engines.spine_times import RowName, row_name
from featurestore.errors import SpineError

_NO_NUMBERS = {"NaN", "Infinity", "-Infinity"}


def read_json(path: Path, call: str) -> tuple[pa.Table, RowName]:
    """Return the rows of a JSON file, and a function that names the line of a row.

    Args:
        path: The file.
        call: The call, for errors.

    Raises:
        SpineError: The file is no JSON of this form. The error names the line.
    """
    text = read_text(path, call)
    if text.lstrip().startswith("["):
        rows = _loaded(text, call, 1)
        name: RowName = row_name
    else:
        # Not splitlines: it splits at characters that may be inside of a text.
        numbered = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
        rows = [_loaded(line, call, n) for n, line in numbered]
        name = _line_name([n for n, _ in numbered])
    if not rows:
        raise SpineError(call, "the file is empty", "Write one JSON object on each line.")
    for position, each in enumerate(rows):
        if not isinstance(each, dict):
            raise SpineError(
                call,
                f"{name(position)} is no JSON object but a {type(each).__name__}",
                'Write each row as an object, such as {"id": 7}.',
            )
    try:
        return _table(rows, name), name
    except SpineError as error:
        raise SpineError(call, error.found, error.fix) from None


def _table(rows: list[dict[str, Any]], name: RowName) -> pa.Table:
    maps = {}
    for column in dict.fromkeys(column for row in rows for column in row):
        array = _maps(column, [row.get(column) for row in rows], name)
        if array is not None:
            maps[column] = array
            rows = [row | {column: None} for row in rows]
    table = table_of_rows(_with_numbers(rows), name)
    for column, array in maps.items():
        table = table.set_column(table.column_names.index(column), column, array)
    return table


def _maps(column: str, values: list[Any], name: RowName) -> pa.MapArray | None:
    """Return a column of maps, which ``--out`` writes as lists of pairs; None for other values.

    A list of Arrow has values of one kind. So only pairs such as ``["Oslo", 1]`` are of maps.
    """
    lists = [value for value in values if isinstance(value, list)]
    pairs = [pair for each in lists for pair in each]
    if len(lists) + values.count(None) < len(values) or not all(map(_is_entry, pairs)):
        return None
    if not pairs or len(kinds := {_kind(key) for key, _ in pairs}) > 1:
        return None
    items = _with_numbers([{"": item} for _, item in pairs])
    if kinds >= {_kind(item[""]) for item in items} - {None}:
        return None
    rows = [row for row, value in enumerate(values) for _ in value or []]
    dtype = pa.map_(
        array_of(column, [key for key, _ in pairs], lambda pair: name(rows[pair])).type,
        array_of(column, [item[""] for item in items], lambda pair: name(rows[pair])).type,
    )
    entries = iter(items)
    maps = [value and [(key, next(entries)[""]) for key, _ in value] for value in values]
    return pa.array(maps, dtype)


def _is_entry(value: Any) -> bool:
    return isinstance(value, list) and len(value) == len(("key", "value")) and value[0] is not None


def _kind(value: Any) -> type | None:
    """Return the kind of a value: numbers of all types are of one."""
    numbers = (int, float, Decimal)
    is_number = isinstance(value, numbers) and not isinstance(value, bool)
    return None if value is None else float if is_number else type(value)


def _line_name(lines: list[int]) -> RowName:
    return lambda position: f"line {lines[position]:,}"


def _loaded(text: str, call: str, line: int) -> Any:
    try:
        return json.loads(text, parse_float=_exact, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        problem = f"line {line + error.lineno - 1:,} is no JSON: {error.msg}"
    except _RepeatedNameError as error:
        problem = f"line {line:,} has the name {str(error)!r} twice in one object"
    except (ValueError, RecursionError) as error:
        problem = f"line {line:,} cannot be read: {error}"
    raise SpineError(
        call, problem, "Write one JSON object on each line, or an array of objects in the file."
    )


class _RepeatedNameError(ValueError):
    """An object has a name twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedNameError(next(name for name in names if names.count(name) > 1))
    return row


def _exact(text: str) -> float | Decimal:
    """Return a number as a float, or as a decimal if no float is written with its digits."""
    number = float(text)
    digits = repr(number)
    if digits == text or Decimal(digits) == Decimal(text):
        return number
    return Decimal(text)


def _with_numbers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with columns of numbers made of one type: floats or decimals.

    NaN and infinities come as texts, since JSON has no numbers for them. Numbers may be in lists
    and in objects.
    """
    for name in dict.fromkeys(name for row in rows for name in row):
        with_name = [row for row in rows if name in row]
        values = _numbers([row[name] for row in with_name])
        for row, value in zip(with_name, values, strict=True):
            row[name] = value
    return rows


def _numbers(values: list[Any]) -> list[Any]:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {list}:
        items = iter(_numbers([item for value in values for item in value or ()]))
        return [value and [next(items) for _ in value] for value in values]
    if kinds == {dict}:
        _with_numbers([value for value in values if value is not None])
        return values
    if {Decimal, float} <= kinds:
        return [Decimal(repr(value)) if isinstance(value, float) else value for value in values]
    texts = {value for value in values if isinstance(value, str)}
    if {str, float} <= kinds and texts <= _NO_NUMBERS:
        return [float(value) if isinstance(value, str) else value for value in values]
    return values
