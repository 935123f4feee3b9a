"""Searching many numbers among sorted ones through a guide: where each stretch of them begins.

A stretch holds few numbers, so that few steps of a binary search are left; all asked numbers take
each step together. Three to four times as fast as a whole binary search for each.
"""

from dataclasses import dataclass

import numpy as np

from featurestore.engines.arrays import Ints, running

ROWS_AN_ASKED = 8
"""With more sorted numbers than this for each that is asked a guide is not worth its making."""

_MOST_STEPS = 6
_AT_ONCE = 1 << 16
"""How many numbers are searched together: what stays in the cache."""


@dataclass(frozen=True)
class Guide:
    """Where the numbers of each stretch of ``2 ** shift`` begin among the sorted ones.

    Args:
        shift: How long a stretch is.
        first: Where each begins, and last how many numbers there are.
        steps: How many bits the greatest count of numbers in a stretch has.
        numbers: The sorted numbers.
    """

    shift: int
    first: Ints
    steps: int
    numbers: Ints

    def before(self, asked: Ints) -> Ints:
        """Return how many of the sorted numbers are less than each asked one."""
        answer = np.empty(len(asked), np.int64)
        for first in range(0, len(asked), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            answer[part] = self._before(asked[part])
        return answer

    def _before(self, asked: Ints) -> Ints:
        # Where a step looks behind the numbers it finds the last of them: if even that one is
        # less than what is asked, all are.
        at: Ints = self.first.take(asked >> self.shift, mode="clip")
        for power in reversed(range(self.steps)):
            passed = self.numbers[(1 << power) - 1 :].take(at, mode="clip") < asked
            at += passed.astype(np.int64) << power
        return np.minimum(at, len(self.numbers), out=at)


def guide(numbers: Ints, end: int) -> Guide | None:
    """Return a guide of one or two stretches a number; None where one would hold too many.

    Args:
        numbers: Ascending, from 0 on.
        end: Greater than all of them, and than all that will be asked.

    Example:
        >>> guide(np.array([3, 5, 5, 90]), 100).before(np.array([0, 5, 6, 99])).tolist()
        [0, 1, 3, 4]
    """
    shift = max(0, end.bit_length() - len(numbers).bit_length())
    counts = np.bincount(numbers >> shift, minlength=(end >> shift) + 1)
    steps = int(counts.max()).bit_length()
    if steps > _MOST_STEPS:
        return None
    return Guide(shift, running(counts), steps, numbers)
