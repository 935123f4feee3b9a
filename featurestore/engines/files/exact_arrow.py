"""The exact conversion of Parquet's typed values to declared types: each value, or a refusal.

Files may have other types than the declared ones, as long as each value is the same: integers of
another width, whole numbers as floats (as pandas writes integers with nulls), dictionaries, times
of nanoseconds that are whole microseconds, a UUID as its text. Text is never read as a number, nor
a time as a date.
"""

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from featurestore.definitions.model.types import (
    Array,
    Binary,
    Boolean,
    DataType,
    Date,
    Decimal,
    String,
    Timestamp,
    is_number,
)
from featurestore.engines.arrays import first_failure
from featurestore.engines.files.exact_text import UnfitValueError
from featurestore.store.columns import arrow_type

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
# One second before year 1, and the first second of year 10000: no time beyond them is stored.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_801, 253_402_300_800
_INTEGERS = (pa.int8(), pa.int16(), pa.int32())
_NARROWER = {
    pa.int32(): _INTEGERS[:2],
    pa.int64(): _INTEGERS,
    pa.float32(): _INTEGERS[:2],
    pa.float64(): (*_INTEGERS, pa.float32()),
}
_LOCAL_MICROS = pa.timestamp("us")
_ANY_DECIMAL = 38


def can_hold(dtype: DataType, actual: pa.DataType) -> bool:
    """Return whether values of an Arrow type can be values of a declared type.

    Example:
        >>> from featurestore.definitions.model.types import Int64
        >>> can_hold(Int64, pa.int8()), can_hold(Int64, pa.string())
        (True, False)
    """
    if actual == pa.uuid() and dtype == String:
        return True
    actual = _plain(actual)
    if pt.is_null(actual):
        return True
    if isinstance(dtype, Array):
        if not _is_list(actual) or not can_hold(dtype.item, actual.value_type):
            return False
        # The source's timezone= is for columns. In lists, local times would be taken as UTC.
        return not _LOCAL_MICROS.equals(stored_type(dtype.item, _plain(actual.value_type)))
    return any(is_kind(actual) for is_kind in _kinds(dtype))


def widens(actual: pa.DataType, dtype: DataType) -> bool:
    """Return whether each value of an Arrow type is exactly a value of a declared type.

    Columns of Delta tables are cast so. Columns of files are compared value by value: `can_hold`.

    Example:
        >>> from featurestore.definitions.model.types import Float64, Int64
        >>> widens(pa.int32(), Int64), widens(pa.int64(), Float64)
        (True, False)
    """
    actual = readable_type(actual) or actual
    if isinstance(dtype, Array) and _is_list(actual):
        return widens(actual.value_type, dtype.item)
    if isinstance(dtype, Decimal) and pt.is_decimal(actual):
        whole = actual.precision - actual.scale
        return bool(actual.scale <= dtype.scale and whole <= dtype.precision - dtype.scale)
    target = arrow_type(dtype)
    return actual == target or actual in _NARROWER.get(target, ())


def readable_type(actual: pa.DataType) -> pa.DataType | None:
    """Return the type in which Spark reads values of an undeclared column; None if it has none.

    Example:
        >>> readable_type(pa.uint32()), readable_type(pa.time64("us")) is None
        (DataType(int64), True)
    """
    actual = _plain(actual)
    if pt.is_struct(actual):
        fields = [(part.name, readable_type(part.type)) for part in actual]
        return None if any(kind is None for _, kind in fields) else pa.struct(fields)
    if _is_list(actual):
        item = readable_type(actual.value_type)
        return None if item is None else pa.list_(pa.field("element", item))
    if pt.is_map(actual):
        key, item = readable_type(actual.key_type), readable_type(actual.item_type)
        return None if key is None or item is None else pa.map_(key, item)
    return _readable_scalar(actual)


def exact(values: pa.Array, target: pa.DataType) -> pa.Array:
    """Return values in another type, each the same value.

    Times beyond the years 1 to 9999 become the first moment outside of them: they are never
    stored, and their microseconds may not fit 64 bits.

    Args:
        values: Values of a file's column.
        target: The type; `can_hold` is true of it, or `readable_type` returned it.

    Raises:
        UnfitValueError: A value would change.

    Example:
        >>> exact(pa.array([1.0, None]), pa.int32()).to_pylist()
        [1, None]
    """
    if values.type == pa.uuid() and target == pa.string():
        texts = [None if value is None else str(value) for value in values.to_pylist()]
        return pa.array(texts, target)
    values = _decoded(values)
    if values.type == target:
        return values
    if _is_list(target):
        return _exact_lists(values, target)
    if pt.is_timestamp(target) and pt.is_timestamp(values.type):
        values = _clamped(values)
    try:
        converted = _cast(values, target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if pt.is_timestamp(target):
            wrong = first_failure(values, lambda part: part.cast(target))
            raise UnfitValueError(str(values[wrong])) from None
        return pa.array([_one(value, target) for value in values], target)
    return _checked(values, converted)


def stored_type(dtype: DataType, actual: pa.DataType) -> pa.DataType:
    """Return the type in which a declared column is read; times without a zone stay without one.

    Args:
        dtype: The declared type.
        actual: The type in the files.

    Example:
        >>> stored_type(Timestamp, pa.timestamp("ns"))
        TimestampType(timestamp[us])
    """
    if dtype != Timestamp or pt.is_null(actual):
        return arrow_type(dtype)
    is_local = pt.is_date(actual) or (pt.is_timestamp(actual) and actual.tz is None)
    return _LOCAL_MICROS if is_local else arrow_type(dtype)


def _kinds(dtype: DataType) -> tuple[Callable[[pa.DataType], bool], ...]:
    """Return the Arrow types that may hold values of a scalar type."""
    if is_number(dtype):
        return (pt.is_integer, pt.is_floating, pt.is_decimal)
    kinds: Mapping[DataType, tuple[Callable[[pa.DataType], bool], ...]] = {
        Boolean: (pt.is_boolean,),
        String: (_is_text,),
        Binary: (_is_binary,),
        Date: (pt.is_date,),
        Timestamp: (pt.is_timestamp, pt.is_date),
    }
    return kinds[dtype]


def _plain(actual: pa.DataType) -> pa.DataType:
    if isinstance(actual, pa.BaseExtensionType):
        return _plain(actual.storage_type)
    return _plain(actual.value_type) if pt.is_dictionary(actual) else actual


def _decoded(values: pa.Array) -> pa.Array:
    if isinstance(values.type, pa.BaseExtensionType):
        return _decoded(values.storage)
    if pt.is_dictionary(values.type):
        return _decoded(values.dictionary_decode())
    return values


def _is_text(kind: pa.DataType) -> bool:
    return any(is_kind(kind) for is_kind in (pt.is_string, pt.is_large_string, pt.is_string_view))


def _is_binary(kind: pa.DataType) -> bool:
    kinds = (pt.is_binary, pt.is_large_binary, pt.is_fixed_size_binary, pt.is_binary_view)
    return any(is_kind(kind) for is_kind in kinds)


def _is_list(kind: pa.DataType) -> bool:
    return any(is_kind(kind) for is_kind in (pt.is_list, pt.is_large_list, pt.is_fixed_size_list))


def _readable_scalar(actual: pa.DataType) -> pa.DataType | None:
    for is_kind, target in (
        (pt.is_null, pa.string()),
        (_is_text, pa.string()),
        (_is_binary, pa.binary()),
        (pt.is_date, pa.date32()),
        (pt.is_uint8, pa.int16()),
        (pt.is_uint16, pa.int32()),
        (pt.is_uint32, pa.int64()),
        (pt.is_uint64, pa.decimal128(20, 0)),
        (pt.is_float16, pa.float32()),
    ):
        if is_kind(actual):
            return target
    if pt.is_timestamp(actual):
        return _LOCAL_MICROS if actual.tz is None else pa.timestamp("us", "UTC")
    if pt.is_decimal(actual):
        if not 0 <= actual.scale <= actual.precision <= _ANY_DECIMAL:
            return None
        return pa.decimal128(actual.precision, actual.scale)
    is_same = pt.is_boolean(actual) or pt.is_signed_integer(actual) or pt.is_floating(actual)
    return actual if is_same else None


def _exact_lists(values: pa.Array, target: pa.DataType) -> pa.Array:
    if pt.is_null(values.type):
        return values.cast(target)
    lists = values.cast(pa.large_list(values.type.value_type))
    # Without the values that null lists may hide.
    offsets = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False).cumsum()
    starts = pa.array([0, *offsets.tolist()], pa.int32())
    items = exact(lists.flatten(), target.value_type)
    return pa.ListArray.from_arrays(starts, items, type=target, mask=values.is_null())


def _clamped(times: pa.Array) -> pa.Array:
    per_second = _PER_SECOND[times.type.unit]
    first, last = _FIRST_SECOND * per_second, _LAST_SECOND * per_second
    if per_second == _PER_SECOND["ns"] or not len(times):  # nanoseconds end in year 2262
        return times
    ticks = times.cast(pa.int64())
    inside = pc.max_element_wise(pc.min_element_wise(ticks, last), first)
    return pc.if_else(ticks.is_valid(), inside, None).cast(times.type)


def _cast(values: pa.Array, target: pa.DataType) -> pa.Array:
    if pt.is_decimal(target) and pt.is_integer(values.type):
        # The direct cast asks for digits that the values may not have.
        return values.cast(pa.decimal128(_ANY_DECIMAL, target.scale)).cast(target)
    if pt.is_decimal(target) and pt.is_floating(values.type):
        raise pa.ArrowInvalid("a float's digits are not those of the decimal")
    if pt.is_floating(target) and pt.is_decimal(values.type):
        raise pa.ArrowInvalid("a decimal's digits may not be those of the float")
    return values.cast(target)


def _checked(values: pa.Array, converted: pa.Array) -> pa.Array:
    """Check a conversion to a narrower float, which Arrow rounds in silence."""
    if (values.type, converted.type) == (pa.float64(), pa.float32()):
        back = converted.cast(values.type)
        same = pc.or_(pc.equal(back, values), pc.and_(pc.is_nan(back), pc.is_nan(values)))
        position = pc.index(same, False).as_py()
        if position >= 0:
            raise UnfitValueError(str(values[position].as_py()))
    return converted


def _one(value: pa.Scalar, target: pa.DataType) -> object:
    """Return a value of a column in which some value may not fit; equal numbers are the same."""
    single = value.as_py()
    if single is None:
        return None
    try:
        if pt.is_floating(target) and single != single:  # NaN
            return single
        converted = pa.array([single]).cast(target, safe=False)[0].as_py()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError, OverflowError):
        raise UnfitValueError(str(value)) from None
    if converted != single:
        raise UnfitValueError(str(value))
    return converted
