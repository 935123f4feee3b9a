"""sum and mean, from exact sums that are rounded at most once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from featurestore.definitions.model.types import FLOATS, DataType, Decimal
from featurestore.engines.arrays import (
    Absent,
    Floats,
    Ints,
    Mask,
    floats,
    integers,
    nullable,
    running,
)
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.functions import Aggregator
from featurestore.engines.kernel.functions.overflow import refuse_overflow
from featurestore.engines.kernel.range_queries import exact_sums
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate
from featurestore.store.columns import arrow_type


def sum_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's sum; null without values.

    Raises:
        OverflowAt: A sum of integers or decimals does not fit its type.
    """
    empty = column.absent(slices)
    sums: pa.Array = _SUMS[_family(feature.dtype)](feature, column, slices, empty)
    return sums


def mean_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's mean; null without values."""
    counts = column.counts(slices)
    divisor = np.maximum(counts, 1).astype(np.float64)
    means = _MEANS[_family(feature.dtype)](feature, column, slices, divisor)
    return nullable(means, column.absent(slices))


@dataclass(frozen=True)
class Specials:
    """Counts of a column's NaN and infinities, so that they reach only their own windows.

    Args:
        nan: The running count of NaN.
        plus: The running count of infinity.
        minus: The running count of -infinity.
    """

    nan: Ints
    plus: Ints
    minus: Ints

    def settle(self, sums: Floats, slices: Slices) -> Floats:
        """Return the sums of all values from the sums of the finite ones."""
        plus, minus = slices.sums(self.plus) > 0, slices.sums(self.minus) > 0
        sums = np.where(plus, np.inf, np.where(minus, -np.inf, sums))
        return np.where((slices.sums(self.nan) > 0) | (plus & minus), np.nan, sums)


def numbers(column: Column) -> Floats:
    """Return the values as floats, 0.0 for nulls."""
    values = floats(column.values)
    return values if column.valid is None else np.where(column.valid, values, 0.0)


def plain_numbers(column: Column) -> Floats:
    """Return `numbers` with 0.0 for -0.0."""
    with np.errstate(invalid="ignore"):  # NumPy warns of signalling NaN
        return column.once(numbers) + 0.0


def finite(column: Column) -> Floats:
    """Return the values as floats, 0.0 for nulls, NaN and infinities."""
    values = column.once(numbers)
    fine = np.isfinite(values)
    return values if fine.all() else np.where(fine, values, 0.0)


def specials(column: Column) -> Specials | None:
    """Return the counts of NaN and infinities; None if all values are finite."""
    values = column.once(numbers)
    if np.isfinite(values).all():
        return None
    counted = np.isnan(values), values == np.inf, values == -np.inf
    return Specials(*(running(mask) for mask in counted))


def float_sums(column: Column) -> exact_sums.ExactSums:
    """Return the exact sums of the finite values."""
    return exact_sums.of_floats(column.once(finite))


def _float_totals(column: Column, slices: Slices) -> Floats:
    return column.once(float_sums).rounded(slices)


def _integer_sums(column: Column) -> exact_sums.ExactSums:
    values = integers(column.values)
    return exact_sums.of_integers(values if column.valid is None else values * column.valid)


def _decimal_sums(column: Column) -> exact_sums.ExactSums:
    return exact_sums.of_decimals(column.values, column.valid)


def _float_sum(feature: Aggregate, column: Column, slices: Slices, empty: Absent) -> pa.Array:
    sums = column.at(slices, _float_totals)
    apart = column.once(specials)
    return nullable(sums if apart is None else apart.settle(sums, slices), empty)


def _integer_sum(feature: Aggregate, column: Column, slices: Slices, empty: Absent) -> pa.Array:
    sums, *above = column.once(_integer_sums).totals(slices).digits
    if above:
        high = above[0] + (sums >> exact_sums.BITS)
        refuse_overflow(high != high.astype(np.int32))
        sums = (high << exact_sums.BITS) | (sums & exact_sums.LOW)
    return nullable(sums, empty)


def _decimal_sum(feature: Aggregate, column: Column, slices: Slices, empty: Absent) -> pa.Array:
    totals = column.once(_decimal_sums).totals(slices).digits
    words = np.empty((len(slices), 4), np.uint32)
    carry = np.zeros(len(slices), np.int64)
    for digit in range(4):
        total = totals[digit] + carry
        words[:, digit] = total & exact_sums.LOW
        carry = total >> exact_sums.BITS
    refuse_overflow((total != total.astype(np.int32)) | _beyond_38_digits(words))
    return nullable(words, empty, arrow_type(feature.result))


def _beyond_38_digits(words: np.ndarray) -> Mask:
    """Return which integers of 128 bits, in words of 32 bits, have more than 38 decimal digits."""
    low, high = words.view(np.uint64)[:, 0], words.view(np.int64)[:, 1]
    most_high, most_low = divmod(10**38, 1 << 64)
    least_high, least_low = divmod(-(10**38), 1 << 64)
    above = (high > most_high) | ((high == most_high) & (low >= np.uint64(most_low)))
    below = (high < least_high) | ((high == least_high) & (low <= np.uint64(least_low)))
    beyond: Mask = above | below
    return beyond


def _float_mean(feature: Aggregate, column: Column, slices: Slices, divisor: Floats) -> Floats:
    sums = column.at(slices, _float_totals)
    means = sums / divisor
    if not np.isfinite(sums).all():
        # The sum is beyond the greatest float, the mean is not.
        beyond = np.flatnonzero(np.isinf(sums)).tolist()
        totals = column.once(float_sums).totals(slices)
        means[beyond] = [totals.nearest(at, int(divisor[at])) for at in beyond]
    apart = column.once(specials)
    return means if apart is None else apart.settle(means, slices)


def _integer_mean(feature: Aggregate, column: Column, slices: Slices, divisor: Floats) -> Floats:
    return column.once(_integer_sums).totals(slices).rounded() / divisor


def _decimal_mean(feature: Aggregate, column: Column, slices: Slices, divisor: Floats) -> Floats:
    unscaled = column.once(_decimal_sums).totals(slices).rounded() / divisor
    one = float(10**column.values.type.scale)
    return unscaled / one


def _family(dtype: DataType | None) -> str:
    if isinstance(dtype, Decimal):
        return "decimal"
    return "float" if dtype in FLOATS else "integer"


_SUMS: dict[str, Callable[[Aggregate, Column, Slices, Absent], pa.Array]] = {
    "float": _float_sum,
    "integer": _integer_sum,
    "decimal": _decimal_sum,
}
_MEANS: dict[str, Callable[[Aggregate, Column, Slices, Floats], Floats]] = {
    "float": _float_mean,
    "integer": _integer_mean,
    "decimal": _decimal_mean,
}


AGGREGATORS: dict[str, Aggregator] = {"sum": sum_of, "mean": mean_of}
