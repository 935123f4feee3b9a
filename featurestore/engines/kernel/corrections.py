"""Corrections of windows, for rows whose validity is not [event + delay, forever).

Without corrections, the rows in a window are one range of the sorted events. Late, early, revised
and deleted rows are irregular: a row can be in that range before or after it is valid, or be valid
while it is not yet in the range. A correction says at which moments a row is removed from the
range, or added to it.

A mostly absent row is hidden in the array and added where it counts. A mostly present row stays in
the array and is removed elsewhere.
"""

from dataclasses import dataclass

import numpy as np

from featurestore.engines.arrays import LAST, Ints, Mask, earlier, runs
from featurestore.engines.kernel.order import Moments
from featurestore.engines.kernel.search import Timeline
from featurestore.engines.kernel.slices import spread
from featurestore.engines.kernel.validity import Events


@dataclass(frozen=True)
class Intervals:
    """For each of some rows, an interval of moments.

    Args:
        row: The position of each row in the events.
        slot: Its slot in the columns.
        first: The position of the interval's first moment.
        stop: The position behind its last moment.
    """

    row: Ints
    slot: Ints
    first: Ints
    stop: Ints

    def within(self, first: Ints, stop: Ints) -> "Intervals":
        """Return the intersections with other intervals, one for each; without empty ones."""
        first, stop = np.maximum(self.first, first), np.minimum(self.stop, stop)
        left = np.flatnonzero(first < stop)
        return Intervals(self.row[left], self.slot[left], first[left], stop[left])

    def pairs(self) -> tuple[Ints, Ints]:
        """Return (slot, moment) for every moment of every interval."""
        moments, slots = spread(self.first, self.stop, self.slot)
        return slots, moments


@dataclass(frozen=True)
class Corrections:
    """The corrections of all windows over some events.

    Args:
        removed: Rows that are in the range of a window but are not valid.
        added: Rows that are valid but are not in the range.
        hidden: The slots of rows that count only where they are added; None if there are none.
        slot_row: The row in each slot: all rows in order, then the hidden ones again; None if
            each row has its own slot only.
    """

    removed: Intervals
    added: Intervals
    hidden: Mask | None
    slot_row: Ints | None


def find_corrections(events: Events, moments: Moments, delay: int) -> Corrections | None:
    """Return the corrections for windows over these events; None if every row is regular.

    Args:
        events: The rows, in the order of (code, rank).
        moments: The spine rows, in the order of (code, t).
        delay: The view's constant delay, in microseconds.
    """
    base = earlier(events.time, -delay)
    irregular = events.visible != base
    if events.until is not None:
        irregular |= events.until != LAST
    if not irregular.any():
        return None
    rows = np.flatnonzero(irregular)
    line = Timeline(moments.code, moments.time)
    code = events.code[rows]
    end = runs(moments.code, moments.keys)[code + 1]
    searcher = line.searcher(code)
    from_base = searcher.before(base[rows])
    since = searcher.before(events.visible[rows])
    until = np.maximum(since, stops(line, moments, events, rows))
    absent = np.maximum(since - from_base, 0) + (end - np.maximum(until, from_base))
    mostly_absent = until - since < absent
    return _corrections(rows, (from_base, since, until, end), mostly_absent, len(events))


def stops(line: Timeline, moments: Moments, events: Events, rows: Ints) -> Ints:
    """Return, for each of some rows, the first moment of its key at which it is superseded.

    Args:
        line: The timeline of the moments.
        moments: The moments.
        events: The rows.
        rows: The positions of some rows, ascending.

    Returns:
        Positions in the moments; where a row is never superseded, the end of its key's moments.
    """
    code = events.code[rows]
    end = runs(moments.code, moments.keys)[code + 1]
    if events.until is None:
        return end
    until = events.until[rows]
    return np.where(until == LAST, end, line.searcher(code).before(until))


def _corrections(
    rows: Ints, at: tuple[Ints, Ints, Ints, Ints], mostly_absent: Mask, events: int
) -> Corrections:
    """Return the corrections of irregular rows.

    Args:
        rows: The irregular rows.
        at: For each, the moments at which it enters the range of a window without lower edge, is
            visible, is superseded, and at which its key's moments end.
        mostly_absent: Which of them are hidden.
        events: How many rows there are in all.
    """
    from_base, since, until, end = at
    present = ~mostly_absent
    visible, hidden_rows = rows[present], rows[mostly_absent]
    late = Intervals(visible, visible, from_base[present], since[present])
    gone = Intervals(visible, visible, np.maximum(until, from_base)[present], end[present])
    early = Intervals(visible, visible, since[present], np.minimum(from_base, until)[present])
    own_slots = events + np.arange(len(hidden_rows))
    valid = Intervals(hidden_rows, own_slots, since[mostly_absent], until[mostly_absent])
    hidden, slot_row = None, None
    if len(hidden_rows):
        slot_row = np.concatenate([np.arange(events), hidden_rows])
        hidden = np.zeros(len(slot_row), np.bool_)
        hidden[hidden_rows] = True
    return Corrections(_joined(late, gone), _joined(early, valid), hidden, slot_row)


def _joined(left: Intervals, right: Intervals) -> Intervals:
    names = ("row", "slot", "first", "stop")
    return Intervals(*(np.append(getattr(left, name), getattr(right, name)) for name in names))
