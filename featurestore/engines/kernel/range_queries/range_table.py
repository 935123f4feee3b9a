"""A range table: the least, or greatest, of any range of values.

Level k of a sparse table holds the least of every 2**k consecutive values. A range of n values is
the union of two such intervals that overlap, with the greatest power of two in n as length (Bender
and Farach-Colton, "The LCA Problem Revisited", 2000).

Here the levels of the values end at blocks of 16. A longer range is its first 16 values, its last
16 values, and the whole blocks between them. These blocks are a range of a second sparse table,
whose values are the blocks (as in Fischer and Heun, "Theoretical and Practical Improvements on the
RMQ-Problem", 2006). Both tables take O(values) memory, the second one fits the CPU cache, and a
range takes four look-ups, however long it is.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from featurestore.engines.arrays import FIRST, LAST, Ints
from featurestore.engines.kernel.native.loops import compiled, fill, look_up

_LEVELS = 5
_BLOCK = 1 << (_LEVELS - 1)


@dataclass(frozen=True)
class Lookups:
    """The two intervals of each range, as positions in all levels of a table.

    Args:
        first: The interval that starts with the range.
        last: The interval that ends with the range.
    """

    first: Ints
    last: Ints


class _Levels:
    """The positions of look-ups in the levels of a sparse table.

    Args:
        values: The number of values.
        longest: The longest range.
        empty: The level in which empty ranges look.
    """

    def __init__(self, values: int, longest: int, empty: int) -> None:
        lengths = np.arange(longest + 1)
        level = np.frexp(lengths)[1].astype(np.int64) - 1
        level[0] = empty
        self._first = level * values
        self._last = self._first - np.where(lengths > 0, 1 << np.maximum(level, 0), 0)

    def lookups(self, start: Ints, stop: Ints) -> Lookups:
        """Return the look-ups of ranges; longer ranges than the longest use its level."""
        lengths = stop - start
        first = self._first.take(lengths, mode="clip")
        first += start
        last = self._last.take(lengths, mode="clip")
        last += stop
        return Lookups(first, last)


class Layout:
    """The layout of the tables of a number of values.

    Args:
        values: The number of values.
    """

    def __init__(self, values: int) -> None:
        self._values, self._blocks = values, -(-values // _BLOCK)

    @cached_property
    def near(self) -> _Levels:
        """The levels of the values."""
        return _Levels(self._values, 2 * _BLOCK - 1, empty=0)

    @cached_property
    def far(self) -> _Levels:
        """The levels of the blocks, and one more for ranges without a whole block."""
        return _Levels(self._blocks, self._blocks, empty=self._blocks.bit_length())


@dataclass(frozen=True)
class Ranges:
    """Some ranges, and their look-ups in every table with the same number of values.

    Args:
        layout: The layout of these tables.
        start: The first position of each range.
        stop: The position behind its last.

    Example:
        >>> Ranges(Layout(10), np.array([1]), np.array([4])).near
        Lookups(first=array([11]), last=array([12]))
    """

    layout: Layout
    start: Ints
    stop: Ints

    @cached_property
    def near(self) -> Lookups:
        """The look-ups in the levels of the values."""
        return self.layout.near.lookups(self.start, self.stop)

    @cached_property
    def far(self) -> Lookups | None:
        """The look-ups in the levels of the blocks; None if no range is as long as a block."""
        if (self.stop - self.start).max(initial=0) < _BLOCK:
            return None
        start = (self.start + (_BLOCK - 1)) >> (_LEVELS - 1)
        return self.layout.far.lookups(start, self.stop >> (_LEVELS - 1))


@dataclass(frozen=True)
class RangeTable:
    """The least (or greatest) of any range of some values.

    Args:
        values: The values.
        choose: `numpy.minimum` or `numpy.maximum`.

    Example:
        >>> table = RangeTable(np.array([4, 2, 9]), np.minimum)
        >>> table.of(Ranges(Layout(3), np.array([0, 2]), np.array([3, 3]))).tolist()
        [2, 9]
    """

    values: np.ndarray
    choose: np.ufunc

    @property
    def neutral(self) -> float | int:
        """The number that is never chosen if there is another one."""
        if self.values.dtype.kind == "f":
            return np.inf if self._least else -np.inf
        return LAST if self._least else FIRST

    @property
    def _least(self) -> bool:
        return self.choose is np.minimum

    def of(self, ranges: Ranges) -> np.ndarray:
        """Return the least (or greatest) of each range; any number for an empty range."""
        if not len(self.values):
            return np.zeros(len(ranges.start), self.values.dtype)
        # PERF: blocks and a sparse table take 0.6 of the time of several coarser tables (ADR 11);
        # the loops in C take less again (ADR 12). Plain twin: numpy.minimum.reduce over a slice,
        # in tests/engines/kernel/test_parts.py.
        loops = compiled()
        if loops is not None:
            tables = self._near, self._far
            return look_up(loops, tables, ranges.start, ranges.stop, least=self._least)
        answer = self._look_up(self._near, ranges.near)
        if ranges.far is not None:
            self.choose(answer, self._look_up(self._far, ranges.far), out=answer)
        return answer

    def _look_up(self, levels: np.ndarray, at: Lookups) -> np.ndarray:
        # Only an empty range looks beyond the levels; "clip" then takes the last value.
        table = levels.reshape(-1)
        answer = table.take(at.first, mode="clip")
        self.choose(answer, table.take(at.last, mode="clip"), out=answer)
        return answer

    @cached_property
    def _near(self) -> np.ndarray:
        levels = np.empty((_LEVELS, len(self.values)), self.values.dtype)
        self._fill(levels, self.values)
        return levels

    @cached_property
    def _far(self) -> np.ndarray:
        blocks = self._near[-1, ::_BLOCK]
        levels = np.empty((len(blocks).bit_length() + 1, len(blocks)), self.values.dtype)
        self._fill(levels[:-1], blocks)
        # The level for ranges without a whole block.
        levels[-1] = self.neutral
        return levels

    def _fill(self, levels: np.ndarray, values: np.ndarray) -> None:
        levels[0] = values
        loops = compiled()
        if loops is not None:
            fill(loops, levels, least=self._least)
            return
        for level in range(1, len(levels)):
            inside = max(len(values) - (1 << (level - 1)), 0)
            below, above = levels[level - 1], levels[level]
            self.choose(below[:inside], below[len(values) - inside :], out=above[:inside])
            # An interval that reaches beyond the values holds the least of the values in it.
            above[inside:] = below[inside:]
