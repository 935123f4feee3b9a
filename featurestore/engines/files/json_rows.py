"""The rows of a JSON-lines file: one object a line, each declared value exact."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa

from featurestore.definitions.model.types import (
    Array,
    Boolean,
    DataType,
    Field,
    Timestamp,
    is_number,
)
from featurestore.engines.arrays import first_failure
from featurestore.engines.files.csv_blocks import LONGEST_RECORD, decoded
from featurestore.engines.files.exact_text import UnfitValueError, from_text
from featurestore.engines.files.problem import FileProblemError, wrong_value
from featurestore.engines.files.task import (
    FileRows,
    FileTask,
    converted,
    lacks_column,
    require_columns,
)
from featurestore.store.columns import arrow_type

_ROWS = 50_000
_ONE_A_LINE = "Write one JSON object a line."
_TIMES = "Write times as texts. For numbers declare Int64, and unit='s', 'ms' or 'us'."
_TIMES_IN_LISTS = "Write times in lists with an offset, e.g. '2026-01-31T09:30:00+01:00'."
_HOW = "Write texts in quotes, numbers and true or false without them."

Row = dict[str, object]


class JsonNumber(str):
    """A number's digits, which tell it from a text."""

    __slots__ = ()


def json_object(text: str) -> Row:
    """Return the object of a text; a number is a text of the class `JsonNumber`.

    Raises:
        FileProblemError: The text is no object, or the object has a key twice.

    Example:
        >>> json_object('{"a": 1}')
        {'a': '1'}
    """
    try:
        return _object(text, 1)
    except FileProblemError as error:
        raise FileProblemError(error.found.replace("line 1", "it", 1), error.fix) from None


def json_array(values: list[object], dtype: DataType) -> pa.Array:
    """Return values of objects in a declared type.

    Args:
        values: The values, from `json_object`; None for a null.
        dtype: The type; not `Timestamp`, whose texts stay texts.

    Raises:
        UnfitValueError: The type does not hold a value exactly.

    Example:
        >>> from featurestore.definitions.model.types import Int64
        >>> json_array([JsonNumber("1"), None], Int64).to_pylist()
        [1, None]
    """
    return _array(values, dtype)


class _DoubleKeyError(ValueError):
    """An object has a key twice."""


def json_rows(
    stream: BinaryIO, task: FileTask, others: Collection[str] = ()
) -> Iterator[FileRows]:
    """Yield a JSON-lines file's declared columns, in blocks of rows.

    A key that an object lacks is null, if another object of the file has it.

    Args:
        stream: The file's bytes.
        task: The declared columns.
        others: Columns whose values are in the names of the file's folders.

    Raises:
        FileProblemError: A line is no object, an object has a key twice, a declared column is in
            no object or under another case, or a declared type does not hold a value exactly.
    """
    seen: set[str] = set()
    block: list[Row] = []
    for number, line in enumerate(_lines(stream, task.encoding), start=1):
        if not line or line.isspace():
            continue
        row = _object(line, number)
        if not seen.issuperset(row):
            _require_case(row, number, task)
            seen.update(row)
        block.append(row)
        if len(block) == _ROWS:
            yield _table(block, task, others)
            block = []
    if block:
        yield _table(block, task, others)
    if seen and (absent := require_columns([*seen, *others], task)):
        yield FileRows(0, {}, absent)


def json_objects(stream: BinaryIO, encoding: str) -> Iterator[Row]:
    """Yield the objects of a JSON-lines file; a number is a text of the class `JsonNumber`.

    Raises:
        FileProblemError: A line is no object, or an object has a key twice.
    """
    for number, line in enumerate(_lines(stream, encoding), start=1):
        if line and not line.isspace():
            yield _object(line, number)


def _lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    rest, number = "", 1
    for text in decoded(stream, encoding):
        *lines, rest = (rest + text).split("\n")
        yield from lines
        number += len(lines)
        if len(rest) > LONGEST_RECORD:
            found = f"line {number} is longer than {LONGEST_RECORD >> 20} million characters"
            raise FileProblemError(found, _ONE_A_LINE)
    yield rest


def _object(line: str, number: int) -> Row:
    text = line.strip()
    if not text.startswith("{"):  # a file that is one array is not decoded first
        found = f"line {number} is no JSON object: {text[:80]!r}"
        raise FileProblemError(found, _ONE_A_LINE)
    try:
        row: Row
        row, end = _DECODER.raw_decode(text)
    except _DoubleKeyError as error:
        raise FileProblemError(f"line {number} has the key {error} twice") from None
    except (ValueError, RecursionError) as error:
        found = f"line {number} is no JSON object ({error}): {text[:80]!r}"
        raise FileProblemError(found, _ONE_A_LINE) from None
    if end != len(text):
        raise FileProblemError(f"line {number} has more than one JSON object", _ONE_A_LINE)
    return row


def _unique(pairs: list[tuple[str, object]]) -> Row:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = [name for name, _ in pairs]
        raise _DoubleKeyError(repr(next(name for name in names if names.count(name) > 1)))
    return row


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=JsonNumber,
    parse_float=JsonNumber,
    parse_constant=JsonNumber,
)


def _require_case(row: Row, number: int, task: FileTask) -> None:
    """Refuse a key that differs from a declared column in case only."""
    names = {name.lower(): name for name in row}
    for column in task.fields:
        near = names.get(column.name.lower(), column.name)
        if column.name not in row and near != column.name:
            problem = lacks_column(column.name, row)
            raise FileProblemError(f"line {number}: {problem.found}", problem.fix)


def _table(rows: Sequence[Row], task: FileTask, others: Collection[str]) -> FileRows:
    """Return the declared columns; those of the folders' names only if an object has them."""
    names = {name for row in rows for name in row} if others else ()
    fields = [field for field in task.fields if field.name not in others or field.name in names]
    return converted(fields, lambda field: _column(rows, field), len(rows), task)


def _column(rows: Sequence[Row], field: Field) -> pa.Array:
    try:
        return _array([row.get(field.name) for row in rows], field.dtype)
    except UnfitValueError as error:
        raise wrong_value(field.name, error.value, field.dtype, _how(field.dtype)) from None
    except UnicodeEncodeError:
        raise FileProblemError(
            f"column {field.name!r} has a text with half of a surrogate pair, such as '\\ud800'"
        ) from None


def _how(dtype: DataType) -> str:
    if isinstance(dtype, Array) and dtype.item == Timestamp:
        return _TIMES_IN_LISTS
    return _TIMES if dtype == Timestamp else _HOW


def _array(values: list[object], dtype: DataType) -> pa.Array:
    if isinstance(dtype, Array):
        return _lists(values, dtype)
    if dtype == Boolean:
        return pa.array(_of(values, bool), pa.bool_())
    # Exporters write numbers beyond 2^53 and decimals as texts: many readers make floats of them.
    kinds = (str, JsonNumber) if is_number(dtype) else (str,)
    return from_text(pa.array(_of(values, *kinds), pa.string()), dtype)


def _of(values: list[object], *kinds: type) -> list[object]:
    """Return values, each null or of one of these classes."""
    if set(map(type, values)) <= {type(None), *kinds}:
        return values
    wrong = next(value for value in values if value is not None and type(value) not in kinds)
    raise UnfitValueError(wrong if isinstance(wrong, str) else json.dumps(wrong))


def _lists(values: list[object], dtype: Array) -> pa.Array:
    lists = _of(values, list)
    offsets = [0]
    for items in lists:
        offsets.append(offsets[-1] + (len(items) if isinstance(items, list) else 0))
    flat = [item for items in lists if isinstance(items, list) for item in items]
    kind = arrow_type(dtype)
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()),
        _items(_array(flat, dtype.item), kind.value_type),
        type=kind,
        mask=pa.array([items is None for items in lists], pa.bool_()),
    )


def _items(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return the items of lists. Times are texts, which Spark does not convert in lists."""
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:
        wrong = first_failure(values, lambda part: part.cast(kind))
        raise UnfitValueError(str(values[wrong])) from None
