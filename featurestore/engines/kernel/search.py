"""Searching (code, time) pairs: how many of the sorted pairs lie before a given one.

Code and time are composed into one int64, since one binary search over one array is several times
as fast as anything on two. Times count from the first one and are clamped to just outside the
range, so that the numbers stay small; where they still do not fit, the codes are cut into blocks
that do (90 days hold 1.2 million codes, 3 years 97,000).

Many pairs are searched through a `featurestore.engines.kernel.guide`. All this is for NumPy: where
`featurestore.engines.kernel.native.loops` are compiled, one pass over both pairs does without.
"""

from collections.abc import Iterator
from ctypes import CDLL
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from featurestore.engines.arrays import FIRST, LAST, Ints, earlier
from featurestore.engines.kernel.guide import ROWS_AN_ASKED, Guide, guide
from featurestore.engines.kernel.native.loops import compiled, count_before


@dataclass(frozen=True)
class _Block:
    code: int
    end: int
    rows: slice
    low: int
    high: int
    width: int
    composed: Ints

    def before(self, asked: Ints) -> Ints:
        """Return how many of the block's pairs are less than each asked one, as composed."""
        few = len(asked) * ROWS_AN_ASKED < len(self.composed)
        guide = None if few else self._guide
        return np.searchsorted(self.composed, asked) if guide is None else guide.before(asked)

    @cached_property
    def _guide(self) -> Guide | None:
        return guide(self.composed, self.width * (self.end - self.code)) if self.width else None

    def offsets(self, codes: Ints) -> Ints:
        """Return what makes a time of each code its pair's number."""
        # The product may wrap around, but with a time of the block's range the sum is right.
        return (codes - self.code) * self.width - (self.low if self.width else 0)

    def compose(self, offsets: Ints, times: Ints, shift: int = 0) -> Ints:
        """Return the numbers of pairs whose times are shifted back, clamped to the range."""
        if self.low + shift < FIRST or self.high + shift > LAST:
            times, shift = earlier(times, shift), 0
        numbers = np.clip(times, self.low + shift, self.high + shift)
        numbers += offsets
        numbers -= shift
        return numbers


class Timeline:
    """Pairs of (code, time), ascending, ready to be searched.

    Args:
        codes: From 0 on, ascending.
        times: Ascending within each code.

    Example:
        >>> line = Timeline(np.array([0, 0, 1]), np.array([5, 9, 2]))
        >>> asked = line.asked(np.array([0, 0, 1]))
        >>> asked.before(np.array([9, 99, 2])).tolist()
        [1, 2, 2]
    """

    def __init__(self, codes: Ints, times: Ints) -> None:
        self._codes, self._times = codes, times

    def asked(self, codes: Ints) -> "Asked":
        """Return codes, which ascend, ready to be asked for with any times."""
        loops = compiled()
        if loops is not None:
            return _Walked(loops, self._codes, self._times, codes)
        parts = []
        for block in self._blocks:
            part = slice(*np.searchsorted(codes, [block.code, block.end]).tolist())
            parts.append((part, block, block.offsets(codes[part])))
        return _Searched(len(codes), len(self._codes), parts)

    @cached_property
    def _blocks(self) -> list[_Block]:
        return list(_blocks(self._codes, self._times))


class Asked(Protocol):
    """Codes that a timeline is asked for."""

    def before(self, times: Ints, shift: int = 0) -> Ints:
        """Return how many of the line's pairs are less than each (code, time - shift)."""


@dataclass(frozen=True)
class _Walked:
    loops: CDLL
    codes: Ints
    times: Ints
    asked: Ints

    def before(self, times: Ints, shift: int = 0) -> Ints:
        return count_before(self.loops, (self.codes, self.times), (self.asked, times), shift)


@dataclass(frozen=True)
class _Searched:
    codes: int
    pairs: int
    parts: list[tuple[slice, _Block, Ints]]

    def before(self, times: Ints, shift: int = 0) -> Ints:
        answer = np.full(self.codes, self.pairs)
        for part, block, offsets in self.parts:
            found = block.before(block.compose(offsets, times[part], shift))
            np.add(found, block.rows.start, out=answer[part])
        return answer


def composed(codes: Ints, times: Ints) -> Ints | None:
    """Return one number a pair, in the order of the pairs; None where they do not fit.

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
    return max(int(times.min()) - 1, FIRST), min(int(times.max()) + 1, LAST)
