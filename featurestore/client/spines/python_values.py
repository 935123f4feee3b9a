"""Columns of Python values as Arrow arrays: each value exactly, or an error that names its row."""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from featurestore.client.spines.nanoseconds import array_of_nanoseconds, needs_nanoseconds
from featurestore.engines.python_array import python_array
from featurestore.engines.spine_times import RowName, row_name
from featurestore.errors import SpineError

CALL = "read the spine"
_DIGITS_OF_128_BITS = 38
_MOST_DIGITS = 76
"""The digits of Arrow's widest decimal, of 256 bits."""
_KINDS: tuple[tuple[tuple[type, ...], str], ...] = (
    ((bool, np.bool_), "a truth value"),
    ((timedelta, np.timedelta64), "a duration"),
    ((int, np.integer, float, np.floating, Decimal), "a number"),
    ((str,), "a text"),
    ((bytes, bytearray, memoryview), "bytes"),
    ((datetime, np.datetime64), "a time"),
    ((date,), "a date"),
    ((list, tuple, np.ndarray), "a list"),
)
_CHANGING = ("time", "date", "duration", "string", "binary")
"""The types that Arrow gives to values of other kinds inside of lists and dicts."""
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
        _require_exact_type(name, present, row)
        if any(map(needs_nanoseconds, present)):
            return _nanoseconds(name, present)
    try:
        dtype = _decimal_type(present)
        if dtype is not None:
            present = [int(each) if isinstance(each, np.integer) else each for each in present]
        array = python_array(present, dtype)
    except OverflowError:
        return _large_integers(name, present)
    except UnicodeEncodeError:
        wrong = next(n for n, value in enumerate(present) if not _is_encodable(value))
        problem = f"column {name!r} has half of a surrogate pair in {row(wrong)}"
        raise SpineError(CALL, problem, "Correct the text: it cannot be encoded.") from None
    except _ERRORS as error:
        problem = f"column {name!r} mixes types, or has one that Arrow lacks: {error}"
        raise SpineError(CALL, problem, "Use one type in it, or leave it out.") from None
    if pa.types.is_nested(array.type):
        _require_unchanged(name, array, present, row)
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
        if id(value) in missing
        or (isinstance(value, np.datetime64 | np.timedelta64) and np.isnat(value))
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


def _require_exact_type(name: str, values: Sequence[Any], row: RowName) -> None:
    """Check for values that Arrow changes: it cuts the zones of times of day, and orders sets."""
    for position, value in enumerate(values):
        if isinstance(value, set | frozenset):
            problem, fix = "a set", "Use lists, which have an order."
        elif isinstance(value, time) and value.tzinfo is not None:
            problem, fix = "a time of day with a zone", "Use times with a date, or without a zone."
        else:
            continue
        raise SpineError(CALL, f"column {name!r} has {problem} in {row(position)}", fix)


def _nanoseconds(name: str, values: Sequence[Any]) -> pa.Array:
    try:
        return array_of_nanoseconds(values)
    except (OverflowError, pa.ArrowInvalid):
        raise SpineError(
            CALL,
            f"column {name!r} has times or durations that do not fit nanoseconds of 64 bits",
            "Round them down to microseconds.",
        ) from None


def _require_unchanged(name: str, array: pa.Array, values: Sequence[Any], row: RowName) -> None:
    """Check the values inside of lists and dicts: Arrow makes dates of times, and bytes texts."""
    if not any(each in str(array.type) for each in _CHANGING):
        return
    for position, read in enumerate(array.to_pylist()):
        if not _is_unchanged(values[position], read):
            raise SpineError(
                CALL,
                f"column {name!r} has values of several kinds, or finer than a microsecond, "
                f"inside of the value in {row(position)}",
                "Use one type in it.",
            )


def _is_unchanged(value: Any, read: Any) -> bool:
    if isinstance(value, Mapping) and isinstance(read, Mapping):
        return all(_is_unchanged(value.get(name), read[name]) for name in read)
    if isinstance(value, list | tuple | np.ndarray) and isinstance(read, list):
        return all(map(_is_unchanged, value, read))
    if value is None or read is None:
        return value is read
    if _kind(type(value)) != _kind(type(read)) or needs_nanoseconds(value):
        return False
    return bool(value == read) or (_is_nan(value) and _is_nan(read))


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
