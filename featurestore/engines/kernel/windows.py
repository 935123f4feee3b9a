"""Windows: where each moment's window starts and ends among the events, as slices.

An edge at t - shift is the number of events before it: one binary search for all moments, however
long the window; on a grid the point that t has passed takes the place of t. The upper edge never
passes what is visible at t; patches mend what is visible otherwise.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np

from featurestore.engines.arrays import FIRST, Ints, earlier, running, runs
from featurestore.engines.kernel.corrections import Patches, Stretches, find_patches
from featurestore.engines.kernel.order import Moments
from featurestore.engines.kernel.search import Asked, Timeline
from featurestore.engines.kernel.slices import Slices, pieces
from featurestore.engines.kernel.validity import Events
from featurestore.query.nodes import Window

Grid = tuple[int, int, int] | None
"""Delay, step and offset of a grid; None for no grid."""


class Frames:
    """The slices of any window over some events, at some moments.

    Args:
        events: The rows, in the order of (code, rank), without tombstones.
        moments: The spine rows, in the order of (code, t).
        delay: The view's constant delay.
    """

    def __init__(self, events: Events, moments: Moments, delay: int) -> None:
        self._events, self._moments, self._delay = events, moments, delay
        self._edges: dict[tuple[Grid, int], Ints] = {}

    @cached_property
    def patches(self) -> Patches | None:
        """The rows that exist otherwise than from their event plus the delay on."""
        return find_patches(self._events, self._moments, self._delay)

    def parts(self, windows: tuple[Window, ...]) -> Iterator[slice]:
        """Yield the moments in pieces whose patches fit in memory."""
        if self.patches is None:
            yield slice(0, len(self._moments))
            return
        loads = [self._load(self.patches, window) for window in windows]
        yield from pieces(max(loads, key=lambda load: int(load[-1])))

    def slices(self, window: Window, part: slice) -> Slices:
        """Return the window's slices at some of the moments."""
        lower, upper = self._bounds(window)
        start, stop = lower[part], upper[part]
        if window.delay - int(window.closed_right) < self._delay - 1:
            # It reaches beyond what is visible by then.
            stop = np.maximum(np.minimum(stop, self._edge(self._delay - 1)[part]), start)
        if self.patches is None:
            return Slices(start, stop)
        cuts, adds = self.patches.cuts, self.patches.adds
        inside = self._inside(cuts, window, part), self._inside(adds, window, part)
        return _patched(start, stop, *inside)

    def _bounds(self, window: Window) -> tuple[Ints, Ints]:
        grid = None if window.every is None else (window.delay, window.every, window.offset)
        upper = (window.delay if grid is None else 0) - int(window.closed_right)
        lower = self._starts if window.size is None else self._edge(upper + window.size, grid)
        return lower, self._edge(upper, grid)

    def _edge(self, shift: int, grid: Grid = None) -> Ints:
        """Return how many events lie before (code, t - shift), with t's point for t on a grid."""
        key = grid, shift
        if key not in self._edges:
            times = self._moments.time if grid is None else passed(self._moments.time, *grid)
            self._edges[key] = self._asked.before(times, shift)
        return self._edges[key]

    @cached_property
    def _asked(self) -> Asked:
        return Timeline(self._events.code, self._events.time).asked(self._moments.code)

    @cached_property
    def _starts(self) -> Ints:
        return runs(self._events.code, self._moments.keys)[self._moments.code]

    def _inside(self, stretches: Stretches, window: Window, part: slice) -> Stretches:
        """Return the stretches inside the window, the moments counted from the part's first."""
        # Edges ascend with the moments: a row is in the window from the first moment whose upper
        # edge has passed it until the first whose lower edge has.
        lower, upper = self._bounds(window)
        first = np.searchsorted(upper, stretches.row, side="right")
        stop = np.searchsorted(lower, stretches.row, side="right")
        cut = stretches.within(np.maximum(first, part.start), np.minimum(stop, part.stop))
        return replace(cut, first=cut.first - part.start, stop=cut.stop - part.start)

    def _load(self, patches: Patches, window: Window) -> Ints:
        """Return the running number of pairs before each moment."""
        change = np.zeros(len(self._moments) + 1, np.int64)
        for stretches in (patches.cuts, patches.adds):
            inside = self._inside(stretches, window, slice(0, len(self._moments)))
            change += np.bincount(inside.first, minlength=len(change))
            change -= np.bincount(inside.stop, minlength=len(change))
        return running(np.cumsum(change)[:-1])


def passed(times: Ints, delay: int, every: int, offset: int) -> Ints:
    """Return the last point of a grid up to each moment less the delay.

    Example:
        >>> passed(np.array([47, -1]), 0, 10, 3).tolist()
        [43, -7]
    """
    # At the beginning of int64 the point below would wrap around.
    inside = np.maximum(earlier(times, delay + offset), FIRST + every)
    points: Ints = inside // every * every + offset
    return points


def _patched(start: Ints, stop: Ints, cuts: Stretches, adds: Stretches) -> Slices:
    cut, cut_at = _by_moment(cuts)
    added, added_at = _by_moment(adds)
    cut_counts = np.bincount(cut_at, minlength=len(start))
    add_counts = np.bincount(added_at, minlength=len(start))
    counts = 1 + cut_counts + add_counts
    ends = np.cumsum(counts)
    offsets = ends - counts
    # A moment's slices: its stretch in the pieces that the cuts leave, then the added slots.
    first = np.empty(int(ends[-1]) if len(ends) else 0, np.int64)
    last = np.empty_like(first)
    nth_cut = np.arange(len(cut)) - np.repeat(np.cumsum(cut_counts) - cut_counts, cut_counts)
    nth_add = np.arange(len(added)) - np.repeat(np.cumsum(add_counts) - add_counts, add_counts)
    first[offsets] = start
    last[offsets + cut_counts] = stop
    at = offsets[cut_at] + nth_cut
    last[at], first[at + 1] = cut, cut + 1
    at = offsets[added_at] + 1 + cut_counts[added_at] + nth_add
    first[at], last[at] = added, added + 1
    return Slices(first, last, offsets)


def _by_moment(stretches: Stretches) -> tuple[Ints, Ints]:
    slots, moments = stretches.pairs()
    order = np.lexsort((slots, moments))
    return slots[order], moments[order]
