"""Windows: the slice of the events that each moment's window holds.

An edge of a window at t - shift is a position: the number of events before it. One search finds
the edges of all moments, however long the window is. On a grid, the last grid point up to t takes
the place of t. The upper edge never passes the events that regular rows have by t. Corrections add
and remove irregular rows.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np

from featurestore.engines.arrays import FIRST, Ints, earlier, running, runs
from featurestore.engines.kernel.corrections import Corrections, Intervals, find_corrections
from featurestore.engines.kernel.order import Moments
from featurestore.engines.kernel.search import Searcher, Timeline
from featurestore.engines.kernel.slices import Slices, pieces
from featurestore.engines.kernel.validity import Events
from featurestore.query.nodes import Window

Grid = tuple[int, int, int] | None
"""Delay, step and offset of a grid, in microseconds; None for no grid."""


class Frames:
    """Returns the slices of any window over some events, at some moments.

    Args:
        events: The rows, in the order of (code, rank), without tombstones.
        moments: The spine rows, in the order of (code, t).
        delay: The view's constant delay, in microseconds.
    """

    def __init__(self, events: Events, moments: Moments, delay: int) -> None:
        self._events, self._moments, self._delay = events, moments, delay
        self._edges: dict[tuple[Grid, int], Ints] = {}

    @cached_property
    def corrections(self) -> Corrections | None:
        """The corrections for irregular rows; None if all rows are regular."""
        return find_corrections(self._events, self._moments, self._delay)

    def parts(self, windows: tuple[Window, ...]) -> Iterator[slice]:
        """Yield the moments in pieces whose corrections fit in memory."""
        if self.corrections is None:
            yield slice(0, len(self._moments))
            return
        loads = [self._load(self.corrections, window) for window in windows]
        yield from pieces(max(loads, key=lambda load: int(load[-1])))

    def slices(self, window: Window, part: slice) -> Slices:
        """Return the window's slices at some of the moments."""
        lower, upper = self._bounds(window)
        start, stop = lower[part], upper[part]
        if window.delay - int(window.closed_right) < self._delay - 1:
            # The window reaches beyond the events that are visible by then.
            stop = np.maximum(np.minimum(stop, self._edge(self._delay - 1)[part]), start)
        if self.corrections is None:
            return Slices(start, stop)
        removed, added = self.corrections.removed, self.corrections.added
        inside = self._inside(removed, window, part), self._inside(added, window, part)
        return _corrected(start, stop, *inside)

    def _bounds(self, window: Window) -> tuple[Ints, Ints]:
        """Return the lower and the upper edge of the window at all moments."""
        grid = None if window.every is None else (window.delay, window.every, window.offset)
        upper = (window.delay if grid is None else 0) - int(window.closed_right)
        lower = self._starts if window.size is None else self._edge(upper + window.size, grid)
        return lower, self._edge(upper, grid)

    def _edge(self, shift: int, grid: Grid = None) -> Ints:
        """Return how many events are before (code, t - shift), or its grid point in place of t."""
        key = grid, shift
        if key not in self._edges:
            times = self._moments.time if grid is None else passed(self._moments.time, *grid)
            self._edges[key] = self._searcher.before(times, shift)
        return self._edges[key]

    @cached_property
    def _searcher(self) -> Searcher:
        return Timeline(self._events.code, self._events.time).searcher(self._moments.code)

    @cached_property
    def _starts(self) -> Ints:
        """The position of the first event of each moment's key."""
        return runs(self._events.code, self._moments.keys)[self._moments.code]

    def _inside(self, intervals: Intervals, window: Window, part: slice) -> Intervals:
        """Return the moments of the intervals at which the row's event is in the window.

        Moments count from the first of the part.
        """
        # Edges ascend with the moments: a row is in the window from the first moment whose upper
        # edge has passed it until the first moment whose lower edge has.
        lower, upper = self._bounds(window)
        first = np.searchsorted(upper, intervals.row, side="right")
        stop = np.searchsorted(lower, intervals.row, side="right")
        inside = intervals.within(np.maximum(first, part.start), np.minimum(stop, part.stop))
        return replace(inside, first=inside.first - part.start, stop=inside.stop - part.start)

    def _load(self, corrections: Corrections, window: Window) -> Ints:
        """Return how many pairs of correction and moment there are before each moment."""
        change = np.zeros(len(self._moments) + 1, np.int64)
        for intervals in (corrections.removed, corrections.added):
            inside = self._inside(intervals, window, slice(0, len(self._moments)))
            change += np.bincount(inside.first, minlength=len(change))
            change -= np.bincount(inside.stop, minlength=len(change))
        return running(np.cumsum(change)[:-1])


def passed(times: Ints, delay: int, every: int, offset: int) -> Ints:
    """Return the last point of a grid up to each moment minus the delay.

    Example:
        >>> passed(np.array([47, -1]), 0, 10, 3).tolist()
        [43, -7]
    """
    # At the beginning of int64, the grid point below would wrap around.
    inside = np.maximum(earlier(times, delay + offset), FIRST + every)
    points: Ints = inside // every * every + offset
    return points


def _corrected(start: Ints, stop: Ints, removed: Intervals, added: Intervals) -> Slices:
    """Return each moment's slices: its range without the removed slots, then the added slots."""
    cut, cut_at = _by_moment(removed)
    extra, extra_at = _by_moment(added)
    cut_counts = np.bincount(cut_at, minlength=len(start))
    extra_counts = np.bincount(extra_at, minlength=len(start))
    counts = 1 + cut_counts + extra_counts
    ends = np.cumsum(counts)
    offsets = ends - counts
    first = np.empty(int(ends[-1]) if len(ends) else 0, np.int64)
    last = np.empty_like(first)
    nth_cut = np.arange(len(cut)) - np.repeat(np.cumsum(cut_counts) - cut_counts, cut_counts)
    nth_extra = np.arange(len(extra)) - np.repeat(
        np.cumsum(extra_counts) - extra_counts, extra_counts
    )
    first[offsets] = start
    last[offsets + cut_counts] = stop
    at = offsets[cut_at] + nth_cut
    last[at], first[at + 1] = cut, cut + 1
    at = offsets[extra_at] + 1 + cut_counts[extra_at] + nth_extra
    first[at], last[at] = extra, extra + 1
    return Slices(first, last, offsets)


def _by_moment(intervals: Intervals) -> tuple[Ints, Ints]:
    """Return (slot, moment) for every moment of every interval, by moment and slot."""
    slots, moments = intervals.pairs()
    order = np.lexsort((slots, moments))
    return slots[order], moments[order]
