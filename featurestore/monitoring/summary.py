"""The statistics of a column, from its sketch."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from featurestore.monitoring.columns import ProfiledColumn
from featurestore.monitoring.counted_values import CountedValues
from featurestore.monitoring.profile import ColumnProfile, Histogram
from featurestore.monitoring.rows import RowsSketch
from featurestore.monitoring.sketch import ColumnSketch
from featurestore.monitoring.sketch_values import sketch_values
from featurestore.monitoring.top_values import number_of

SHARES = tuple(round(each / 100, 2) for each in range(1, 100))
"""The shares of the quantiles between the least and the greatest value."""
PERSONAL_SHARES = tuple(round(each / 100, 2) for each in range(5, 100, 5))
"""The shares of the quantiles of a personal field."""
MOST_VALUES = 50
"""The most frequent values that a profile names."""
FEWEST_PERSONAL = 100
"""The fewest values of a personal field of which there are a mean and quantiles."""
_INTERVALS = 20


def summaries(columns: Iterable[ProfiledColumn], rows: RowsSketch) -> tuple[ColumnProfile, ...]:
    """Return the statistics of columns, from the sketches of their rows.

    Args:
        columns: The columns, in the order of the result.
        rows: The sketches. A column without a sketch is left out.

    Example:
        >>> summaries((), RowsSketch())
        ()
    """
    return tuple(
        summary(column, rows.columns[column.name])
        for column in columns
        if column.name in rows.columns
    )


def table_summaries(
    columns: Iterable[ProfiledColumn], rows: pa.Table
) -> tuple[ColumnProfile, ...]:
    """Return the statistics of the columns of a table, all of them exact but ``distinct``.

    Args:
        columns: The columns, in the order of the result.
        rows: The rows.

    Example:
        >>> from featurestore.monitoring.columns import profiled
        >>> table_summaries([profiled("x", pa.int64())], pa.table({"x": [1, 2, 2]}))[0].mean
        1.6666666666666667
    """
    # One column after the other: the counted values of all of them would be a second table.
    return tuple(summary(each, sketch_values(each, rows[each.name])) for each in columns)


def summary(column: ProfiledColumn, sketch: ColumnSketch) -> ColumnProfile:
    """Return the statistics of a column.

    Of a personal field there is no single value: neither the least and the greatest one nor the
    most frequent ones. With 100 values, it has a mean, a standard deviation, quantiles from 5 % to
    95 % and a histogram, all rounded as in `_personal`. A key has counts only.

    Args:
        column: The column.
        sketch: The sketch of its values.

    Example:
        >>> from featurestore.monitoring.columns import profiled
        >>> import pyarrow as pa
        >>> summary(profiled("x", pa.int64()), ColumnSketch(rows=2, nulls=2)).mean is None
        True
    """
    counts = ColumnProfile(
        column.name,
        type=column.type,
        rows=sketch.rows,
        nulls=sketch.nulls,
        nans=sketch.nans,
        distinct=sketch.distinct_values,
    )
    numeric = bool(sketch.quantiles) and sketch.values > 0
    if column.personal:
        shows_more = numeric and not column.key and sketch.values >= FEWEST_PERSONAL
        return _personal(counts, sketch) if shows_more else counts
    own = replace(counts, minimum=sketch.minimum, maximum=sketch.maximum, top=_top(sketch))
    if not numeric:
        return own
    ordered = _ordered(column.type, sketch)
    quantiles = _quantiles(sketch, ordered)
    return replace(
        own,
        mean=_finite(sketch.mean),
        stddev=_stddev(sketch),
        quantiles=quantiles,
        histogram=_histogram(column.type, sketch, ordered, quantiles),
    )


def _personal(counts: ColumnProfile, sketch: ColumnSketch) -> ColumnProfile:
    """Return the statistics of many personal numbers.

    A quantile is the value of a row, and two means of which the second has one more row give this
    row's value. So all are rounded to the place of the second digit of the standard deviation.
    Without one, as of equal values, there are counts only.
    """
    stddev = _stddev(sketch)
    if not stddev:
        return counts
    places = 1 - math.floor(math.log10(stddev))
    ordered = _ordered(counts.type, sketch)
    values = ordered.get_quantiles(list(PERSONAL_SHARES))
    quantiles = tuple(
        (share, round(float(value), places))
        for share, value in zip(PERSONAL_SHARES, values, strict=True)
    )
    return replace(
        counts,
        mean=round(sketch.mean, places),
        stddev=round(stddev, places),
        quantiles=quantiles,
        histogram=_histogram(counts.type, sketch, ordered, quantiles),
    )


class _Ordered(Protocol):
    """Quantiles of numbers and their shares between edges."""

    def get_quantiles(self, shares: list[float], /) -> Iterable[float]: ...
    def get_pmf(self, edges: list[float], inclusive: bool, /) -> Iterable[float]: ...


def _ordered(type_name: str, sketch: ColumnSketch) -> _Ordered:
    """Return all numbers, exact if they are known; else the KLL sketch, which chance changes."""
    if sketch.counted is not None:
        return sketch.counted
    top = sketch.top
    if top is None or top.error or sum(top.counts.values()) != sketch.values:
        return cast(_Ordered, sketch.quantile_sketch)
    known = sorted((number_of(type_name, text), count) for text, count in top.counts.items())
    return CountedValues(*map(np.array, zip(*known, strict=True)))


def _quantiles(sketch: ColumnSketch, ordered: _Ordered) -> tuple[tuple[float, float], ...]:
    values = ordered.get_quantiles(list(SHARES))
    inner = tuple((share, float(value)) for share, value in zip(SHARES, values, strict=True))
    if sketch.minimum is None or sketch.maximum is None:  # the field was personal
        return inner
    return ((0.0, float(sketch.minimum)), *inner, (1.0, float(sketch.maximum)))


def _stddev(sketch: ColumnSketch) -> float | None:
    if sketch.values < 2:
        return None
    return _finite(math.sqrt(sketch.squares / (sketch.values - 1)))


def _top(sketch: ColumnSketch) -> tuple[tuple[str, int], ...] | None:
    """Return the most frequent values. One that may be as rare as an unlisted one is left out."""
    if sketch.top is None:
        return None
    error = sketch.top.error
    return tuple(each for each in sketch.top.most(MOST_VALUES) if each[1] > error)


def _histogram(
    type_name: str,
    sketch: ColumnSketch,
    ordered: _Ordered,
    quantiles: tuple[tuple[float, float], ...],
) -> Histogram | None:
    """Return the numbers of values in intervals of equal width from the 1 % to the 99 % quantile.

    So a few far values do not hide all others. They are in an interval of their own on each side.
    Of a personal field, the intervals are from the 5 % to the 95 % quantile, and the first and the
    last one have the far values.
    """
    values = dict(quantiles)
    inner = [value for share, value in quantiles if 0 < share < 1]
    low, high = inner[0], inner[-1]
    least, greatest = values.get(0.0, low), values.get(1.0, high)
    if low == high:
        low, high = least, greatest
    if not all(map(math.isfinite, (least, greatest, high - low))):
        return None
    edges = _whole_edges(low, high) if type_name.startswith("Int") else _even_edges(low, high)
    edges = np.unique([min(least, edges[0]), *edges, max(greatest, edges[-1])])
    if len(edges) == 1:
        return Histogram((low, high), (sketch.values,))
    shares = [*ordered.get_pmf(edges[1:-1].tolist(), False)] if len(edges) > 2 else [1.0]
    # Rounded as a running total, so that the counts add up to the number of values.
    totals = np.rint(np.cumsum(shares) * sketch.values).astype(int)
    totals[-1] = sketch.values
    counts = np.diff(totals, prepend=0)
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))


def _even_edges(low: float, high: float) -> npt.NDArray[np.float64]:
    return np.linspace(low, high, _INTERVALS + 1)


def _whole_edges(low: float, high: float) -> npt.NDArray[np.float64]:
    """Return whole numbers as edges, so that each interval has as many of them as the others."""
    width = math.ceil((high - low + 1) / _INTERVALS)
    count = math.ceil((high - low + 1) / width)
    return low + width * np.arange(count + 1, dtype=np.float64)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
