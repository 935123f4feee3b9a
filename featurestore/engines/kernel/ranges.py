"""The least, or greatest, of any range of values.

Level k of a sparse table holds the least of every 2**k values in a row; a range of n values is two
such blocks that overlap, of the greatest power of two in n (Bender and Farach-Colton, "The LCA
Problem Revisited", 2000). Here the levels end at blocks of 16. A longer range is its first block,
its last one, and the whole blocks between them: a range of a table a sixteenth as large (as in
Fischer and Heun, "Theoretical and Practical Improvements on the RMQ-Problem", 2006). So memory and
work are O(values), and long ranges end in tables that stay in the cache.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from featurestore.engines.kernel.arrays import Ints

_LEVELS = 5
_BLOCK = 1 << (_LEVELS - 1)
# Of each length up to that of two blocks; the last is for longer ones too.
_LEVEL = np.array([max(length.bit_length() - 1, 0) for length in range(2 * _BLOCK)])


@dataclass(frozen=True)
class Blocks:
    """Where the blocks of some ranges are, for all tables of as many values.

    Args:
        first: The first block of each range, as a position among all levels.
        last: Its last one.
        long: Which ranges have whole blocks between these; None if none has.
        between: The ranges of those blocks.
    """

    first: Ints
    last: Ints
    long: Ints | None = None
    between: "Blocks | None" = None


def blocks(start: Ints, stop: Ints, values: int) -> Blocks:
    """Return the blocks of ranges among so many values; of an empty range any.

    Example:
        >>> blocks(np.array([1]), np.array([4]), 10)
        Blocks(first=array([11]), last=array([12]), long=None, between=None)
    """
    lengths = stop - start
    # The last length of the table stands for all that are longer, the first for all shorter.
    levels = _LEVEL * values
    first = start + levels.take(lengths, mode="clip")
    last = stop + (levels - (1 << _LEVEL)).take(lengths, mode="clip")
    long = np.flatnonzero(lengths >= 2 * _BLOCK)
    if not len(long):
        return Blocks(first, last)
    inner = (start[long] + (_BLOCK - 1)) >> (_LEVELS - 1), stop[long] >> (_LEVELS - 1)
    return Blocks(first, last, long, blocks(*inner, -(-values // _BLOCK)))


@dataclass(frozen=True)
class RangeTable:
    """The least (or greatest) of any range of some values.

    Args:
        values: The values.
        choose: `numpy.minimum` or `numpy.maximum`.

    Example:
        >>> table = RangeTable(np.array([4, 2, 9]), np.minimum)
        >>> table.of(blocks(np.array([0, 2]), np.array([3, 3]), 3)).tolist()
        [2, 9]
    """

    values: np.ndarray
    choose: np.ufunc

    def of(self, ranges: Blocks) -> np.ndarray:
        """Return the least (or greatest) of each range; of an empty range anything."""
        table = self._levels.reshape(-1)
        if not len(table):
            return np.zeros(len(ranges.first), self.values.dtype)
        answer = self.choose(table[ranges.first], table[ranges.last])
        if ranges.long is not None and ranges.between is not None:
            between = self._coarse.of(ranges.between)
            answer[ranges.long] = self.choose(answer[ranges.long], between)
        return answer  # type: ignore[no-any-return]

    @cached_property
    def _levels(self) -> np.ndarray:
        count = len(self.values)
        levels = np.empty((_LEVELS, count), self.values.dtype)
        levels[0] = self.values
        for level in range(1, _LEVELS):
            inside = max(count - (1 << (level - 1)), 0)
            below, above = levels[level - 1], levels[level]
            self.choose(below[:inside], below[count - inside :], out=above[:inside])
            # What reaches beyond the values is the least of those that there are.
            above[inside:] = below[inside:]
        return levels

    @cached_property
    def _coarse(self) -> "RangeTable":
        return RangeTable(self._levels[-1, ::_BLOCK], self.choose)
