"""The aggregation functions, as exact as Python can compute them.

Each takes the feature and the values in a window, without nulls, in the order of rank.
"""

import math
from collections import Counter
from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction
from typing import Any

from featurestore.definitions.model.functions import require_every_function
from featurestore.definitions.model.types import FLOATS
from featurestore.definitions.model.types import Decimal as DecimalType
from featurestore.query.nodes import Aggregate

ZERO = Fraction(0)
EXACT = Context(prec=2000, Emax=MAX_EMAX, Emin=MIN_EMIN)


class IntegerOverflowError(Exception):
    """A window's sum does not fit the feature's type; the message is the feature's name."""


def count(feature: Aggregate, values: list[Any]) -> Any:
    """Return the number of values."""
    return len(values)


def total(feature: Aggregate, values: list[Any]) -> Any:
    """Return the sum in the type of the result.

    Raises:
        IntegerOverflowError: A sum of integers or decimals does not fit that type.
    """
    if not values:
        return None
    if feature.dtype in FLOATS:
        return float_total(values)
    if isinstance(feature.dtype, DecimalType):
        result = _decimal_total(values)
        if EXACT.abs(result) >= EXACT.scaleb(Decimal(1), 38 - feature.dtype.scale):
            raise IntegerOverflowError(feature.output)
        return result
    result = sum(values)
    if not -(2**63) <= result < 2**63:
        raise IntegerOverflowError(feature.output)
    return result


def _decimal_total(values: list[Decimal]) -> Decimal:
    result = Decimal(0)
    for each in values:
        result = EXACT.add(result, each)
    return result


def float_total(values: list[float]) -> float:
    """Return the sum of floats: the exact sum, rounded once."""
    special = [each for each in values if not math.isfinite(each)]
    if special:
        return math.fsum(special) if len({*map(str, special)}) == 1 else math.nan
    return to_float(sum(map(Fraction, values), ZERO))


def mean(feature: Aggregate, values: list[Any]) -> Any:
    """Return the mean: the exact mean, rounded once."""
    if not values:
        return None
    if any(not math.isfinite(each) for each in values):
        return float_total(values)
    return to_float(sum(map(Fraction, values), ZERO) / len(values))


def variance(feature: Aggregate, values: list[Any]) -> Any:
    """Return the variance; null for at most ``ddof`` values, NaN if a value is not finite."""
    exact = _variance(feature, values)
    return to_float(exact) if isinstance(exact, Fraction) else exact


def stddev(feature: Aggregate, values: list[Any]) -> Any:
    """Return the square root of the variance."""
    exact = _variance(feature, values)
    if not isinstance(exact, Fraction):
        return exact
    return float(EXACT.sqrt(EXACT.divide(Decimal(exact.numerator), Decimal(exact.denominator))))


def _variance(feature: Aggregate, values: list[Any]) -> Any:
    if len(values) <= feature.ddof:
        return None
    if any(not math.isfinite(each) for each in values):
        return math.nan
    middle = sum(map(Fraction, values), ZERO) / len(values)
    squares = sum(((Fraction(each) - middle) * (Fraction(each) - middle) for each in values), ZERO)
    return squares / (len(values) - feature.ddof)


def least(feature: Aggregate, values: list[Any]) -> Any:
    """Return the least value; NaN if a value is NaN."""
    return _extreme(min, values)


def greatest(feature: Aggregate, values: list[Any]) -> Any:
    """Return the greatest value; NaN if a value is NaN."""
    return _extreme(max, values)


def _extreme(choose: Callable[[list[Any]], Any], values: list[Any]) -> Any:
    if not values:
        return None
    if any(is_nan(each) for each in values):
        return math.nan
    return plain(choose(values))


def first(feature: Aggregate, values: list[Any]) -> Any:
    """Return the value of the lowest rank."""
    return values[0] if values else None


def last(feature: Aggregate, values: list[Any]) -> Any:
    """Return the value of the highest rank."""
    return values[-1] if values else None


def first_n(feature: Aggregate, values: list[Any]) -> Any:
    """Return the values of the lowest ranks, oldest first."""
    return values[: feature.number]


def last_n(feature: Aggregate, values: list[Any]) -> Any:
    """Return the values of the highest ranks, newest first."""
    return values[::-1][: feature.number]


def top_n(feature: Aggregate, values: list[Any]) -> Any:
    """Return the greatest values, descending; NaN is greater than every number."""
    return [plain(each) for each in sorted(values, key=nan_last, reverse=True)][: feature.number]


def mode(feature: Aggregate, values: list[Any]) -> Any:
    """Return the most frequent value; if several are, the least. All NaN are one value."""
    counts = Counter("NaN" if is_nan(each) else each for each in values)
    most = [
        each for each in values if counts["NaN" if is_nan(each) else each] == max(counts.values())
    ]
    return plain(min(most, key=nan_last)) if most else None


def percentile(feature: Aggregate, values: list[Any]) -> Any:
    """Return the percentile of the sorted values, interpolated linearly between neighbours.

    It is NaN if a value is NaN.
    """
    if not values:
        return None
    if any(is_nan(each) for each in values):
        return math.nan
    below, rest = divmod((len(values) - 1) * (feature.number or 0), 100)
    low, *others = sorted(values)[below:]
    high = others[0] if rest else low
    if low == high or not (math.isfinite(low) and math.isfinite(high)):
        return float(low) if low == high else float(low) + float(high)
    return to_float(Fraction(low) + (Fraction(high) - Fraction(low)) * Fraction(rest, 100))


def nan_last(each: Any) -> tuple[bool, Any]:
    """Return the sort key of a value: NaN sorts after every number."""
    return (True, 0) if is_nan(each) else (False, each)


def plain(each: Any) -> Any:
    """Return the value, with 0.0 for -0.0."""
    return each + 0.0 if isinstance(each, float) else each


def some(feature: Aggregate, values: list[Any]) -> Any:
    """Return whether any value is true."""
    return any(values) if values else None


def every(feature: Aggregate, values: list[Any]) -> Any:
    """Return whether all values are true."""
    return all(values) if values else None


def count_distinct(feature: Aggregate, values: list[Any]) -> Any:
    """Return the number of different values; all NaN are one value, and -0.0 equals 0.0."""
    return len({"NaN" if is_nan(each) else each for each in values})


def is_nan(each: Any) -> bool:
    """Return whether a value is the float NaN."""
    return isinstance(each, float) and math.isnan(each)


def to_float(exact: Fraction) -> float:
    """Return the nearest float; infinity if the number is beyond the greatest float."""
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


FUNCTIONS: dict[str, Callable[[Aggregate, list[Any]], Any]] = {
    "count": count,
    "sum": total,
    "mean": mean,
    "variance": variance,
    "stddev": stddev,
    "min": least,
    "max": greatest,
    "first": first,
    "last": last,
    "first_n": first_n,
    "last_n": last_n,
    "top_n": top_n,
    "mode": mode,
    "percentile": percentile,
    "any": some,
    "all": every,
    "count_distinct": count_distinct,
}
"""The functions by name: each returns the answer from the values in a window, in rank order."""

require_every_function(FUNCTIONS, "featurestore/engines/reference/functions.py")
