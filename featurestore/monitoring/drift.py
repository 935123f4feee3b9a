"""Drift: how far the distributions of one column in two profiles are apart.

All measures are 0 for equal profiles, and stay the same if the two profiles change places. They
are computed from quantiles, histograms and lists of frequent values, not from rows. So the share
of a range of numbers is wrong by at most `Distribution.error`, and categories that a profile does
not list are taken to be as near as possible (`category_shares`).

Two samples of the same rows differ by chance. Each `Distance` has the value that chance alone
exceeds in one of 100 comparisons.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import erfc, exp, log, pi, sqrt

import numpy as np

from featurestore.definitions.model.drift import MEASURES, Measure
from featurestore.monitoring.categories import category_shares
from featurestore.monitoring.distribution import Distribution, Floats, distribution, mixture
from featurestore.monitoring.profile import ColumnProfile

# An empty range has no logarithm. Evidently, a library for drift, takes the same share.
_LEAST_SHARE = 1e-4
_DECILES = np.linspace(0.1, 0.9, 9)
# The 99th percentile of the normal distribution, of one side and of both.
_ONE_SIDE, _BOTH_SIDES = 2.3263, 2.5758
_CATEGORIES = ("String", "Boolean")


@dataclass(frozen=True)
class Distance:
    """The distance of two distributions.

    Args:
        measure: The name of the measure.
        value: The distance; 0 if the distributions are equal.
        chance: The distance that two samples of the same rows, of as many values as these,
            exceed in one of 100 cases. It is an approximation for large samples.
    """

    measure: Measure
    value: float
    chance: float


@dataclass(frozen=True)
class ChiSquared:
    """The result of a chi-squared test.

    Args:
        statistic: The statistic; 0 if the shares are equal.
        freedom: The degrees of freedom: the number of categories less one.
        p: The probability of such a statistic, or a greater one, if both samples are of the same
            rows.
    """

    statistic: float
    freedom: int
    p: float


def distances(
    one: ColumnProfile, other: ColumnProfile, measures: Iterable[Measure] = MEASURES
) -> tuple[Distance, ...]:
    """Return all distances of two profiles of a column that can be computed.

    Args:
        one: A profile.
        other: Another profile of the same column.
        measures: The measures.

    Returns:
        `psi`, `js` and `nulls` of all columns; `ks` of numbers and times; `cramers_v` of texts and
        Booleans. A distance is left out if a profile has not what it needs, such as any values, or
        if one is of numbers and the other one of texts.

    Example:
        >>> column = ColumnProfile("x", type="String", rows=9, nulls=3, top=(("a", 6),))
        >>> [(each.measure, each.value) for each in distances(column, column)]
        [('psi', 0.0), ('js', 0.0), ('cramers_v', 0.0), ('nulls', 0.0)]
    """
    all_of_them = (_OF_MEASURE[measure](one, other) for measure in measures)
    return tuple(each for each in all_of_them if each is not None)


def psi(one: ColumnProfile, other: ColumnProfile) -> Distance | None:
    """Return the population stability index: the sum of ``(p - q) * ln(p / q)`` over all ranges.

    ``p`` and ``q`` are the shares of both profiles in a range or a category; a share below 0.0001
    counts as 0.0001. The limits of the ranges are the deciles of both profiles together. By
    custom, less than 0.1 is no change, and more than 0.25 is a great one.

    Source: N. Siddiqi, Credit Risk Scorecards, Wiley 2006; its distribution by chance: B. Yurdakul
    and J. Naranjo, Statistical properties of the population stability index, Journal of Risk Model
    Validation 14 (4), 2020.

    Returns:
        None if a profile has no values.

    Example:
        >>> less = ColumnProfile("x", type="String", rows=100, nulls=0, top=(("a", 50), ("b", 50)))
        >>> more = ColumnProfile("x", type="String", rows=100, nulls=0, top=(("a", 80), ("b", 20)))
        >>> round(psi(less, more).value, 4)  # 0.3 * ln(1.6) + 0.3 * ln(2.5)
        0.4159
    """
    shares = _shares(one, other)
    if shares is None:
        return None
    p, q = (np.maximum(each, _LEAST_SHARE) for each in shares)
    value = float(np.sum((p - q) * np.log(p / q)))
    return Distance("psi", value, _psi_by_chance(one, other, *shares))


def js(one: ColumnProfile, other: ColumnProfile) -> Distance | None:
    """Return the Jensen-Shannon distance, from 0 to 1, over the ranges of `psi`.

    It is the square root of ``(KL(p, m) + KL(q, m)) / 2``, where ``m`` is the mean of ``p`` and
    ``q``, and ``KL(p, m)`` is the sum of ``p * log2(p / m)``. The distance over ranges is never
    greater than that of all values.

    Source: J. Lin, Divergence measures based on the Shannon entropy, IEEE Transactions on
    Information Theory 37 (1), 1991; that the root is a metric: D. Endres and J. Schindelin, A new
    metric for probability distributions, IEEE Transactions on Information Theory 49 (7), 2003.

    Returns:
        None if a profile has no values.

    Example:
        >>> less = ColumnProfile("x", type="String", rows=100, nulls=0, top=(("a", 100),))
        >>> more = ColumnProfile("x", type="String", rows=100, nulls=0, top=(("b", 100),))
        >>> js(less, more).value
        1.0
    """
    shares = _shares(one, other)
    if shares is None:
        return None
    p, q = shares
    divergence = (_relative_entropy(p, (p + q) / 2) + _relative_entropy(q, (p + q) / 2)) / 2
    # By Taylor's series, a small index of stability is 8 times the divergence in nats.
    chance = sqrt(_psi_by_chance(one, other, p, q) / (8 * log(2)))
    return Distance("js", sqrt(max(0.0, divergence)), min(1.0, chance))


def ks(one: ColumnProfile, other: ColumnProfile) -> Distance | None:
    """Return the Kolmogorov-Smirnov distance of numbers or times, from 0 to 1.

    It is the greatest difference of both distribution functions. It is wrong by at most the sum of
    the `Distribution.error` of both.

    Source: N. Smirnov, Table for estimating the goodness of fit of empirical distributions, Annals
    of Mathematical Statistics 19 (2), 1948.

    Returns:
        None for texts and Booleans, and if a profile has no values.

    Example:
        >>> low = ColumnProfile("x", type="Float64", rows=9, nulls=0, minimum=0.0, maximum=10.0)
        >>> high = ColumnProfile("x", type="Float64", rows=9, nulls=0, minimum=5.0, maximum=15.0)
        >>> ks(low, high).value
        0.5
    """
    both = _distributions(one, other)
    if both is None:
        return None
    numbers = np.unique(np.concatenate([each.numbers for each in both]))
    first, second = both
    below = np.abs(first.below(numbers) - second.below(numbers)).max()
    up_to = np.abs(first.up_to(numbers) - second.up_to(numbers)).max()
    chance = sqrt(-log(0.01 / 2) / 2 * (1 / first.values + 1 / second.values))
    return Distance("ks", float(max(below, up_to)), min(1.0, chance))


def cramers_v(one: ColumnProfile, other: ColumnProfile) -> Distance | None:
    """Return the size of the difference that a chi-squared test finds, from 0 to 1.

    It is Cramér's V of both profiles as if they had equally many values: the square root of half
    the sum of ``(p - q)**2 / (p + q)`` over all categories. With their own numbers of values, the
    same difference would be the smaller, the more values one of them has: the drift of a day
    would not be seen beside those of a year.

    Source: H. Cramér, Mathematical Methods of Statistics, Princeton 1946, section 21.9.

    Returns:
        None for numbers and times, and if a profile has no values.

    Example:
        >>> less = ColumnProfile("x", type="String", rows=900, nulls=0, top=(("a", 900),))
        >>> more = ColumnProfile("x", type="String", rows=10, nulls=0, top=(("a", 5), ("b", 5)))
        >>> round(cramers_v(less, more).value, 4)  # of (0.5**2 / 1.5 + 0.5**2 / 0.5) / 2
        0.5774
    """
    shares = _category_shares(one, other)
    if shares is None:
        return None
    some = shares[0] + shares[1] > 0
    p, q = shares[0][some], shares[1][some]
    value = sqrt(float(np.sum((p - q) ** 2 / (p + q))) / 2)
    by_chance = _percentile_99(len(p) - 1) * (1 / _values(one) + 1 / _values(other))
    return Distance("cramers_v", value, min(1.0, sqrt(by_chance) / 2))


def chi_squared(one: ColumnProfile, other: ColumnProfile) -> ChiSquared | None:
    """Return Pearson's chi-squared test of the counts of categories in two profiles.

    The statistic is the sum of ``(count - expected)**2 / expected`` over the categories of both
    profiles, where the expected count is the number of the profile's values times the share of the
    category in both together. The categories are those of `category_shares`.

    Source: K. Pearson, Philosophical Magazine 50, 1900; the probability: M. Abramowitz and I.
    Stegun, Handbook of Mathematical Functions, 1964, formulas 26.4.4 and 26.4.5.

    Returns:
        None for numbers and times, and if a profile has no values.

    Example:
        >>> less = ColumnProfile("x", type="String", rows=100, nulls=0, top=(("a", 50), ("b", 50)))
        >>> more = ColumnProfile("x", type="String", rows=100, nulls=0, top=(("a", 60), ("b", 40)))
        >>> test = chi_squared(less, more)
        >>> round(test.statistic, 4), test.freedom, round(test.p, 4)
        (2.0202, 1, 0.1552)
    """
    shares = _category_shares(one, other)
    if shares is None:
        return None
    counts = np.stack([shares[0] * _values(one), shares[1] * _values(other)])
    counts = counts[:, counts.sum(axis=0) > 0]
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    statistic = float(np.sum((counts - expected) ** 2 / expected))
    freedom = counts.shape[1] - 1
    return ChiSquared(statistic, freedom, _probability(statistic, freedom))


def nulls(one: ColumnProfile, other: ColumnProfile) -> Distance | None:
    """Return the difference of the shares of rows without a value: of nulls and NaNs.

    By chance: the test of two proportions, as in J. Fleiss, Statistical Methods for Rates and
    Proportions, Wiley 1981, section 2.3.

    Returns:
        None if a profile has no rows.

    Example:
        >>> few = ColumnProfile("x", type="Float64", rows=100, nulls=1)
        >>> many = ColumnProfile("x", type="Float64", rows=100, nulls=20, nans=1)
        >>> round(nulls(few, many).value, 4)
        0.2
    """
    if not one.rows or not other.rows:
        return None
    absent = [each.nulls + each.nans for each in (one, other)]
    share = sum(absent) / (one.rows + other.rows)
    chance = _BOTH_SIDES * sqrt(share * (1 - share) * (1 / one.rows + 1 / other.rows))
    return Distance("nulls", abs(absent[0] / one.rows - absent[1] / other.rows), chance)


_OF_MEASURE: dict[Measure, Callable[[ColumnProfile, ColumnProfile], Distance | None]] = {
    "psi": psi,
    "js": js,
    "ks": ks,
    "cramers_v": cramers_v,
    "nulls": nulls,
}


def _shares(one: ColumnProfile, other: ColumnProfile) -> tuple[Floats, Floats] | None:
    """Return the shares of both profiles in ranges of numbers, or in categories."""
    categories = _category_shares(one, other)
    if categories is not None:
        return categories
    both = _distributions(one, other)
    if both is None:
        return None
    limits = np.unique(mixture(both, (0.5, 0.5)).quantiles(_DECILES))
    # Two deciles at one frequent number may differ by rounding: they are one limit.
    limits = limits[np.diff(limits, append=np.inf) > 1e-12 * np.abs(limits)]
    first, second = (_in_ranges(each, limits) for each in both)
    return first, second


def _category_shares(one: ColumnProfile, other: ColumnProfile) -> tuple[Floats, Floats] | None:
    """Return the shares in categories; None if one of both has other values than categories."""
    if one.type in _CATEGORIES and other.type in _CATEGORIES:
        return category_shares(one, other)
    return None


def _in_ranges(own: Distribution, limits: Floats) -> Floats:
    """Return the shares up to the first limit, from there up to the next one, and so on."""
    return np.diff(np.concatenate(([0.0], own.up_to(limits), [1.0]))).clip(0.0)


def _distributions(
    one: ColumnProfile, other: ColumnProfile
) -> tuple[Distribution, Distribution] | None:
    if one.type in _CATEGORIES or other.type in _CATEGORIES:
        return None
    first, second = distribution(one), distribution(other)
    return None if first is None or second is None else (first, second)


def _relative_entropy(p: Floats, m: Floats) -> float:
    some = p > 0
    return float(np.sum(p[some] * np.log2(p[some] / m[some])))


def _psi_by_chance(one: ColumnProfile, other: ColumnProfile, p: Floats, q: Floats) -> float:
    ranges = int(np.count_nonzero(p + q > _LEAST_SHARE))
    return _percentile_99(max(1, ranges - 1)) * (1 / _values(one) + 1 / _values(other))


def _values(profile: ColumnProfile) -> int:
    return profile.rows - profile.nulls - profile.nans


def _percentile_99(freedom: int) -> float:
    """Return the 99th percentile of the chi-squared distribution.

    Source: E. Wilson and M. Hilferty, The distribution of chi-square, Proceedings of the National
    Academy of Sciences 17 (12), 1931. It is wrong by less than 1 %.
    """
    if freedom < 1:
        return 0.0
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + _ONE_SIDE * sqrt(part)) ** 3)


def _probability(statistic: float, freedom: int) -> float:
    """Return the probability of a statistic of chi-squared, or of a greater one."""
    if freedom < 1 or statistic <= 0:
        return 1.0
    half = statistic / 2
    if freedom % 2:
        total = erfc(sqrt(half))
        term = sqrt(2 * statistic / pi) * exp(-half)
        start = 3
    else:
        total, term, start = exp(-half), half * exp(-half), 4
    for degree in range(start, freedom + 1, 2):
        total += term
        term *= statistic / degree
    return min(1.0, total)
