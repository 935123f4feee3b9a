"""The statistics of a data file in the Delta log, in the form in which Spark writes them."""

import json
import math
from datetime import date, datetime
from functools import singledispatch

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.times import from_micros

# Delta's defaults: columns after these have no statistics, and texts are cut.
_MOST_COLUMNS = 32
_LONGEST_TEXT = 32
# After a cut text, it makes an upper bound: no letter is greater.
_GREATEST_LETTER = "\U0010ffff"
_IS_BOUNDED = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_string,
    pa.types.is_timestamp,
    pa.types.is_date,
)  # not decimals: readers of JSON round its numbers


def file_statistics(rows: pa.Table) -> str:
    """Return the statistics of a file as Delta's JSON: the row count, bounds and nulls.

    A column without bounds is one that Delta has none of, or whose bounds JSON cannot say exactly.
    Readers then open the file.

    Args:
        rows: The rows of the file.

    Example:
        >>> file_statistics(pa.table({"k": [1, 2, None]}))
        '{"numRecords": 3, "minValues": {"k": 1}, "maxValues": {"k": 2}, "nullCount": {"k": 1}}'
    """
    names = rows.column_names[:_MOST_COLUMNS]
    bounds = {name: span for name in names if (span := _bounds(rows[name])) is not None}
    statistics = {
        "numRecords": rows.num_rows,
        "minValues": {name: low for name, (low, _) in bounds.items()},
        "maxValues": {name: high for name, (_, high) in bounds.items()},
        "nullCount": {name: rows[name].null_count for name in names},
    }
    return json.dumps(statistics, ensure_ascii=False)


def _bounds(column: pa.ChunkedArray) -> tuple[object, object] | None:
    """Return the bounds of a column as values of JSON; None if they cannot be stated."""
    kind = column.type
    if column.null_count == len(column) or not any(test(kind) for test in _IS_BOUNDED):
        return None
    if pa.types.is_floating(kind) and pc.any(pc.is_nan(column)).as_py():
        return None  # a NaN is greater than every number, and JSON has none
    both = pc.min_max(column)
    try:
        least, greatest = (_value(both[side]) for side in ("min", "max"))
    except OverflowError:  # a time outside of Python's years 1 to 9999
        return None
    low, high = _lower(least), _upper(greatest)
    return None if low is None or high is None else (low, high)


def _value(bound: pa.Scalar) -> object:
    if pa.types.is_timestamp(bound.type):  # `as_py` would import pandas, which takes 0.45 s
        return from_micros(bound.cast(pa.int64()).as_py())
    return bound.as_py()


@singledispatch
def _lower(value: object) -> object | None:
    return value


@_lower.register
def _(value: float) -> object | None:
    return value if math.isfinite(value) else None


@_lower.register
def _(value: str) -> object | None:
    return value[:_LONGEST_TEXT]


@_lower.register
def _(value: date) -> object | None:
    return value.isoformat()


@_lower.register
def _(value: datetime) -> object | None:
    # Spark writes whole milliseconds, rounded down; readers add one to an upper bound.
    return f"{value.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _upper(value: object) -> object | None:
    if not isinstance(value, str) or len(value) <= _LONGEST_TEXT:
        return _lower(value)
    if value[_LONGEST_TEXT] == _GREATEST_LETTER:
        return None
    return value[:_LONGEST_TEXT] + _GREATEST_LETTER
