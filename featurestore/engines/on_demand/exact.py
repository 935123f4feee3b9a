"""Arrow values as one of the definitions' types: exactly, or not at all.

Integers of any width, decimals and narrower floats are taken where every value has the same value
in the wanted type. Nothing is rounded, parsed, or given a time zone.
"""

from collections.abc import Callable, Mapping
from functools import singledispatch

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.definitions.model.types import (
    Array,
    Binary,
    Boolean,
    DataType,
    Date,
    Decimal,
    Float32,
    Float64,
    Int32,
    Int64,
    Map,
    Scalar,
    String,
    Timestamp,
)
from featurestore.store.columns import arrow_type

# Holds any decimal and any integer on its way to a decimal.
_WIDEST = 76


def misfit(found: pa.DataType, dtype: DataType) -> str:
    """Return why values of an Arrow type are none of ``dtype``, or ``""`` where they can be.

    Example:
        >>> misfit(pa.int32(), Float64), misfit(pa.float64(), Int64)
        ('', 'it is double, not Int64: cast it')
        >>> misfit(pa.timestamp("us"), Timestamp)
        'it is a time without a time zone: give it one'
    """
    plain = _plain(found)
    if pa.types.is_null(plain) or _fits(dtype, plain):
        return ""
    if dtype == Timestamp and pa.types.is_timestamp(plain):
        return "it is a time without a time zone: give it one"
    return f"it is {found}, not {dtype}: cast it"


def exactly(column: pa.ChunkedArray, dtype: DataType) -> pa.ChunkedArray:
    """Return the same values in the Arrow type of ``dtype``.

    Args:
        column: Values of a type for which `misfit` finds nothing.
        dtype: What they shall be.

    Raises:
        pa.ArrowInvalid: A value has no equal in ``dtype``.

    Example:
        >>> exactly(pa.chunked_array([pa.array([1, None], pa.int8())]), Int64).type
        DataType(int64)
    """
    chunks = [_exact(dtype, _decoded(chunk)) for chunk in column.chunks]
    return pa.chunked_array(chunks, arrow_type(dtype))


def _is_whole(found: pa.DataType) -> bool:
    # DuckDB's HUGEINT comes as a decimal without digits after the point.
    return bool(pa.types.is_integer(found) or (pa.types.is_decimal(found) and found.scale == 0))


def _is_real(found: pa.DataType) -> bool:
    return bool(pa.types.is_floating(found) or _is_decimal(found))


def _is_decimal(found: pa.DataType) -> bool:
    return bool(pa.types.is_integer(found) or pa.types.is_decimal(found))


def _is_single(found: pa.DataType) -> bool:
    return bool(pa.types.is_integer(found) or found in (pa.float16(), pa.float32()))


def _is_text(found: pa.DataType) -> bool:
    return found in (pa.string(), pa.large_string(), pa.string_view())


def _is_binary(found: pa.DataType) -> bool:
    fixed = pa.types.is_fixed_size_binary(found)
    return fixed or found in (pa.binary(), pa.large_binary(), pa.binary_view())


def _is_moment(found: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(found) and found.tz is not None)


_SCALARS: Mapping[Scalar, Callable[[pa.DataType], bool]] = {
    Int32: _is_whole,
    Int64: _is_whole,
    Float32: _is_single,
    Float64: _is_real,
    Boolean: pa.types.is_boolean,
    String: _is_text,
    Timestamp: _is_moment,
    Date: pa.types.is_date32,
    Binary: _is_binary,
}


@singledispatch
def _fits(dtype: DataType, found: pa.DataType) -> bool:
    raise TypeError(dtype)


@_fits.register
def _(dtype: Scalar, found: pa.DataType) -> bool:
    return _SCALARS[dtype](found)


@_fits.register
def _(dtype: Decimal, found: pa.DataType) -> bool:
    return _is_decimal(found)


@_fits.register
def _(dtype: Array, found: pa.DataType) -> bool:
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(kind(found) for kind in kinds) and not misfit(found.value_type, dtype.item)


@_fits.register
def _(dtype: Map, found: pa.DataType) -> bool:
    return bool(found == arrow_type(dtype))


@singledispatch
def _exact(dtype: DataType, values: pa.Array) -> pa.Array:
    return values.cast(arrow_type(dtype))


@_exact.register
def _(dtype: Scalar, values: pa.Array) -> pa.Array:
    found = values.cast(arrow_type(dtype))
    if dtype == Float64 and pa.types.is_decimal(values.type):
        back = found.cast(values.type)
        if pc.any(pc.not_equal(back, values)).as_py():
            raise pa.ArrowInvalid("a decimal has more digits than Float64 holds")
    return found


@_exact.register
def _(dtype: Decimal, values: pa.Array) -> pa.Array:
    if pa.types.is_integer(values.type):
        values = values.cast(pa.decimal256(_WIDEST, dtype.scale))
    return values.cast(arrow_type(dtype))


@_exact.register
def _(dtype: Array, values: pa.Array) -> pa.Array:
    if pa.types.is_null(values.type):
        return values.cast(arrow_type(dtype))
    lengths = pc.fill_null(pc.list_value_length(values), 0).cast(pa.int32())
    ends = pc.cumulative_sum(lengths)
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    items = _exact(dtype.item, _decoded(values.flatten()))
    missing = values.is_null() if values.null_count else None
    return pa.ListArray.from_arrays(offsets, items, arrow_type(dtype), mask=missing)


def _plain(found: pa.DataType) -> pa.DataType:
    return found.value_type if pa.types.is_dictionary(found) else found


def _decoded(values: pa.Array) -> pa.Array:
    return values.cast(_plain(values.type)) if pa.types.is_dictionary(values.type) else values
