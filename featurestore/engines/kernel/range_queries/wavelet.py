"""A wavelet matrix: order statistics of any range of numbers."""

import numpy as np

from featurestore.engines.arrays import Ints, running
from featurestore.engines.kernel.slices import Slices


class Wavelet:
    """Finds the n-th least number of any range, and counts its numbers below a bound.

    Each takes one pass for each bit of the numbers. There is a level for each bit, from the
    highest. A level holds the numbers partitioned by the bits above, in stable order, and for each
    position how many of the numbers before it have a 0 in the level's bit.

    Args:
        numbers: The numbers, at least 0.

    Example:
        >>> Wavelet(np.array([3, 0, 2, 5])).below(np.array([1]), np.array([4]), np.array([3]))
        array([2])
    """

    def __init__(self, numbers: Ints) -> None:
        self._bits = int(numbers.max(initial=0)).bit_length()
        self._zeros: list[np.ndarray] = []
        for bit in reversed(range(self._bits)):
            ones = (numbers >> bit) & 1 == 1
            # PERF: int32 takes half of the memory: 4 bytes for each number and bit.
            self._zeros.append(running(~ones).astype(np.int32))
            numbers = np.concatenate([numbers[~ones], numbers[ones]])

    def below(self, start: Ints, stop: Ints, bound: Ints) -> Ints:
        """Return how many numbers from ``start`` up to ``stop`` are less than each bound."""
        # A bound with more bits than any number is greater than all numbers.
        beyond = bound >> self._bits > 0
        counts = np.where(beyond, stop - start, 0)
        for bit, zeros in zip(reversed(range(self._bits)), self._zeros, strict=True):
            one = (bound >> bit) & 1 == 1
            low, high = zeros[start], zeros[stop]
            counts += np.where(one & ~beyond, high - low, 0)
            start = np.where(one, zeros[-1] + start - low, low)
            stop = np.where(one, zeros[-1] + stop - high, high)
        return counts

    def nth(self, slices: Slices, n: Ints) -> Ints:
        """Return the n-th least number of each moment's slices, counted from 0.

        Args:
            slices: Slices of positions in the numbers.
            n: For each moment, less than the number of its positions.

        Example:
            >>> ends = Slices(np.array([0, 3]), np.array([2, 4]), np.array([0]))
            >>> Wavelet(np.array([3, 0, 2, 5])).nth(ends, np.array([1]))
            array([3])
        """
        start, stop, owners = slices.start, slices.stop, slices.owners()
        numbers, left = np.zeros(len(slices), np.int64), n
        for bit, zeros in zip(reversed(range(self._bits)), self._zeros, strict=True):
            low, high = zeros[start].astype(np.int64), zeros[stop].astype(np.int64)
            smaller = slices.merged(np.add, high - low)
            one = left >= smaller
            left = np.where(one, left - smaller, left)
            numbers |= one.astype(np.int64) << bit
            apart = one[owners]
            start = np.where(apart, zeros[-1] + start - low, low)
            stop = np.where(apart, zeros[-1] + stop - high, high)
        return numbers
