"""A bucket index: binary search of many numbers at once, with few steps each.

The range of the sorted numbers is divided into buckets of equal width, a power of two. The index
holds the position at which each bucket begins. A search starts at the bucket of its number and
needs only the few steps of a binary search within the bucket. All searches take each step
together, as one NumPy operation.
"""

from dataclasses import dataclass

import numpy as np

from featurestore.engines.arrays import Ints, running

MOST_NUMBERS_PER_SEARCH = 8
"""With more sorted numbers than this for each search, the index costs more than it saves."""

_MOST_STEPS = 6
_AT_ONCE = 1 << 16
"""The number of searches that take a step together: their arrays fit the CPU cache."""


# PERF: 0.5 ms for 62,500 searches among 250,000 numbers; numpy.searchsorted takes 2.2 ms (ADR 11).
# Only NumPy uses it: the compiled loops (ADR 12) do without. Plain twin: numpy.searchsorted, in
# tests/engines/kernel/test_parts.py.
@dataclass(frozen=True)
class BucketIndex:
    """The position among sorted numbers at which each bucket of ``2 ** shift`` values begins.

    Args:
        shift: The width of a bucket, as a power of two.
        first: The first position of each bucket; at the end, the count of all numbers.
        steps: How many steps a search in the fullest bucket takes.
        numbers: The sorted numbers.
    """

    shift: int
    first: Ints
    steps: int
    numbers: Ints

    def before(self, searched: Ints) -> Ints:
        """Return how many of the sorted numbers are less than each searched number."""
        answer = np.empty(len(searched), np.int64)
        for first in range(0, len(searched), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            answer[part] = self._before(searched[part])
        return answer

    def _before(self, searched: Ints) -> Ints:
        # A step beyond the last number compares with the last one. If even that is less than the
        # searched number, all numbers are; the minimum below corrects the position.
        position: Ints = self.first.take(searched >> self.shift, mode="clip")
        for power in reversed(range(self.steps)):
            ahead = self.numbers[(1 << power) - 1 :].take(position, mode="clip")
            position += (ahead < searched).astype(np.int64) << power
        return np.minimum(position, len(self.numbers), out=position)


def bucket_index(numbers: Ints, end: int) -> BucketIndex | None:
    """Return an index with one or two buckets for each number, on average.

    Args:
        numbers: The sorted numbers, at least 0.
        end: Greater than all of them, and than all numbers that will be searched.

    Returns:
        The index; None if a bucket would hold so many numbers that it saves nothing.

    Example:
        >>> bucket_index(np.array([3, 5, 5, 90]), 100).before(np.array([0, 5, 6, 99])).tolist()
        [0, 1, 3, 4]
    """
    shift = max(0, end.bit_length() - len(numbers).bit_length())
    counts = np.bincount(numbers >> shift, minlength=(end >> shift) + 1)
    steps = int(counts.max()).bit_length()
    if steps > _MOST_STEPS:
        return None
    return BucketIndex(shift, running(counts), steps, numbers)
