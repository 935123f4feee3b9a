"""`Distribution`: the distribution of a column's numbers, as far as its profile shows it."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Literal

import numpy as np
import numpy.typing as npt

from featurestore.monitoring.profile import ColumnProfile
from featurestore.monitoring.top_values import number_of

Floats = npt.NDArray[np.float64]
_GREATEST = sys.float_info.max


@dataclass(frozen=True)
class Distribution:
    """The distribution function of numbers: known at some numbers, and straight between them.

    Args:
        numbers: The numbers where it is known, ascending. Each stands twice: for the share of
            values below it, and for the share of values up to it.
        shares: The shares at ``numbers``, from 0 to 1, ascending.
        values: The number of values.
    """

    numbers: Floats
    shares: Floats
    values: int

    def up_to(self, numbers: Floats) -> Floats:
        """Return the share of values up to each number, the number included."""
        return self._at(numbers, "right")

    def below(self, numbers: Floats) -> Floats:
        """Return the share of values below each number."""
        return self._at(numbers, "left")

    def quantiles(self, shares: Floats) -> Floats:
        """Return the number below or at which each share of the values is."""
        after = np.clip(np.searchsorted(self.shares, shares), 1, len(self.shares) - 1)
        low, high = self.shares[after - 1], self.shares[after]
        part = np.where(high > low, (shares - low) / np.where(high > low, high - low, 1.0), 0.0)
        start, end = self.numbers[after - 1], self.numbers[after]
        numbers: Floats = start * (1 - part.clip(0.0, 1.0)) + end * part.clip(0.0, 1.0)
        return numbers

    @property
    def error(self) -> float:
        """The greatest error of a share: the greatest share between two numbers that are known.

        The error of the profile's own quantiles, if they are approximate, comes in addition.
        """
        gaps = np.diff(np.concatenate(([0.0], self.shares, [1.0])))[::2]
        return float(gaps.max(initial=0.0))

    def _at(self, numbers: Floats, side: Literal["left", "right"]) -> Floats:
        # Halved, so that the distance of the greatest floats is finite.
        if not len(self.numbers):
            return np.zeros(len(numbers))
        own, points = self.numbers / 2, numbers / 2
        after = np.searchsorted(self.numbers, numbers, side=side)
        first, second = np.maximum(after - 1, 0), np.minimum(after, len(own) - 1)
        width = own[second] - own[first]
        part = np.where(width > 0, (points - own[first]) / np.where(width > 0, width, 1.0), 0.0)
        low, high = self.shares[first], self.shares[second]
        between: Floats = low + np.clip(part, 0.0, 1.0) * (high - low)
        return between


@lru_cache(maxsize=256)  # PERF: each measure needs it
def distribution(profile: ColumnProfile) -> Distribution | None:
    """Return the distribution of a column's numbers; None if the profile does not show it.

    It is known at the quantiles, at the edges of the histogram and at the most frequent numbers,
    and assumed to be straight between them. So a share is wrong by at most `Distribution.error`.
    Nulls and NaNs do not count. Infinity counts as the greatest float.

    Args:
        profile: The profile of numbers or of times.

    Example:
        >>> import numpy as np
        >>> halves = ColumnProfile("x", type="Float64", rows=4, nulls=0,
        ...                        quantiles=((0.0, 0.0), (0.5, 10.0), (1.0, 20.0)))
        >>> distribution(halves).up_to(np.array([5.0, 20.0])).tolist()
        [0.25, 1.0]
    """
    values = profile.rows - profile.nulls - profile.nans
    if values <= 0:
        return None
    frequent = _frequent(profile, values)
    quantiles, edges = _quantiles(profile), _edges(profile)
    # The share at a frequent number is between those below it and up to it.
    quantiles = quantiles[~np.isin(quantiles[:, 0], frequent.numbers)]
    numbers = np.concatenate([quantiles[:, 0], edges[:, 0]])
    # Shares of the other numbers: of all values, without the frequent ones.
    others = np.concatenate(
        [
            quantiles[:, 1] - frequent.up_to(quantiles[:, 0]),
            edges[:, 1] - frequent.below(edges[:, 0]),
        ]
    )
    if not len(numbers) and not len(frequent.numbers):
        return None
    most = max(0.0, 1.0 - float(frequent.shares.max(initial=0.0)))
    return _sum([_of_knots(numbers, others.clip(0.0, most)), frequent], [1.0, 1.0], values)


def mixture(parts: Sequence[Distribution], weights: Sequence[float]) -> Distribution:
    """Return the distribution of the values of several sets together.

    Args:
        parts: The distribution of each set; at least one.
        weights: The share of each set; their sum is 1.
    """
    return _sum(parts, weights, sum(part.values for part in parts))


def _sum(parts: Sequence[Distribution], weights: Sequence[float], values: int) -> Distribution:
    numbers = np.unique(np.concatenate([part.numbers for part in parts]))
    shares = np.zeros(2 * len(numbers))
    for part, weight in zip(parts, weights, strict=True):
        shares[::2] += weight * part.below(numbers)
        shares[1::2] += weight * part.up_to(numbers)
    return Distribution(np.repeat(numbers, 2), np.maximum.accumulate(shares), values)


def _frequent(profile: ColumnProfile, values: int) -> Distribution:
    """Return the steps of the distribution at the most frequent numbers."""
    top = dict(_frequent_numbers(profile))
    # Approximate counts may have a sum that is too great.
    total = max(values, sum(top.values()))
    sums = np.cumsum([0, *(top[number] for number in sorted(top))]) / total
    return Distribution(np.repeat(sorted(top), 2), np.repeat(sums, 2)[1:-1], values)


def _frequent_numbers(profile: ColumnProfile) -> Iterator[tuple[float, int]]:
    for text, count in profile.top or ():
        try:
            number = number_of(profile.type, text)
        except ValueError:  # a time
            continue
        yield _bounded(number), count


def _quantiles(profile: ColumnProfile) -> Floats:
    """Return pairs of a number and the share of values up to it."""
    extremes = ((0.0, profile.minimum), (1.0, profile.maximum))
    pairs = ((_number(value), share) for share, value in (*profile.quantiles, *extremes))
    return _pairs((number, share) for number, share in pairs if number is not None)


def _edges(profile: ColumnProfile) -> Floats:
    """Return pairs of an edge of the histogram and the share of values below it."""
    histogram = profile.histogram
    if histogram is None or not sum(histogram.counts) or not _is_bounded(profile):
        return _pairs(())
    total = sum(histogram.counts)
    below = (count / total for count in accumulate((0, *histogram.counts)))
    return _pairs(zip(histogram.edges, below, strict=True))


def _pairs(pairs: Iterable[tuple[float, float]]) -> Floats:
    return np.array([*pairs], np.float64).reshape(-1, 2)


def _of_knots(numbers: Floats, shares: Floats) -> Distribution:
    """Return the distribution through numbers with known shares, one or more for each number."""
    known, which = np.unique(numbers, return_inverse=True)
    least, greatest = np.full(len(known), np.inf), np.full(len(known), -np.inf)
    np.minimum.at(least, which, shares)
    np.maximum.at(greatest, which, shares)
    both = np.maximum.accumulate(np.stack([least, greatest], axis=1).ravel())
    return Distribution(np.repeat(known, 2), both, 0)


def _is_bounded(profile: ColumnProfile) -> bool:
    """Return whether no value is infinite: a histogram has no interval for these."""
    extremes = (_number(profile.minimum), _number(profile.maximum))
    return all(extreme is None or abs(extreme) < _GREATEST for extreme in extremes)


def _number(value: object) -> float | None:
    return _bounded(float(value)) if isinstance(value, int | float) else None


def _bounded(number: float) -> float:
    """Return the number, or the greatest one for infinity, which has no distance from others."""
    return min(max(number, -_GREATEST), _GREATEST)
