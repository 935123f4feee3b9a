"""Rows with types that Polars, Spark and Delta hold: each value exact, or its column refused."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from featurestore.client.plain_types import converted, plain_type
from featurestore.engines.arrays import is_text
from featurestore.errors import RequestError

_MOST_DIGITS = 38
_IN_DELTA = frozenset(
    {
        *(pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64()),
        *(pa.string(), pa.large_string(), pa.string_view()),
        *(pa.binary(), pa.large_binary(), pa.binary_view()),
        *(pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC")),
    }
)
_SPARK = {
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    pa.date64(): pa.date32(),
}


def polars_table(table: pa.Table) -> pa.Table:
    """Return rows with types that Polars reads without a loss.

    Args:
        table: The rows.

    Raises:
        RequestError: Polars has no type for a column, such as one of calendar intervals.

    Example:
        >>> str(polars_table(pa.table({"day": pa.array([0], pa.date64())})).schema.types[0])
        'date32[day]'
    """
    rows = _converted(table, "to_polars()", "Polars", _for_polars)
    # Polars fails at slices of lists of a fixed size, and it slices where any column has chunks.
    return rows.combine_chunks() if any(map(_has_fixed_lists, rows.schema.types)) else rows


def spark_table(table: pa.Table) -> pa.Table:
    """Return rows with types that Spark reads without a loss.

    Args:
        table: The rows.

    Raises:
        RequestError: Spark has no type for a column, or a time is finer than a microsecond.

    Example:
        >>> spark_table(pa.table({"n": pa.array([2**64 - 1], pa.uint64())})).schema.types
        [Decimal128Type(decimal128(20, 0))]
    """
    return _converted(table, "to_spark()", "Spark", _for_spark)


def delta_typed(table: pa.Table, call: str) -> pa.Table:
    """Return rows with the types in which Spark stores them in a Delta table.

    Args:
        table: The rows.
        call: The user's call, for messages.

    Raises:
        RequestError: A Delta table has no type for a column, or a time is finer than a
            microsecond.

    Example:
        >>> delta_typed(pa.table({"n": pa.array([7], pa.uint32())}), "write('rows')").schema.types
        [DataType(int64)]
    """
    return _converted(table, call, "a Delta table", _for_delta)


def _converted(
    table: pa.Table,
    call: str,
    library: str,
    target: Callable[[pa.ChunkedArray], pa.ChunkedArray],
) -> pa.Table:
    for index, field in enumerate(table.schema):
        try:
            # Of bytes that are no UTF-8, Polars would make texts that stop the process.
            table.column(index).validate(full=True)
            column = target(table.column(index))
        except (pa.ArrowException, ValueError, OverflowError) as error:
            raise RequestError(
                call,
                f"{library} cannot hold column {field.name!r} of type {field.type}: {error}",
                "Convert the column before it becomes part of the spine, or call to_arrow().",
            ) from None
        table = table.set_column(index, field.with_type(column.type), column)
    return table


def _for_spark(column: pa.ChunkedArray) -> pa.ChunkedArray:
    plain = converted(column, plain_type(column.type, _spark_value_type))
    # PySpark fails at slices of nested columns.
    return _unsliced(plain) if pa.types.is_nested(plain.type) else plain


def _for_delta(column: pa.ChunkedArray) -> pa.ChunkedArray:
    plain = _for_spark(column)
    # Of a column without any value, Spark stores the name only.
    if not pa.types.is_null(plain.type) and not _is_in_delta(plain.type):
        raise pa.ArrowInvalid("it has no such type")
    return plain


def _is_in_delta(dtype: pa.DataType) -> bool:
    inner = [dtype.field(index).type for index in range(dtype.num_fields)]
    if inner:
        return not pa.types.is_union(dtype) and all(map(_is_in_delta, inner))
    return dtype in _IN_DELTA or pa.types.is_decimal128(dtype)


def _unsliced(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.take(pa.array(np.arange(len(column))))


def _spark_value_type(dtype: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(dtype):
        return pa.timestamp("us", None if dtype.tz is None else "UTC")
    if pa.types.is_duration(dtype):
        return pa.duration("us")
    if pa.types.is_time(dtype):
        return pa.time64("us")
    if pa.types.is_fixed_size_binary(dtype):
        return pa.binary()
    if pa.types.is_decimal(dtype):
        return _decimal(dtype)
    return _SPARK.get(_held(dtype), dtype)


def _for_polars(column: pa.ChunkedArray) -> pa.ChunkedArray:
    plain = converted(column, plain_type(column.type, _polars_value_type, _is_of_polars))
    return _unsliced(plain) if _has_fixed_lists(plain.type) else plain


def _is_of_polars(dtype: pa.DataType) -> bool:
    """Return whether Polars has a type in the form of Arrow's: categories and fixed lists.

    Of other dictionaries Polars makes values, of durations integers.
    """
    is_dictionary = pa.types.is_dictionary(dtype) and is_text(dtype.value_type)
    return is_dictionary or pa.types.is_fixed_size_list(dtype)


def _has_fixed_lists(dtype: pa.DataType) -> bool:
    inner = (dtype.field(index).type for index in range(dtype.num_fields))
    return pa.types.is_fixed_size_list(dtype) or any(map(_has_fixed_lists, inner))


def _polars_value_type(dtype: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(dtype):
        unit = "ms" if dtype.unit == "s" else dtype.unit
        is_offset = dtype.tz is not None and dtype.tz[:1] in "+-"
        return pa.timestamp(unit, "UTC" if is_offset else dtype.tz)
    if dtype == pa.duration("s"):
        return pa.duration("ms")
    if dtype == pa.date64():
        return pa.date32()
    if pa.types.is_decimal(dtype):
        return _decimal(dtype)
    return _held(dtype)


def _decimal(dtype: pa.DataType) -> pa.DataType:
    """Return the type for decimals of at most 38 digits. The conversion refuses others."""
    # Neither library has a negative scale, which Arrow has for numbers such as 12e3.
    digits = dtype.precision - min(dtype.scale, 0)
    return pa.decimal128(min(digits, _MOST_DIGITS), max(dtype.scale, 0))


def _held(dtype: pa.DataType) -> pa.DataType:
    """Return a type that is not of calendar intervals or unions, which only Arrow has."""
    if pa.types.is_interval(dtype) or pa.types.is_union(dtype):
        raise pa.ArrowInvalid("it has no such type")
    return dtype
