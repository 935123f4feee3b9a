"""Anomalies: a number that is far from the numbers before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

LEAST_NUMBERS = 8
"""Fewer earlier numbers say nothing about what is usual."""

GREATEST_SCORE = 3.5
"""A number with a greater score is an anomaly, as Iglewicz and Hoaglin recommend."""

# The deviation of normal numbers that the median absolute deviation, or the mean one, stands for.
_OF_MEDIAN, _OF_MEAN = 1.4826, 1.2533
# Counts that were always the same would make an anomaly of each other one.
_LEAST_DEVIATION = 0.05


@dataclass(frozen=True)
class Usual:
    """What is usual for a number, by the numbers before it.

    Args:
        median: The median of the numbers before.
        deviation: Their deviation, as that of normal numbers.
    """

    median: float
    deviation: float

    @property
    def least(self) -> float:
        """The least number that is no anomaly."""
        return self.median - GREATEST_SCORE * self.deviation

    @property
    def greatest(self) -> float:
        """The greatest number that is no anomaly."""
        return self.median + GREATEST_SCORE * self.deviation

    def score(self, number: float) -> float:
        """Return how many deviations a number is above the median; negative below it."""
        distance = number - self.median
        if not self.deviation:
            return 0.0 if not distance else float("inf") if distance > 0 else float("-inf")
        return distance / self.deviation


def usual(numbers: Sequence[float]) -> Usual | None:
    """Return what is usual after these numbers: their median and their deviation.

    The deviation is 1.4826 times the median absolute deviation from the median. If more than half
    of the numbers are equal, that is 0; then it is 1.2533 times the mean absolute deviation. It is
    at least a twentieth of the median. A number is an anomaly if it is more than 3.5 deviations
    from the median.

    Source: B. Iglewicz and D. Hoaglin, How to Detect and Handle Outliers, ASQC 1993, for the
    median absolute deviation and for 3.5.

    Args:
        numbers: The numbers before.

    Returns:
        None if there are fewer than 8 numbers.

    Example:
        >>> counts = usual([100, 101, 99, 100, 102, 98, 100, 103])
        >>> counts.median, counts.deviation, counts.score(150)
        (100.0, 5.0, 10.0)
    """
    if len(numbers) < LEAST_NUMBERS:
        return None
    middle = float(median(numbers))
    distances = [abs(number - middle) for number in numbers]
    deviation = _OF_MEDIAN * median(distances) or _OF_MEAN * fmean(distances)
    return Usual(middle, max(deviation, _LEAST_DEVIATION * abs(middle)))
