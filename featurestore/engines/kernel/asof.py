"""The as-of winner: at each moment, the valid row with the greatest rank.

There are two kinds of rows:

- A *regular* row becomes visible at its event (plus the view's constant delay) and is never
  superseded. One binary search finds the newest regular row of each moment.
- An *irregular* row is late, early or superseded. It is valid in an interval of the sorted
  moments. `interval_max` finds the greatest rank of the intervals that contain a moment.

The winner is the greater of the two.
"""

import numpy as np

from featurestore.engines.arrays import LAST, Ints, Mask, earlier, runs
from featurestore.engines.kernel.corrections import stops
from featurestore.engines.kernel.order import Moments
from featurestore.engines.kernel.search import Timeline
from featurestore.engines.kernel.validity import Events


def winners(events: Events, moments: Moments, *, delay: int, strict: bool) -> Ints:
    """Return the position of each moment's winner in the events; -1 for none.

    Args:
        events: The rows, in the order of (code, rank).
        moments: The spine rows, in the order of (code, t).
        delay: The view's constant delay, in microseconds.
        strict: Whether an event at exactly t is excluded.

    Example:
        >>> code, time = np.array([[0, 0], [1, 5]])
        >>> events = Events(None, code, time, visible=time, until=None, deleted=None)
        >>> moments = Moments(*np.array([[0, 1], [0, 0], [0, 5]]), spine_rows=2, keys=1)
        >>> winners(events, moments, delay=0, strict=False).tolist()
        [-1, 1]
    """
    since = np.maximum(events.visible, earlier(events.time, -1)) if strict else events.visible
    lag = max(delay, int(strict))
    regular = since == earlier(events.time, -lag)
    if events.until is not None:
        regular &= events.until == LAST
    if regular.all():
        return _by_search(events.code, events.time, moments, lag)
    positions = np.flatnonzero(regular)
    newest = _by_search(events.code[positions], events.time[positions], moments, lag)
    regular_winners = np.append(positions, -1)[newest]
    irregular_winners = _by_interval(events, since, ~regular, moments)
    return np.asarray(np.maximum(regular_winners, irregular_winners))


def interval_max(first: Ints, stop: Ints, values: Ints, size: int) -> Ints:
    """Return, for each of ``size`` positions, the greatest value of the intervals that contain it.

    An interval is the union of two overlapping intervals whose length is a power of two. Level k
    holds the greatest value of the intervals of length ``2 ** k`` by their first position. From
    the highest level down, each value goes to the two halves of its interval. This takes
    O(intervals + size log size) steps, however the intervals overlap.

    Args:
        first: The first position of each interval.
        stop: The position behind its last.
        values: The value of each interval, ascending.
        size: How many positions there are.

    Returns:
        One value for each position; -1 where no interval contains it.

    Example:
        >>> interval_max(np.array([0, 1]), np.array([3, 2]), np.array([4, 7]), 4).tolist()
        [4, 7, 4, -1]
    """
    greatest = np.full(size, -1)
    filled = stop > first
    first, stop, values = first[filled], stop[filled], values[filled]
    power = np.frexp((stop - first).astype(np.float64))[1] - 1
    for level in range(int(power.max(initial=-1)), -1, -1):
        now = power == level
        for start in (first[now], stop[now] - (1 << level)):
            # Of equal indices the last assignment stays: values ascend, so it is the greatest.
            greatest[start] = np.maximum(greatest[start], values[now])
        if level:
            half = 1 << (level - 1)
            greatest[half:] = np.maximum(greatest[half:], greatest[:-half])
    return greatest


def _by_search(code: Ints, time: Ints, moments: Moments, lag: int) -> Ints:
    """Return the newest of some regular rows at each moment; -1 for none."""
    visible = Timeline(code, time).searcher(moments.code).before(moments.time, lag - 1)
    starts = runs(code, moments.keys)
    return np.where(visible > starts[moments.code], visible - 1, -1)


def _by_interval(events: Events, since: Ints, irregular: Mask, moments: Moments) -> Ints:
    """Return the irregular row of the greatest rank at each moment; -1 for none."""
    rows = np.flatnonzero(irregular)
    line = Timeline(moments.code, moments.time)
    first = line.searcher(events.code[rows]).before(since[rows])
    stop = stops(line, moments, events, rows)
    return interval_max(first, stop, rows, len(moments))
