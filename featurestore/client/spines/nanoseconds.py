"""Times and durations of pandas and NumPy, which may have nanoseconds, as Arrow arrays."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from featurestore.times import to_micros

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


def needs_nanoseconds(value: Any) -> bool:
    """Return whether Arrow would refuse a time or a duration, or cut its nanoseconds off.

    Example:
        >>> needs_nanoseconds(np.datetime64("2026-01-01")), needs_nanoseconds(timedelta(days=1))
        (True, False)
    """
    return isinstance(value, np.datetime64 | np.timedelta64) or bool(_nanos(value))


def array_of_nanoseconds(values: Sequence[Any]) -> pa.Array:
    """Return times or durations as an array: of nanoseconds if one needs them.

    Args:
        values: Times with a zone, times without one, or durations. None is a null.

    Raises:
        OverflowError: A value is finer than a nanosecond, or too large for 64 bits.
        pa.ArrowInvalid: A value is too large.

    Example:
        >>> array_of_nanoseconds([np.datetime64("2026-01-01T00:00:00.000000001"), None]).type
        TimestampType(timestamp[ns])
    """
    nanos = [None if value is None else _total(value) for value in values]
    fine = any(each is not None and each % _NANOS_PER_MICRO for each in nanos)
    unit = "ns" if fine else "us"
    if any(isinstance(value, timedelta | np.timedelta64) for value in values):
        dtype: pa.DataType = pa.duration(unit)
    else:
        zoned = any(isinstance(value, datetime) and value.tzinfo for value in values)
        dtype = pa.timestamp(unit, "UTC" if zoned else None)
    counts = [None if each is None or fine else each // _NANOS_PER_MICRO for each in nanos]
    return pa.array(nanos if fine else counts, pa.int64()).cast(dtype)


def _nanos(value: Any) -> int:
    """Return the nanoseconds that a value of pandas has and Python's class of it lacks."""
    if isinstance(value, datetime):
        return getattr(value, "nanosecond", 0)
    return getattr(value, "nanoseconds", 0) if isinstance(value, timedelta) else 0


def _total(value: Any) -> int:
    """Return the nanoseconds since 1970, or of a duration."""
    if isinstance(value, np.datetime64 | np.timedelta64):
        return _total_of_numpy(value)
    if isinstance(value, timedelta):
        # Only the parts that Python knows: pandas counts its nanoseconds apart.
        seconds = value.days * 86_400 + value.seconds
        return (seconds * 10**6 + value.microseconds) * _NANOS_PER_MICRO + _nanos(value)
    plain = value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
    if plain.tzinfo is None:
        plain = plain.replace(tzinfo=UTC)
    return to_micros(plain) * _NANOS_PER_MICRO + _nanos(value)


def _total_of_numpy(value: np.datetime64 | np.timedelta64) -> int:
    unit, count = np.datetime_data(value.dtype)
    if unit in ("Y", "M") and isinstance(value, np.datetime64):
        value, unit, count = value.astype("datetime64[D]"), "D", 1
    if unit not in _UNITS:
        raise OverflowError(f"no fixed length: {unit}")
    nanos = Fraction(int(value.astype("int64")) * count) * _UNITS[unit]
    if nanos.denominator != 1:
        raise OverflowError("finer than a nanosecond")
    return int(nanos)
