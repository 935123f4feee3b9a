"""Columns of Python values as Arrow arrays: each value exactly, or an error that names its row."""

import math
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from featurestore.engines.spine_times import RowName, row_name
from featurestore.errors import SpineError
from featurestore.times import to_micros

CALL = "read the spine"
_DIGITS_OF_128_BITS = 38
_MOST_DIGITS = 76
"""The digits of Arrow's widest decimal, of 256 bits."""
_KINDS: tuple[tuple[tuple[type, ...], str], ...] = (
    ((bool, np.bool_), "a truth value"),
    ((int, np.integer, float, np.floating, Decimal), "a number"),
    ((str,), "a text"),
    ((bytes, bytearray, memoryview), "bytes"),
    ((datetime, np.datetime64), "a time"),
    ((date,), "a date"),
    ((list, tuple, np.ndarray), "a list"),
)
_NANOS_PER_MICRO = 1000
_SECOND = Fraction(10**9)
_UNITS = {
    "W": 604_800 * _SECOND,
    "D": 86_400 * _SECOND,
    "h": 3_600 * _SECOND,
    "m": 60 * _SECOND,
    "s": _SECOND,
    "ms": _SECOND / 10**3,
    "us": _SECOND / 10**6,
    "ns": _SECOND / 10**9,
    "ps": _SECOND / 10**12,
    "fs": _SECOND / 10**15,
    "as": _SECOND / 10**18,
}
"""The nanoseconds of NumPy's units."""
_ERRORS = (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError)


def array_of(name: str, values: Iterable[Any], row: RowName = row_name) -> pa.Array:
    """Return the values of a column as an Arrow array.

    None, and the missing values of pandas and NumPy, become null. So does a NaN beside values that
    are no numbers, as in a pandas column. Integers of more than 64 bits become decimals.

    Args:
        name: The column's name, for errors.
        values: The values.
        row: Names a row, for errors.

    Raises:
        SpineError: The values are of several kinds, or Arrow has no type that holds them exactly.

    Example:
        >>> array_of("id", [1, None]).type
        DataType(int64)
    """
    present = list(values)
    if len(set(map(type, present)) - {type(None)}) > 1 or not _is_plain(present):
        present = _without_missing(present)
        if _is_of_other_than_numbers(present):
            present = [None if _is_nan(value) else value for value in present]
        _require_one_kind(name, present, row)
        if any(isinstance(value, np.datetime64) or _nanos(value) for value in present):
            return _times(name, present)
    try:
        array = pa.array(present, _decimal_type(present))
    except OverflowError:
        return _large_integers(name, present)
    except UnicodeEncodeError:
        wrong = next(n for n, value in enumerate(present) if not _is_encodable(value))
        problem = f"column {name!r} has half of a surrogate pair in {row(wrong)}"
        raise SpineError(CALL, problem, "Correct the text: it cannot be encoded.") from None
    except _ERRORS as error:
        problem = f"column {name!r} mixes types, or has one that Arrow lacks: {error}"
        raise SpineError(CALL, problem, "Use one type in it.") from None
    _require_no_lost_nanoseconds(name, array, present)
    return array


def _is_plain(values: Sequence[Any]) -> bool:
    """Return whether values of one type need no look at each: Arrow takes them as they are."""
    return {*map(type, values)} <= {bool, int, float, str, bytes, date, type(None)}


def _without_missing(values: list[Any]) -> list[Any]:
    # pandas' missing values can only be there if pandas was imported.
    pandas = sys.modules.get("pandas")
    missing = {id(pandas.NA), id(pandas.NaT)} if pandas else set()
    return [
        None
        if id(value) in missing or (isinstance(value, np.datetime64) and np.isnat(value))
        else value
        for value in values
    ]


def _is_of_other_than_numbers(values: Sequence[Any]) -> bool:
    kinds = {_kind(each) for each in set(map(type, values)) - {type(None)}}
    return "a number" in kinds and len(kinds) > 1


def _is_nan(value: Any) -> bool:
    return isinstance(value, float | np.floating) and math.isnan(value)


def _kind(cls: type) -> str:
    return next((text for classes, text in _KINDS if issubclass(cls, classes)), cls.__name__)


def _require_one_kind(name: str, values: Sequence[Any], row: RowName) -> None:
    kinds = {cls: _kind(cls) for cls in set(map(type, values)) - {type(None)}}
    if len(set(kinds.values())) > 1:
        first = next(n for n, value in enumerate(values) if value is not None)
        kind = kinds[type(values[first])]
        other = next(
            n for n, value in enumerate(values) if value is not None and kinds[type(value)] != kind
        )
        raise SpineError(
            CALL,
            f"column {name!r} mixes types: {kind} in {row(first)} and "
            f"{kinds[type(values[other])]} in {row(other)}",
            "Use one type in it.",
        )
    zones = {value.tzinfo is not None for value in values if isinstance(value, datetime)}
    if len(zones | {False for cls in kinds if issubclass(cls, np.datetime64)}) > 1:
        raise SpineError(
            CALL,
            f"column {name!r} mixes times with and without a time zone",
            "Write all times with a zone, or all without one and pass timezone=.",
        )


def _nanos(value: Any) -> int:
    """Return the nanoseconds of a pandas Timestamp that Python's datetime does not have."""
    return getattr(value, "nanosecond", 0) if isinstance(value, datetime) else 0


def _times(name: str, values: Sequence[Any]) -> pa.Array:
    """Return times of NumPy or with nanoseconds, in nanoseconds if one needs them."""
    zoned = any(isinstance(value, datetime) and value.tzinfo for value in values)
    zone = "UTC" if zoned else None
    try:
        nanos = [None if value is None else _nanos_since_1970(value) for value in values]
        if any(each is not None and each % _NANOS_PER_MICRO for each in nanos):
            return pa.array(nanos, pa.int64()).cast(pa.timestamp("ns", zone))
        micros = [None if each is None else each // _NANOS_PER_MICRO for each in nanos]
        return pa.array(micros, pa.int64()).cast(pa.timestamp("us", zone))
    except (OverflowError, pa.ArrowInvalid):
        raise SpineError(
            CALL,
            f"column {name!r} has times that do not fit nanoseconds of 64 bits",
            "Round the times down to microseconds.",
        ) from None


def _nanos_since_1970(value: Any) -> int:
    if isinstance(value, np.datetime64):
        return _nanos_of_numpy(value)
    plain = value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
    if plain.tzinfo is None:
        plain = plain.replace(tzinfo=UTC)
    return to_micros(plain) * _NANOS_PER_MICRO + _nanos(value)


def _nanos_of_numpy(value: np.datetime64) -> int:
    unit, count = np.datetime_data(value.dtype)
    if unit in ("Y", "M"):
        value, unit, count = value.astype("datetime64[D]"), "D", 1
    nanos = Fraction(int(value.astype("int64")) * count) * _UNITS[unit]
    if nanos.denominator != 1:
        raise OverflowError("finer than a nanosecond")
    return int(nanos)


def _large_integers(name: str, values: Sequence[Any]) -> pa.Array:
    """Return integers that do not fit int64 as uint64, or as decimals without a fraction."""
    present = [value for value in values if value is not None]
    if all(isinstance(value, int | np.integer) for value in present):
        integers = [None if value is None else int(value) for value in values]
        least, greatest = min(map(int, present)), max(map(int, present))
        if least >= 0 and greatest < 2**64:
            return pa.array(integers, pa.uint64())
        digits = len(str(max(abs(least), abs(greatest))))
        if digits <= _MOST_DIGITS:
            decimals = [None if value is None else Decimal(value) for value in integers]
            return pa.array(decimals, _decimal(digits, 0))
    elif all(isinstance(value, list | np.ndarray) for value in present):
        with suppress(pa.ArrowException, TypeError, OverflowError):
            return pa.array(values, pa.list_(pa.uint64()))
    raise SpineError(
        CALL,
        f"column {name!r} has a number that is too large",
        f"Use integers of at most {_MOST_DIGITS} digits, or texts.",
    )


def _decimal_type(values: Sequence[Any]) -> pa.DataType | None:
    """Return the type of finite decimals; None for other values. Arrow infers one too narrow."""
    numbers = [value for value in values if value is not None]
    decimals = [value for value in numbers if isinstance(value, Decimal) and value.is_finite()]
    whole = [Decimal(int(value)) for value in numbers if isinstance(value, int | np.integer)]
    if not decimals or len(decimals) + len(whole) < len(numbers):
        return None
    exponents = [int(value.as_tuple().exponent) for value in decimals]
    scale = max(0, *(-exponent for exponent in exponents))
    digits = max(value.adjusted() + 1 for value in (*decimals, *whole))
    return _decimal(min(max(digits, 0) + scale, _MOST_DIGITS) or 1, scale)


def _decimal(digits: int, scale: int) -> pa.DataType:
    wide = pa.decimal128 if digits <= _DIGITS_OF_128_BITS else pa.decimal256
    return wide(digits, scale)


def _is_encodable(value: Any) -> bool:
    try:
        pa.array([value])
    except UnicodeEncodeError:
        return False
    return True


def _require_no_lost_nanoseconds(name: str, array: pa.Array, values: Sequence[Any]) -> None:
    """Check the times inside of lists and dicts: Arrow would cut their nanoseconds off."""
    if pa.types.is_nested(array.type) and "timestamp" in str(array.type) and _any_fine(values):
        raise SpineError(
            CALL,
            f"column {name!r} has times inside of its values that are finer than a microsecond",
            "Round them down to microseconds.",
        )


def _any_fine(value: Any) -> bool:
    if isinstance(value, dict):
        return _any_fine(list(value.values()))
    if isinstance(value, list | tuple):
        return any(map(_any_fine, value))
    return bool(_nanos(value))
