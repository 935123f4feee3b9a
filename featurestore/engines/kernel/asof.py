"""The as-of winner: at each moment, the existing row of the greatest rank.

Rows that become visible just when their event happened (plus the view's constant delay), and are
never superseded, are found by one binary search. The rest, late, early or superseded rows, exist
over a stretch of the sorted moments: each is painted over its stretch, the greatest rank on top.
"""

import numpy as np

from featurestore.engines.arrays import LAST, Ints, Mask, earlier, runs
from featurestore.engines.kernel.corrections import stops
from featurestore.engines.kernel.order import Moments
from featurestore.engines.kernel.search import Timeline
from featurestore.engines.kernel.validity import Events


def winners(events: Events, moments: Moments, *, delay: int, strict: bool) -> Ints:
    """Return each moment's winner as a position in the events, -1 where there is none.

    Args:
        events: The rows, in the order of (code, rank).
        moments: The spine rows, in the order of (code, t).
        delay: The view's constant delay.
        strict: Whether an event at exactly t is left out.

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
    found = _by_search(events.code[positions], events.time[positions], moments, lag)
    searched = np.append(positions, -1)[found]
    painted = _by_painting(events, since, ~regular, moments)
    return np.asarray(np.maximum(searched, painted))


def paint(first: Ints, stop: Ints, colours: Ints, size: int) -> Ints:
    """Return, for each of ``size`` places, the greatest colour over it; -1 where there is none.

    A stretch is two overlapping ones of a power of two; from the longest down, each power hands
    its colours to two halves. That takes O(stretches + size log size), however they overlap.

    Args:
        first: Where each stretch starts.
        stop: Before which place it ends.
        colours: Its colour; ascending.
        size: How many places there are.

    Example:
        >>> paint(np.array([0, 1]), np.array([3, 2]), np.array([4, 7]), 4).tolist()
        [4, 7, 4, -1]
    """
    places = np.full(size, -1)
    filled = stop > first
    first, stop, colours = first[filled], stop[filled], colours[filled]
    power = np.frexp((stop - first).astype(np.float64))[1] - 1
    for level in range(int(power.max(initial=-1)), -1, -1):
        now = power == level
        for start in (first[now], stop[now] - (1 << level)):
            # Of equal indices the last assignment stays: colours ascend, so it is the greatest.
            places[start] = np.maximum(places[start], colours[now])
        if level:
            half = 1 << (level - 1)
            places[half:] = np.maximum(places[half:], places[:-half])
    return places


def _by_search(code: Ints, time: Ints, moments: Moments, lag: int) -> Ints:
    seen = Timeline(code, time).asked(moments.code).before(moments.time, lag - 1)
    starts = runs(code, moments.keys)
    return np.where(seen > starts[moments.code], seen - 1, -1)


def _by_painting(events: Events, since: Ints, painted: Mask, moments: Moments) -> Ints:
    rows = np.flatnonzero(painted)
    line = Timeline(moments.code, moments.time)
    first = line.asked(events.code[rows]).before(since[rows])
    stop = stops(line, moments, events, rows)
    return paint(first, stop, rows, len(moments))
