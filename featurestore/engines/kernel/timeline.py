"""Searching (code, time) pairs: how many of the sorted pairs lie before a given one.

Code and time are composed into one int64, since one binary search over one array is several times
as fast as anything on two. Times count from the first one and are clamped to just outside the
range, so that the numbers stay small; where they still do not fit, the codes are cut into blocks
that do (90 days hold 1.2 million codes, 3 years 97,000).

Many pairs are searched through a `featurestore.engines.kernel.guide`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from featurestore.engines.kernel.arrays import FIRST, LAST, Ints
from featurestore.engines.kernel.guide import ROWS_AN_ASKED, Guide, guide


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

    def compose(self, codes: Ints, times: Ints) -> Ints:
        near = np.clip(times, self.low, self.high)
        if not self.width:
            return near
        near -= self.low
        near += (codes - self.code) * self.width
        return near


class Timeline:
    """Pairs of (code, time), ascending, ready to be searched.

    Args:
        codes: From 0 on, ascending.
        times: Ascending within each code.

    Example:
        >>> line = Timeline(np.array([0, 0, 1]), np.array([5, 9, 2]))
        >>> line.before(np.array([0, 0, 1]), np.array([9, 99, 2])).tolist()
        [1, 2, 2]
    """

    def __init__(self, codes: Ints, times: Ints) -> None:
        self._blocks = list(_blocks(codes, times))
        self._pairs = len(codes)

    def before(self, codes: Ints, times: Ints) -> Ints:
        """Return how many pairs are less than each asked pair; the asked codes ascend."""
        answer = np.full(len(codes), self._pairs)
        for block in self._blocks:
            asked = slice(*np.searchsorted(codes, [block.code, block.end]))
            found = block.before(block.compose(codes[asked], times[asked]))
            answer[asked] = found + block.rows.start
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
        yield replace(block, composed=block.compose(codes[rows], times[rows]))


def _range(times: Ints) -> tuple[int, int]:
    return max(int(times.min()) - 1, FIRST), min(int(times.max()) + 1, LAST)
