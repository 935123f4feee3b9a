"""Spine rows in the order of (code, t); stored rows in the order of (code, rank).

Nothing is assumed about the order in which they come: one pass checks it, and only what is out of
order is sorted.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Ints, Mask, integers, picked, validity, whole
from featurestore.engines.kernel.search import composed
from featurestore.store.columns import AVAILABLE_TIME, ROW_HASH, SEQUENCE


@dataclass(frozen=True)
class Moments:
    """The spine rows that have a key and a time, in the order of (code, t).

    Args:
        place: Their positions in the spine.
        code: Their keys' codes.
        time: Their t.
        spine_rows: How many rows the spine has in all.
        keys: How many codes there are.
    """

    place: Ints
    code: Ints
    time: Ints
    spine_rows: int
    keys: int

    def __len__(self) -> int:
        return len(self.place)


def sort_moments(codes: Ints, times: Ints, known: Ints | None, keys: int) -> Moments:
    """Return the moments of the ``known`` spine rows; ``keys`` is how many codes there are.

    Example:
        >>> sort_moments(np.array([1, 0]), np.array([5, 6]), None, 2).place.tolist()
        [1, 0]
    """
    order = _order(picked(codes, known), picked(times, known), stable=False)
    if order is None:
        place = np.arange(len(codes)) if known is None else known
        return Moments(place, picked(codes, known), picked(times, known), len(codes), keys)
    place = order if known is None else known[order]
    return Moments(place, codes[place], times[place], len(codes), keys)


def rank_order(codes: Ints, events: Ints, rows: pa.Table, known: Ints | None) -> Ints | None:
    """Return the positions of the ``known`` rows in the order of (code, rank).

    Args:
        codes: The known rows' keys.
        events: Their event times.
        rows: All rows, with the columns that break ties.
        known: The known rows' positions in ``rows``; None if all are known.

    Returns:
        Positions in ``rows``; None if that is all rows as they come.
    """
    order = _order(codes, events, stable=True)
    if order is not None:
        codes, events = codes[order], events[order]
        known = order if known is None else known[order]
    equal = (codes[1:] == codes[:-1]) & (events[1:] == events[:-1])
    if not equal.any():
        return known
    return _break_ties(equal, rows, known)


def tie_breakers(rows: pa.Table, at: Ints) -> list[Ints]:
    """Return (available_ts, seq, row_hash) of some rows, weakest first, as sort keys.

    A column with nulls gives two keys, its values and, stronger, whether they are there.
    """
    keys: list[Ints] = []
    for name in (ROW_HASH, SEQUENCE, AVAILABLE_TIME):
        if name in rows.column_names:
            column = whole(rows[name].take(pa.array(at)))
            keys.append(integers(column))
            present = validity(column)
            if present is not None:
                keys.append(present.astype(np.int64))
    return keys


def _order(codes: Ints, times: Ints, *, stable: bool) -> Ints | None:
    same = codes[1:] == codes[:-1]
    if not ((codes[1:] < codes[:-1]) | (same & (times[1:] < times[:-1]))).any():
        return None
    numbers = composed(codes, times)
    if numbers is None:
        return np.lexsort((times, codes))
    return np.argsort(numbers, kind="stable" if stable else None)


def _break_ties(equal: Mask, rows: pa.Table, known: Ints | None) -> Ints | None:
    first, last = np.append(equal, False), np.append(False, equal)
    slots = np.flatnonzero(first | last)
    group = np.cumsum(~last[slots])
    members = slots if known is None else known[slots]
    order = np.lexsort((*tie_breakers(rows, members), group))
    if (order[1:] > order[:-1]).all():
        return known
    answer = np.arange(len(last)) if known is None else known.copy()
    answer[slots] = members[order]
    return answer
