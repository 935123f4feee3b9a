"""variance and stddev, from exact sums of the values and of their squares.

``n * sum(x * x) - sum(x) ** 2`` loses digits by cancellation. Here both sums are exact and are
used with 100 bits, so that the result is right to about 1e-15 of the greatest value, without
centring, for any history.
"""

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Absent, Floats, Ints, Mask, nullable, running
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.functions import Aggregator
from featurestore.engines.kernel.functions.sums import finite, specials
from featurestore.engines.kernel.range_queries import exact_sums
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate

_GREATEST, _LEAST = 2.0**400, 2.0**-400
"""Between these sizes, the digits of squares neither overflow nor underflow."""


def variance_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's variance; null for at most ``ddof`` values."""
    scaled, exponent = _deviations(feature, column, slices)
    with np.errstate(over="ignore", under="ignore"):
        variances = np.ldexp(scaled, 2 * exponent)
    return _with_nulls(feature, column, slices, variances)


def stddev_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's standard deviation; null for at most ``ddof`` values."""
    scaled, exponent = _deviations(feature, column, slices)
    with np.errstate(under="ignore"):
        deviations = np.ldexp(np.sqrt(scaled), exponent)
    return _with_nulls(feature, column, slices, deviations)


def _deviations(feature: Aggregate, column: Column, slices: Slices) -> tuple[Floats, Ints]:
    """Return the variances of the finite values as (v, e): each is ``v * 4 ** e``."""
    counts = column.counts(slices)
    freedom = np.maximum(counts - feature.ddof, 1)
    variances, exponent = _from_sums(column, slices, counts, freedom)
    extremes = column.once(_running_extremes)
    if extremes is not None:
        # Only where a window itself has such a value: another row must not change its last bit.
        those = np.flatnonzero(slices.sums(extremes))
        variances[those], exponent[those] = _from_values(
            column, slices.only(those), counts[those], freedom[those]
        )
    # A single value equals its mean; the sums would leave 1e-30 of it.
    return np.where(counts == 1, 0.0, variances), exponent


def _with_nulls(feature: Aggregate, column: Column, slices: Slices, values: Floats) -> pa.Array:
    """Return the values, NaN where a value is not finite and null for too few values."""
    apart = column.once(specials)
    if apart is not None:
        plain = apart.settle(np.zeros(len(slices)), slices)
        values = np.where(plain == 0.0, values, np.nan)
    return nullable(values, Absent(column.counts(slices) <= feature.ddof))


def _extremes(column: Column) -> Mask:
    """Return which values have squares that are beyond the range of floats."""
    sizes = np.abs(column.once(finite))
    extremes: Mask = (sizes != 0.0) & ((sizes <= _LEAST) | (sizes >= _GREATEST))
    return extremes


def _running_extremes(column: Column) -> Ints | None:
    """Return the running count of values with squares beyond the range; None if all fit."""
    extremes = column.once(_extremes)
    return running(extremes) if extremes.any() else None


def _moderate(column: Column) -> Floats:
    """Return the finite values, 0.0 for those with squares beyond the range."""
    values, extremes = column.once(finite), column.once(_extremes)
    return np.where(extremes, 0.0, values) if extremes.any() else values


def _sums_of_squares(column: Column) -> exact_sums.ExactSums:
    values = column.once(_moderate)
    return exact_sums.of_floats(*exact_sums.two_product(values, values), grid=exact_sums.narrow)


def _sums_of_values(column: Column) -> exact_sums.ExactSums:
    return exact_sums.of_floats(column.once(_moderate), grid=exact_sums.narrow)


def _from_sums(column: Column, slices: Slices, counts: Ints, freedom: Ints) -> tuple[Floats, Ints]:
    n = counts.astype(np.float64)
    total, total_off = column.once(_sums_of_values).totals(slices).rounded_twice()
    squares, squares_off = column.once(_sums_of_squares).totals(slices).rounded_twice()
    left, left_off = exact_sums.two_product(n, squares)
    right, right_off = exact_sums.two_product(total, total)
    difference, off = exact_sums.two_sum(left, -right)
    off += (left_off + n * squares_off) - (right_off + 2.0 * total * total_off)
    variances = np.maximum(difference + off, 0.0) / np.maximum(n * freedom, 1.0)
    return variances, np.zeros(len(slices), np.int64)


def _from_values(
    column: Column, slices: Slices, counts: Ints, freedom: Ints
) -> tuple[Floats, Ints]:
    """Return the same from each value by itself, scaled by the greatest one.

    This is slow but right for any size. It is used only for windows with values beyond 1e120 or
    below 1e-120.
    """
    values = column.once(finite)
    variances, exponents = np.zeros(len(slices)), np.zeros(len(slices), np.int64)
    for piece, part in slices.pieces():
        spread, exponents[piece] = _scaled(column, values, part, counts[piece])
        variances[piece] = spread / freedom[piece]
    return variances, exponents


def _scaled(column: Column, values: Floats, slices: Slices, counts: Ints) -> tuple[Floats, Ints]:
    """Return the sums of squared deviations as (v, e): each is ``v * 4 ** e``."""
    slots, owners = slices.slots()
    if column.valid is not None:
        slots, owners = slots[column.valid[slots]], owners[column.valid[slots]]
    exponent = np.full(len(slices), -1100, np.int64)
    inside = values[slots] != 0.0  # frexp gives 0 for 0.0: more than for any number below 0.5
    np.maximum.at(exponent, owners[inside], np.frexp(values[slots[inside]])[1])
    with np.errstate(under="ignore"):
        scaled = np.ldexp(values[slots], -exponent[owners])
        centre = np.bincount(owners, scaled, len(slices)) / np.maximum(counts, 1)
        spread = np.bincount(owners, (scaled - centre[owners]) ** 2, len(slices))
    return spread.astype(np.float64), exponent


AGGREGATORS: dict[str, Aggregator] = {"variance": variance_of, "stddev": stddev_of}
