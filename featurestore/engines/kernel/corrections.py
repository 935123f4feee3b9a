"""Patches: rows that exist otherwise than from their event (plus the constant delay) to ever.

Events before t - delay are positions in one array, and a window is a stretch of it. A patch says
at which moments a row must be cut out of such a stretch, or added to it. A row that is seldom
there is hidden in the array and added where it is; a row that is seldom missing is cut out.
"""

from dataclasses import dataclass

import numpy as np

from featurestore.engines.arrays import LAST, Ints, Mask, earlier, runs
from featurestore.engines.kernel.order import Moments
from featurestore.engines.kernel.search import Timeline
from featurestore.engines.kernel.slices import spread
from featurestore.engines.kernel.validity import Events


@dataclass(frozen=True)
class Stretches:
    """Rows and the moments, ``first`` to ``stop``, at which something holds for each.

    Args:
        row: Positions in the events.
        slot: The column slots that stand for them.
        first: The first moment.
        stop: The moment behind the last.
    """

    row: Ints
    slot: Ints
    first: Ints
    stop: Ints

    def within(self, first: Ints, stop: Ints) -> "Stretches":
        """Return the stretches cut to other bounds, one pair a stretch; empty ones drop out."""
        first, stop = np.maximum(self.first, first), np.minimum(self.stop, stop)
        left = np.flatnonzero(first < stop)
        return Stretches(self.row[left], self.slot[left], first[left], stop[left])

    def pairs(self) -> tuple[Ints, Ints]:
        """Return (slot, moment) for every moment of every stretch."""
        moments, slots = spread(self.first, self.stop, self.slot)
        return slots, moments


@dataclass(frozen=True)
class Patches:
    """What differs from the plain stretches, and the slots of the columns that it needs.

    Args:
        cuts: Rows that are in the array and must go.
        adds: Rows that must come in.
        hidden: Slots whose row counts only where it is added; None if there is none.
        slot_row: The row that each slot holds: all rows in order, then the hidden ones again;
            None where that is all rows.
    """

    cuts: Stretches
    adds: Stretches
    hidden: Mask | None
    slot_row: Ints | None


def find_patches(events: Events, moments: Moments, delay: int) -> Patches | None:
    """Return the patches for windows over these events; None if every row is regular."""
    base = earlier(events.time, -delay)
    irregular = events.visible != base
    if events.until is not None:
        irregular |= events.until != LAST
    if not irregular.any():
        return None
    odd = np.flatnonzero(irregular)
    line = Timeline(moments.code, moments.time)
    code = events.code[odd]
    end = runs(moments.code, moments.keys)[code + 1]
    asked = line.asked(code)
    from_base = asked.before(base[odd])
    since = asked.before(events.visible[odd])
    until = np.maximum(since, stops(line, moments, events, odd))
    missing = np.maximum(since - from_base, 0) + (end - np.maximum(until, from_base))
    return _patches(odd, (from_base, since, until, end), until - since < missing, len(events))


def stops(line: Timeline, moments: Moments, events: Events, rows: Ints) -> Ints:
    """Return the first moment, if any of its key, at which each of some rows exists no more.

    Args:
        line: The moments, to be searched.
        moments: The same.
        events: The rows.
        rows: Positions of some of them, ascending.
    """
    code = events.code[rows]
    end = runs(moments.code, moments.keys)[code + 1]
    if events.until is None:
        return end
    until = events.until[rows]
    return np.where(until == LAST, end, line.asked(code).before(until))


def _patches(odd: Ints, at: tuple[Ints, Ints, Ints, Ints], rare: Mask, rows: int) -> Patches:
    from_base, since, until, end = at
    fixed = ~rare
    kept, shy = odd[fixed], odd[rare]
    late = Stretches(kept, kept, from_base[fixed], since[fixed])
    gone = Stretches(kept, kept, np.maximum(until, from_base)[fixed], end[fixed])
    early = Stretches(kept, kept, since[fixed], np.minimum(from_base, until)[fixed])
    there = Stretches(shy, rows + np.arange(len(shy)), since[rare], until[rare])
    hidden, slot_row = None, None
    if len(shy):
        slot_row = np.concatenate([np.arange(rows), shy])
        hidden = np.zeros(len(slot_row), np.bool_)
        hidden[shy] = True
    return Patches(_joined(late, gone), _joined(early, there), hidden, slot_row)


def _joined(left: Stretches, right: Stretches) -> Stretches:
    names = ("row", "slot", "first", "stop")
    return Stretches(*(np.append(getattr(left, name), getattr(right, name)) for name in names))
