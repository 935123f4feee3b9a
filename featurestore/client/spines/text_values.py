"""Texts of a spine file as values of their declared types: parsed exactly, or refused.

A CSV file has texts only, and JSON has no dates, times and decimals. A declared type says what
such a text means, by the grammar of sources' files (`exact_text`, `time_texts`). Without one, a
text becomes a number only if the number is written as that text.
"""

from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.definitions.model.types import (
    Array,
    Boolean,
    DataType,
    Float64,
    String,
    Timestamp,
    is_number,
)
from featurestore.engines.arrays import is_text
from featurestore.engines.files.exact_text import UnfitValueError, example_of, from_text
from featurestore.engines.spine_times import RowName, parse_times
from featurestore.errors import SpineError
from featurestore.store.columns import arrow_type

Form = Literal["csv", "json"]

_FORM = b"featurestore.form"
_CANONICAL_INTEGER = r"^(?:0|-?[1-9]\d{0,18})$"
_CANONICAL_FLOAT = r"^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]\d+)?$|^(?:nan|-?inf)$"
_NULLS = ("",)
"""The texts of a CSV file that are null."""


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
    if isinstance(dtype, Array):
        return _lists(name, column, form, dtype, row, call)
    if pa.types.is_floating(column.type) and is_number(dtype) and dtype != Float64:
        # The digits of a number in JSON. Each is the shortest text of its float.
        column = pa.chunked_array([[_digits(each) for each in column.to_pylist()]], pa.string())
    if not is_text(column.type) or (form == "json" and dtype in _IN_JSON):
        return column
    texts, nulls = column.cast(pa.string()), _NULLS if form == "csv" else ()
    try:
        parsed = pa.chunked_array(
            [from_text(chunk, dtype, nulls) for chunk in texts.chunks], _type_of(dtype)
        )
    except UnfitValueError as error:
        wrong = pc.index(pc.ascii_trim_whitespace(texts), error.value).as_py()
        raise SpineError(
            call,
            f"column {name!r} has the declared type {dtype}, but {row(wrong)} has "
            f"{texts[wrong].as_py()!r}",
            f"Write a value like {example_of(dtype)}, or leave it empty for null.",
        ) from None
    return parse_times(call, name, parsed, row) if dtype == Timestamp else parsed


_IN_JSON = (Boolean, String)
"""The types that a text in JSON is none of, or is already."""


def _type_of(dtype: DataType) -> pa.DataType:
    return pa.string() if dtype == Timestamp else arrow_type(dtype)


def _lists(
    name: str, column: pa.ChunkedArray, form: Form, dtype: Array, row: RowName, call: str
) -> pa.ChunkedArray:
    """Return lists with items of their declared type."""
    if form == "csv" and is_text(column.type) and column.null_count < len(column):
        raise SpineError(
            call,
            f"column {name!r} has the declared type {dtype}, and a CSV file has no lists",
            "Pass the rows in a .jsonl or .parquet file.",
        )
    if not pa.types.is_list(column.type):
        return column
    lists = column.combine_chunks()
    rows = pc.list_parent_indices(lists)

    def row_of_item(position: int) -> str:
        return row(rows[position].as_py())

    flat = pa.chunked_array([lists.flatten()])
    items = typed(name, flat, form, dtype.item, row_of_item, call).combine_chunks()
    starts = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False).cumsum()
    offsets = pa.array([0, *starts.tolist()], pa.int32())
    return pa.chunked_array([pa.ListArray.from_arrays(offsets, items, mask=lists.is_null())])


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
