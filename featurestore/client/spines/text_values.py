"""Texts of a file as values of their declared types: parsed exactly, or refused.

A CSV file has texts only, and JSON has no dates, times and decimals. A declared type says what
such a text means. Without one, a text becomes a number only if the number is written as that text.
"""

from collections.abc import Callable
from functools import singledispatch
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.definitions.model.types import (
    Binary,
    Boolean,
    DataType,
    Date,
    Decimal,
    Float32,
    Float64,
    Int32,
    Int64,
    Scalar,
    String,
    Timestamp,
)
from featurestore.engines.arrays import first_failure, is_text
from featurestore.engines.files.exact_text import UnfitValueError, from_text
from featurestore.engines.spine_times import RowName, parse_times
from featurestore.errors import SpineError
from featurestore.store.columns import arrow_type

Form = Literal["csv", "json"]

_FORM = b"featurestore.form"
_FLOAT = r"(?i)^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$"
_NO_NUMBER = r"(?i)^[+-]?(?:nan|inf|infinity)$"
_PATTERNS = {
    Int32: r"^[+-]?\d+$",
    Int64: r"^[+-]?\d+$",
    Float32: f"{_FLOAT}|{_NO_NUMBER}",
    Float64: f"{_FLOAT}|{_NO_NUMBER}",
    Boolean: r"(?i)^(?:true|false|0|1)$",
    Date: r"^\d{4}-\d{2}-\d{2}$",
}
_EXAMPLES = {
    Int32: "7, without a point",
    Int64: "7, without a point",
    Float32: "1.5",
    Float64: "1.5",
    Boolean: "true or false",
    Date: "2026-01-31",
    Binary: "00ff, hexadecimal digits",
}
_HEX = r"^(?:[0-9A-Fa-f]{2})*$"
_CANONICAL_INTEGER = r"^(?:0|-?[1-9]\d{0,18})$"
_CANONICAL_FLOAT = r"^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]\d+)?$|^(?:nan|-?inf)$"


def marked(table: pa.Table, form: Form) -> pa.Table:
    """Return a file's rows with a mark on each column of texts whose types are not sure.

    Args:
        table: The rows.
        form: The file's form.
    """
    fields = [each.with_metadata({_FORM: form}) for each in table.schema]
    # Not cast: pyarrow 26 breaks lists of nulls by that.
    schema = pa.schema(fields, table.schema.metadata)
    return pa.Table.from_arrays(table.columns, schema=schema) if table.num_columns else table


def form_of(field: pa.Field) -> Form | None:
    """Return the form of the file from which a column comes; None if its type is sure.

    Example:
        >>> form_of(pa.field("id", pa.string()))
    """
    form = (field.metadata or {}).get(_FORM)
    return None if form is None else ("csv" if form == b"csv" else "json")


def typed(
    name: str,
    column: pa.ChunkedArray,
    form: Form,
    dtype: DataType | None,
    row: RowName,
    call: str,
) -> pa.ChunkedArray:
    """Return a column of a file in its declared type.

    Args:
        name: The column's name, for errors.
        column: The column, as the file has it.
        form: The file's form.
        dtype: The declared type. None if no view declares the column.
        row: Names a row, for errors.
        call: The call, for errors.

    Raises:
        SpineError: A text is no value of its declared type.
    """
    if dtype is None:
        return _without_type(column) if form == "csv" else column
    if pa.types.is_floating(column.type) and (dtype == Float32 or isinstance(dtype, Decimal)):
        # The digits of a number in JSON. Each is the shortest text of its float.
        column = pa.chunked_array([[_digits(each) for each in column.to_pylist()]], pa.string())
    if not is_text(column.type) or (form == "json" and dtype in _IN_JSON):
        return column
    if dtype == Timestamp:
        return parse_times(call, name, column, row)
    parse = parser_of(dtype)
    if parse is None:
        return column
    try:
        return parse(column)
    except pa.ArrowInvalid:
        wrong = first_failure(column, parse)
        example = _EXAMPLES.get(dtype, "1.50") if isinstance(dtype, Scalar) else "1.50"
        raise SpineError(
            call,
            f"column {name!r} has the declared type {dtype}, but {row(wrong)} has "
            f"{column[wrong].as_py()!r}",
            f"Write a value like {example}, or leave it empty for null.",
        ) from None


_IN_JSON = (Int32, Int64, Boolean, String)
"""The types that JSON has itself. A text is none of the others, and no type is parsed from one."""

_Parser = Callable[[pa.ChunkedArray], pa.ChunkedArray]


@singledispatch
def parser_of(dtype: DataType) -> _Parser | None:
    """Return a function that parses texts as values of a type; None if no text is one.

    The function raises `pyarrow.ArrowInvalid` if a text is no value of the type. Blanks around a
    value do not count, and an empty text is null.

    Args:
        dtype: A type other than Timestamp, which `parse_times` parses.

    Example:
        >>> parser_of(Int64)(pa.chunked_array([["007", " 8 ", ""]])).to_pylist()
        [7, 8, None]
    """
    return None


@parser_of.register
def _(dtype: Scalar) -> _Parser | None:
    if dtype == Timestamp:
        return None
    if dtype == String:
        return _unchanged
    if dtype == Binary:
        return _bytes
    return lambda column: _parsed(column, dtype)


@parser_of.register
def _(dtype: Decimal) -> _Parser | None:
    def parse(column: pa.ChunkedArray) -> pa.ChunkedArray:
        texts = _checked(column, _FLOAT)
        return texts.cast(arrow_type(dtype))

    return parse


def _unchanged(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column


def _bytes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return bytes from hexadecimal digits, as the command line writes them."""
    if pc.any(pc.invert(pc.match_substring_regex(column, _HEX))).as_py():
        raise pa.ArrowInvalid("a text has another form")
    values = [None if text is None else bytes.fromhex(text) for text in column.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.binary())])


def _parsed(column: pa.ChunkedArray, dtype: Scalar) -> pa.ChunkedArray:
    texts = _checked(column, _PATTERNS[dtype])
    if dtype in (Int32, Int64):
        # Any integer is a key of either type, as in frames.
        return pc.replace_substring_regex(texts, r"^\+", "").cast(pa.int64())
    if dtype in (Float32, Float64):
        return _floats_of(texts, dtype)
    return texts.cast(arrow_type(dtype))


def _floats_of(texts: pa.ChunkedArray, dtype: Scalar) -> pa.ChunkedArray:
    """Return floats as sources read them: Arrow would round whole numbers, and small ones to 0."""
    try:
        return pa.chunked_array([from_text(texts.combine_chunks(), dtype)])
    except UnfitValueError:
        raise pa.ArrowInvalid("the type does not hold a number") from None


def _checked(column: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    texts = pc.ascii_trim_whitespace(column.cast(pa.string()))
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    if pc.any(pc.invert(pc.match_substring_regex(texts, pattern))).as_py():
        raise pa.ArrowInvalid("a text has another form")
    return texts


def _digits(value: float | None) -> str | None:
    return None if value is None else repr(value)


def _without_type(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as numbers or truth values if these are written as the same texts."""
    if pc.all(pc.match_substring_regex(texts, _CANONICAL_INTEGER)).as_py():
        try:
            return texts.cast(pa.int64())
        except pa.ArrowInvalid:
            return texts
    if texts.null_count == len(texts):
        return texts
    if pc.all(pc.match_substring_regex(texts, _CANONICAL_FLOAT)).as_py():
        return _floats(texts)
    if set(pc.unique(texts).slice(0, 4).drop_null().to_pylist()) in _SETS_OF_BOOLEANS:
        return texts.cast(pa.bool_())
    return texts


_SETS_OF_BOOLEANS = [
    {"true"}, {"false"}, {"true", "false"}, {"True"}, {"False"}, {"True", "False"}
]  # fmt: skip


def _floats(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as floats if each is written as Python or Arrow writes it."""
    floats = texts.cast(pa.float64())
    if not pc.any(pc.is_finite(floats)).as_py():
        return texts
    written = floats.cast(pa.string())
    plain = pc.replace_substring_regex(texts, r"\.0$", "")
    whole = pc.match_substring_regex(texts, r"^-?\d+$")
    with_point = pc.match_substring_regex(texts, r"\.0$")
    mixed = pc.any(whole).as_py() and pc.any(with_point).as_py()
    other = texts.filter(pc.not_equal(plain, written)).to_pylist()
    if mixed or any(repr(float(text)) != text for text in other):
        return texts
    return floats
