"""JSON that each reader of JSON takes: NaN and infinities, times and decimals are texts."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import singledispatch
from typing import Any
from uuid import UUID

from featurestore.errors import FeatureStoreError

_MICROS = timedelta(microseconds=1)


def json_text(value: object, *, indent: int | None = None) -> str:
    """Return a value as JSON.

    Args:
        value: Data: numbers, texts, times, decimals, bytes, lists, dicts, dataclasses and errors.
        indent: The spaces of each level. None for one line.

    Returns:
        JSON. A float that JSON does not have is ``"NaN"``, ``"Infinity"`` or ``"-Infinity"``, as
        Spark writes it. Times are ISO 8601. Bytes are hexadecimal digits. Decimals are texts.

    Raises:
        TypeError: The value is of another type.

    Example:
        >>> json_text({"x": [1.5, float("nan")], "price": Decimal("1.50")})
        '{"x": [1.5, "NaN"], "price": "1.50"}'
    """
    try:
        # PERF: most rows have finite numbers only, which the library checks much faster.
        return json.dumps(value, default=_data, allow_nan=False, indent=indent)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False, indent=indent)


def duration_text(micros: int, digits: int = 6) -> str:
    """Return a duration as ISO 8601, in seconds.

    Args:
        micros: The number of microseconds, or of another unit.
        digits: The unit, as the number of digits after the point of a second.

    Example:
        >>> duration_text(-1_500_000), duration_text(60, 0)
        ('-PT1.5S', 'PT60S')
    """
    seconds, rest = divmod(abs(micros), 10**digits)
    fraction = f".{rest:0{digits}}".rstrip("0") if rest else ""
    return f"{'-' if micros < 0 else ''}PT{seconds}{fraction}S"


def _finite(value: object) -> object:
    """Return the value with texts in place of NaN and infinities."""
    if isinstance(value, float):
        return value if math.isfinite(value) else _float_text(value)
    if isinstance(value, str | int | None):
        return value
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_finite(each) for each in value]
    return _finite(_data(value))


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


@singledispatch
def _data(value: object) -> Any:
    """Return a value that JSON does not have as one that it has."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if hasattr(value, "item"):  # a number of NumPy
        return value.item()
    raise TypeError(f"{type(value).__name__} is no value of JSON")


@_data.register
def _(value: FeatureStoreError) -> Any:
    parts = {"call": value.call, "found": value.found, "fix": value.fix}
    return {"type": type(value).__name__, **parts}


@_data.register(date)
@_data.register(datetime)
@_data.register(time)
def _(value: date | time) -> Any:
    return value.isoformat()


@_data.register
def _(value: timedelta) -> Any:
    nanos = getattr(value, "value", None)  # of pandas' Timedelta
    return duration_text(value // _MICROS) if nanos is None else duration_text(nanos, 9)


@_data.register(Decimal)
@_data.register(UUID)
def _(value: Decimal | UUID) -> Any:
    return str(value)


@_data.register
def _(value: bytes) -> Any:
    return value.hex()
