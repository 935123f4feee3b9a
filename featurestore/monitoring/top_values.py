"""The most frequent values of a column, in a form whose parts can be merged."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

_READERS: Mapping[str, Callable[[str], float]] = {
    "Float32": lambda text: float(np.float32(text)),
    "halffloat": lambda text: float(np.float16(text)),
}
LIMIT = 1000
"""The most values that are counted. Their counts are exact while there are not more."""


@dataclass(frozen=True)
class TopValues:
    """Counts of the most frequent values, each at most ``error`` too small.

    A value that is not listed has at most ``error`` rows. This is the summary of Misra and Gries
    ("Finding repeated elements", 1982) with the merge of Agarwal et al. ("Mergeable summaries",
    2012): to merge, add the counts, and drop all but the `LIMIT` greatest.

    Args:
        counts: The number of rows of each listed value, by its text.
        error: The most rows by which a count is too small.

    Example:
        >>> TopValues.of({"EUR": 3, "USD": 1}).merged(TopValues.of({"USD": 4})).most(1)
        (('USD', 5),)
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    error: int = 0

    @classmethod
    def of(cls, counts: Mapping[str, int], error: int = 0) -> "TopValues":
        """Return the most frequent of counted values.

        Args:
            counts: The number of rows of each value.
            error: The most rows by which these counts are too small.

        Example:
            >>> TopValues.of({"EUR": 3}).error
            0
        """
        if len(counts) <= LIMIT:
            return cls(dict(counts), error)
        ordered = _ordered(counts)
        return cls(dict(ordered[:LIMIT]), error + ordered[LIMIT][1])

    def merged(self, other: "TopValues") -> "TopValues":
        """Return the counts of the rows of both."""
        return self.of(Counter(self.counts) + Counter(other.counts), self.error + other.error)

    def most(self, count: int) -> tuple[tuple[str, int], ...]:
        """Return the most frequent values with their counts, the most frequent first."""
        return tuple(_ordered(self.counts)[:count])


def number_of(type_name: str, text: str) -> float:
    """Return the number of a listed value: "0.7" of a Float32 is the value 0.699999988.

    Args:
        type_name: The column's type in its profile.
        text: The value's text.

    Raises:
        ValueError: It is no number.

    Example:
        >>> number_of("Float64", "0.7"), round(number_of("Float32", "0.7"), 9)
        (0.7, 0.699999988)
    """
    return _READERS.get(type_name, float)(text)


def _ordered(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
