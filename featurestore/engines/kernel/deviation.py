"""stddev: from exact sums of the values and of their squares, in doubled precision.

``n * sum(x * x) - sum(x) ** 2`` cancels; with both sums exact and 100 bits kept of each, what is
left is right to about 1e-15 of the greatest value, without centring, whatever came before.
"""

import numpy as np
import pyarrow as pa

from featurestore.engines.kernel import digits
from featurestore.engines.kernel.arrays import Floats, Ints
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.slices import Slices
from featurestore.engines.kernel.sums import finite, float_digits, specials
from featurestore.query.nodes import Aggregate

_GREATEST, _LEAST = 2.0**400, 2.0**-400
"""Between these the squares' digits neither overflow nor underflow."""


def stddev_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's sample standard deviation, null for fewer than two values."""
    counts = column.counts(slices)
    compute = _from_sums if column.once(_squares_fit) else _from_values
    deviations = compute(column, slices, counts)
    apart = column.once(specials)
    if apart is not None:
        plain = apart.settle(np.zeros(len(slices)), slices)
        deviations = np.where(plain == 0.0, deviations, np.nan)
    return pa.array(deviations, mask=counts < 2)


def _squares_fit(column: Column) -> bool:
    sizes = np.abs(column.once(finite))
    inside = (sizes == 0.0) | ((sizes > _LEAST) & (sizes < _GREATEST))
    return bool(inside.all())


def _square_digits(column: Column) -> digits.Digits:
    values = column.once(finite)
    return digits.of_floats(*digits.two_product(values, values))


def _from_sums(column: Column, slices: Slices, counts: Ints) -> Floats:
    n = counts.astype(np.float64)
    total, total_off = digits.rounded_twice(column.once(float_digits).totals(slices))
    squares, squares_off = digits.rounded_twice(column.once(_square_digits).totals(slices))
    left, left_off = digits.two_product(n, squares)
    right, right_off = digits.two_product(total, total)
    difference, off = digits.two_sum(left, -right)
    off += (left_off + n * squares_off) - (right_off + 2.0 * total * total_off)
    variance = np.maximum(difference + off, 0.0) / np.maximum(n * (n - 1.0), 1.0)
    return np.sqrt(variance)


def _from_values(column: Column, slices: Slices, counts: Ints) -> Floats:
    """Return the same from every single value, scaled by the greatest: slow, for any size."""
    # Only a column with values beyond 1e120 or below 1e-120 comes here.
    values = column.once(finite)
    answer = np.zeros(len(slices))
    for piece, part in slices.pieces():
        answer[piece] = _scaled(column, values, part, counts[piece])
    return answer


def _scaled(column: Column, values: Floats, slices: Slices, counts: Ints) -> Floats:
    slots, owners = slices.slots()
    if column.valid is not None:
        slots, owners = slots[column.valid[slots]], owners[column.valid[slots]]
    exponent = np.full(len(slices), -1100)
    np.maximum.at(exponent, owners, np.frexp(values[slots])[1])
    with np.errstate(under="ignore"):
        scaled = np.ldexp(values[slots], -exponent[owners])
        n = np.maximum(counts, 1)
        centre = np.bincount(owners, scaled, len(slices)) / n
        spread = np.bincount(owners, (scaled - centre[owners]) ** 2, len(slices))
        deviations: Floats = np.ldexp(np.sqrt(spread / np.maximum(n - 1, 1)), exponent)
    return deviations
