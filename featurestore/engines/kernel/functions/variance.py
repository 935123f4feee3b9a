"""variance and stddev: from exact sums of the values and of their squares, in doubled precision.

``n * sum(x * x) - sum(x) ** 2`` cancels; with both sums exact and 100 bits kept of each, what is
left is right to about 1e-15 of the greatest value, without centring, whatever came before.
"""

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Absent, Floats, Ints, nullable
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.functions import Aggregator
from featurestore.engines.kernel.functions.sums import finite, specials
from featurestore.engines.kernel.range_queries import exact_sums as digits
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate

_GREATEST, _LEAST = 2.0**400, 2.0**-400
"""Between these the squares' digits neither overflow nor underflow."""


def variance_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's variance, null for no more values than ``ddof``."""
    scaled, exponent = _deviations(feature, column, slices)
    with np.errstate(over="ignore", under="ignore"):
        variances = np.ldexp(scaled, 2 * exponent)
    return _told(feature, column, slices, variances)


def stddev_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's standard deviation, null for no more values than ``ddof``."""
    scaled, exponent = _deviations(feature, column, slices)
    with np.errstate(under="ignore"):
        deviations = np.ldexp(np.sqrt(scaled), exponent)
    return _told(feature, column, slices, deviations)


def _deviations(feature: Aggregate, column: Column, slices: Slices) -> tuple[Floats, Ints]:
    """Return variances of the finite values, over 4 to the power of exponents."""
    counts = column.counts(slices)
    compute = _from_sums if column.once(_squares_fit) else _from_values
    variances, exponent = compute(column, slices, counts, np.maximum(counts - feature.ddof, 1))
    # One value differs by exactly nothing from its mean; the digits leave 1e-30 of it.
    return np.where(counts == 1, 0.0, variances), exponent


def _told(feature: Aggregate, column: Column, slices: Slices, values: Floats) -> pa.Array:
    apart = column.once(specials)
    if apart is not None:
        plain = apart.settle(np.zeros(len(slices)), slices)
        values = np.where(plain == 0.0, values, np.nan)
    return nullable(values, Absent(column.counts(slices) <= feature.ddof))


def _squares_fit(column: Column) -> bool:
    sizes = np.abs(column.once(finite))
    inside = (sizes == 0.0) | ((sizes > _LEAST) & (sizes < _GREATEST))
    return bool(inside.all())


def _square_digits(column: Column) -> digits.Digits:
    values = column.once(finite)
    return digits.of_floats(*digits.two_product(values, values), grid=digits.narrow)


def _digits(column: Column) -> digits.Digits:
    return digits.of_floats(column.once(finite), grid=digits.narrow)


def _from_sums(column: Column, slices: Slices, counts: Ints, freedom: Ints) -> tuple[Floats, Ints]:
    n = counts.astype(np.float64)
    total, total_off = column.once(_digits).totals(slices).rounded_twice()
    squares, squares_off = column.once(_square_digits).totals(slices).rounded_twice()
    left, left_off = digits.two_product(n, squares)
    right, right_off = digits.two_product(total, total)
    difference, off = digits.two_sum(left, -right)
    off += (left_off + n * squares_off) - (right_off + 2.0 * total * total_off)
    variances = np.maximum(difference + off, 0.0) / np.maximum(n * freedom, 1.0)
    return variances, np.zeros(len(slices), np.int64)


def _from_values(
    column: Column, slices: Slices, counts: Ints, freedom: Ints
) -> tuple[Floats, Ints]:
    """Return the same from every single value, scaled by the greatest: slow, for any size."""
    # Only a column with values beyond 1e120 or below 1e-120 comes here.
    values = column.once(finite)
    variances, exponents = np.zeros(len(slices)), np.zeros(len(slices), np.int64)
    for piece, part in slices.pieces():
        spread, exponents[piece] = _scaled(column, values, part, counts[piece])
        variances[piece] = spread / freedom[piece]
    return variances, exponents


def _scaled(column: Column, values: Floats, slices: Slices, counts: Ints) -> tuple[Floats, Ints]:
    slots, owners = slices.slots()
    if column.valid is not None:
        slots, owners = slots[column.valid[slots]], owners[column.valid[slots]]
    exponent = np.full(len(slices), -1100, np.int64)
    inside = values[slots] != 0.0  # of nothing, frexp says 0: more than of what is below 1
    np.maximum.at(exponent, owners[inside], np.frexp(values[slots[inside]])[1])
    with np.errstate(under="ignore"):
        scaled = np.ldexp(values[slots], -exponent[owners])
        centre = np.bincount(owners, scaled, len(slices)) / np.maximum(counts, 1)
        spread = np.bincount(owners, (scaled - centre[owners]) ** 2, len(slices))
    return spread.astype(np.float64), exponent


AGGREGATORS: dict[str, Aggregator] = {"variance": variance_of, "stddev": stddev_of}
