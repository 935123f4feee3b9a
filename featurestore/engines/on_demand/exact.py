"""Arrow values cast to one of the definitions' types: exactly, or an error.

Integers of any width, decimals and narrower floats are cast if the declared type has the same
values. No value is rounded or parsed, and no time zone is assumed.
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
from featurestore.engines.arrays import decoded, is_text
from featurestore.store.columns import arrow_type

# As many digits as any integer needs on its way to a decimal.
_WIDEST = 76


def type_mismatch(arrow: pa.DataType, dtype: DataType) -> str:
    """Return why values of an Arrow type cannot be of a declared type, or ``""`` if they can.

    Args:
        arrow: The Arrow type of the values.
        dtype: The declared type.

    Example:
        >>> type_mismatch(pa.int32(), Float64), type_mismatch(pa.float64(), Int64)
        ('', 'its type is double, not Int64')
        >>> type_mismatch(pa.timestamp("us"), Timestamp)
        'its times have no time zone'
    """
    plain = _plain(arrow)
    if pa.types.is_null(plain) or _fits(dtype, plain):
        return ""
    if dtype == Timestamp and pa.types.is_timestamp(plain):
        return "its times have no time zone"
    return f"its type is {arrow}, not {dtype}"


def cast_exactly(column: pa.ChunkedArray, dtype: DataType) -> pa.ChunkedArray:
    """Return the same values in the Arrow type of a declared type.

    Args:
        column: The values, of a type without a `type_mismatch`.
        dtype: The declared type.

    Raises:
        pa.ArrowInvalid: A value has no equal in ``dtype``.

    Example:
        >>> cast_exactly(pa.chunked_array([pa.array([1, None], pa.int8())]), Int64).type
        DataType(int64)
    """
    chunks = [_exact(dtype, decoded(chunk)) for chunk in column.chunks]
    return pa.chunked_array(chunks, arrow_type(dtype))


def _is_whole(arrow: pa.DataType) -> bool:
    # DuckDB returns a HUGEINT as a decimal without digits after the point.
    return bool(pa.types.is_integer(arrow) or (pa.types.is_decimal(arrow) and arrow.scale == 0))


def _is_real(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_floating(arrow) or _is_decimal(arrow))


def _is_decimal(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_integer(arrow) or pa.types.is_decimal(arrow))


def _is_single(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_integer(arrow) or arrow in (pa.float16(), pa.float32()))


def _is_binary(arrow: pa.DataType) -> bool:
    fixed = pa.types.is_fixed_size_binary(arrow)
    return fixed or arrow in (pa.binary(), pa.large_binary(), pa.binary_view())


def _is_moment(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(arrow) and arrow.tz is not None)


_SCALARS: Mapping[Scalar, Callable[[pa.DataType], bool]] = {
    Int32: _is_whole,
    Int64: _is_whole,
    Float32: _is_single,
    Float64: _is_real,
    Boolean: pa.types.is_boolean,
    String: is_text,
    Timestamp: _is_moment,
    Date: pa.types.is_date,
    Binary: _is_binary,
}


@singledispatch
def _fits(dtype: DataType, arrow: pa.DataType) -> bool:
    raise TypeError(dtype)


@_fits.register
def _(dtype: Scalar, arrow: pa.DataType) -> bool:
    return _SCALARS[dtype](arrow)


@_fits.register
def _(dtype: Decimal, arrow: pa.DataType) -> bool:
    return _is_decimal(arrow)


_LISTS = (
    *(pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list),
    *(pa.types.is_list_view, pa.types.is_large_list_view),
)


@_fits.register
def _(dtype: Array, arrow: pa.DataType) -> bool:
    is_list = any(kind(arrow) for kind in _LISTS)
    return is_list and not type_mismatch(arrow.value_type, dtype.item)


@_fits.register
def _(dtype: Map, arrow: pa.DataType) -> bool:
    return bool(arrow == arrow_type(dtype))


@singledispatch
def _exact(dtype: DataType, values: pa.Array) -> pa.Array:
    return values.cast(arrow_type(dtype))


@_exact.register
def _(dtype: Scalar, values: pa.Array) -> pa.Array:
    cast = values.cast(arrow_type(dtype))
    if dtype == String:
        # Other libraries may hand over bytes that are no UTF-8 as text.
        cast.validate(full=True)
    if dtype == Float64 and pa.types.is_decimal(values.type):
        back = cast.cast(values.type)
        if pc.any(pc.not_equal(back, values)).as_py():
            raise pa.ArrowInvalid("a decimal has more digits than Float64 can hold")
    return cast


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
    items = _exact(dtype.item, decoded(values.flatten()))
    missing = values.is_null() if values.null_count else None
    return pa.ListArray.from_arrays(offsets, items, arrow_type(dtype), mask=missing)


def _plain(arrow: pa.DataType) -> pa.DataType:
    encoded = pa.types.is_dictionary(arrow) or pa.types.is_run_end_encoded(arrow)
    return arrow.value_type if encoded else arrow
