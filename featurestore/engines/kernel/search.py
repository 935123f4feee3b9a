"""Searches among sorted (code, time) pairs: how many of them are less than a given pair.

There are two implementations with the same results:

- The compiled loops (`featurestore.engines.kernel.native.loops`) pass over the sorted and the
  searched pairs together, once.
- NumPy composes code and time into one int64 and searches these numbers, with a
  `featurestore.engines.kernel.bucket_index` if there are many.

To keep composed numbers small, times count from the first one, and a time outside of the range of
the sorted pairs counts as just outside. If the numbers still do not fit an int64, the codes are
divided into blocks whose numbers fit: with times over 90 days a block has 1.2 million codes, over
3 years 97,000.
"""

from collections.abc import Iterator
from ctypes import CDLL
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from featurestore.engines.arrays import FIRST, LAST, Ints, earlier
from featurestore.engines.kernel.bucket_index import (
    MOST_NUMBERS_PER_SEARCH,
    BucketIndex,
    bucket_index,
)
from featurestore.engines.kernel.native.loops import compiled, count_before


class Timeline:
    """Pairs of (code, time), in ascending order, that can be searched.

    Args:
        codes: From 0 on, ascending.
        times: Ascending within each code.

    Example:
        >>> line = Timeline(np.array([0, 0, 1]), np.array([5, 9, 2]))
        >>> searcher = line.searcher(np.array([0, 0, 1]))
        >>> searcher.before(np.array([9, 99, 2])).tolist()
        [1, 2, 2]
    """

    def __init__(self, codes: Ints, times: Ints) -> None:
        self._codes, self._times = codes, times

    def searcher(self, codes: Ints) -> "Searcher":
        """Return a searcher for pairs of these codes; the codes must ascend."""
        # PERF: windows take 0.83 of NumPy's time with the loops, as-of joins 0.87 (ADR 12).
        loops = compiled()
        if loops is not None:
            return _CompiledSearcher(loops, self._codes, self._times, codes)
        parts = []
        for block in self._blocks:
            part = slice(*np.searchsorted(codes, [block.code, block.end]).tolist())
            parts.append((part, block, block.offsets(codes[part])))
        return _BlockSearcher(len(codes), len(self._codes), parts)

    @cached_property
    def _blocks(self) -> list["_Block"]:
        return list(_blocks(self._codes, self._times))


class Searcher(Protocol):
    """Codes whose pairs with any times can be searched in a timeline."""

    def before(self, times: Ints, shift: int = 0) -> Ints:
        """Return how many of the timeline's pairs are less than each (code, time - shift)."""


@dataclass(frozen=True)
class _CompiledSearcher:
    loops: CDLL
    codes: Ints
    times: Ints
    searched_codes: Ints

    def before(self, times: Ints, shift: int = 0) -> Ints:
        pairs, searched = (self.codes, self.times), (self.searched_codes, times)
        return count_before(self.loops, pairs, searched, shift)


@dataclass(frozen=True)
class _BlockSearcher:
    """The NumPy implementation.

    Args:
        searches: How many codes are searched.
        pairs: How many pairs the timeline has.
        parts: Each block, the positions of its codes among the searched ones, and their offsets.
    """

    searches: int
    pairs: int
    parts: list[tuple[slice, "_Block", Ints]]

    def before(self, times: Ints, shift: int = 0) -> Ints:
        answer = np.full(self.searches, self.pairs)
        for part, block, offsets in self.parts:
            counts = block.before(block.compose(offsets, times[part], shift))
            np.add(counts, block.rows.start, out=answer[part])
        return answer


@dataclass(frozen=True)
class _Block:
    """Pairs of some consecutive codes, as numbers.

    Args:
        code: The first code.
        end: The code behind the last.
        rows: The positions of the block's pairs in the timeline.
        low: A time just below the timeline's range.
        high: A time just above it.
        width: The numbers that one code takes; 0 for a single code whose times fill an int64.
        composed: The pairs as numbers, ascending.
    """

    code: int
    end: int
    rows: slice
    low: int
    high: int
    width: int
    composed: Ints

    def before(self, searched: Ints) -> Ints:
        """Return how many of the block's pairs are less than each composed number."""
        few = len(searched) * MOST_NUMBERS_PER_SEARCH < len(self.composed)
        index = None if few else self._index
        return (
            np.searchsorted(self.composed, searched) if index is None else index.before(searched)
        )

    @cached_property
    def _index(self) -> BucketIndex | None:
        if not self.width:
            return None
        return bucket_index(self.composed, self.width * (self.end - self.code))

    def offsets(self, codes: Ints) -> Ints:
        """Return, for each code, the number that is added to a time to compose their pair."""
        # The product may wrap around, but the sum with a time of the block's range is right.
        return (codes - self.code) * self.width - (self.low if self.width else 0)

    def compose(self, offsets: Ints, times: Ints, shift: int = 0) -> Ints:
        """Return the numbers of (code, time - shift), with times limited to the block's range."""
        if self.low + shift < FIRST or self.high + shift > LAST:
            times, shift = earlier(times, shift), 0
        numbers = np.clip(times, self.low + shift, self.high + shift)
        numbers += offsets
        numbers -= shift
        return numbers


def composed(codes: Ints, times: Ints) -> Ints | None:
    """Return a number for each pair, in the order of the pairs; None if they do not fit an int64.

    Example:
        >>> composed(np.array([1, 0]), np.array([20, 21])).tolist()
        [5, 2]
    """
    if not len(codes):
        return codes
    low, high = _range(times)
    width = high - low + 1
    if width * (int(codes.max()) + 1) > LAST:
        return None
    return codes * width + (times - low)


def _blocks(codes: Ints, times: Ints) -> Iterator[_Block]:
    if not len(codes):
        return
    low, high = _range(times)
    width = high - low + 1
    step = max(1, LAST // width)
    if step == 1:
        low, width = FIRST, 0
    last = int(codes[-1]) + 1
    for code in range(0, last, step):
        end = min(code + step, last)
        rows = slice(*np.searchsorted(codes, [code, end]).tolist())
        block = _Block(code, end, rows, low, high, width, codes[:0])
        offsets = block.offsets(codes[rows])
        yield replace(block, composed=block.compose(offsets, times[rows]))


def _range(times: Ints) -> tuple[int, int]:
    """Return a time just below all times and one just above, within int64."""
    return max(int(times.min()) - 1, FIRST), min(int(times.max()) + 1, LAST)
