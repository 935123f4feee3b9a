"""Spine rows in the order of (code, t); stored rows in the order of (code, rank).

The rows may come in any order. One pass checks it, and only rows that are out of order are sorted.
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
        position: Their positions in the spine.
        code: The codes of their keys.
        time: Their times t.
        spine_rows: How many rows the spine has in all.
        keys: How many codes there are.
    """

    position: Ints
    code: Ints
    time: Ints
    spine_rows: int
    keys: int

    def __len__(self) -> int:
        return len(self.position)


def sort_moments(codes: Ints, times: Ints, selected: Ints | None, keys: int) -> Moments:
    """Return the moments of the selected spine rows.

    Args:
        codes: The code of each spine row's key.
        times: Its time.
        selected: The positions of the rows that have both; None if all have.
        keys: How many codes there are.

    Example:
        >>> sort_moments(np.array([1, 0]), np.array([5, 6]), None, 2).position.tolist()
        [1, 0]
    """
    order = _order(picked(codes, selected), picked(times, selected), stable=False)
    if order is None:
        position = np.arange(len(codes)) if selected is None else selected
        return Moments(
            position, picked(codes, selected), picked(times, selected), len(codes), keys
        )
    position = order if selected is None else selected[order]
    return Moments(position, codes[position], times[position], len(codes), keys)


def rank_order(codes: Ints, events: Ints, rows: pa.Table, selected: Ints | None) -> Ints | None:
    """Return the positions of the selected rows in the order of (code, rank).

    Args:
        codes: The codes of the selected rows' keys.
        events: Their event times.
        rows: All rows, with the columns that break ties.
        selected: The positions of the selected rows in ``rows``; None if all are selected.

    Returns:
        Positions in ``rows``; None if these are all rows in their own order.
    """
    order = _order(codes, events, stable=True)
    if order is not None:
        codes, events = codes[order], events[order]
        selected = order if selected is None else selected[order]
    equal = (codes[1:] == codes[:-1]) & (events[1:] == events[:-1])
    if not equal.any():
        return selected
    return _break_ties(equal, rows, selected)


def tie_breakers(rows: pa.Table, at: Ints) -> list[Ints]:
    """Return sort keys by (available_ts, seq, row_hash), nulls lowest, for `numpy.lexsort`.

    A column with nulls gives two keys: its values, and whether they are present, which comes
    first.

    Args:
        rows: All rows.
        at: The positions of the rows to sort.

    Returns:
        The keys, the least significant one first.
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
    """Return the order of the pairs (code, time); None if they are in order."""
    same = codes[1:] == codes[:-1]
    if not ((codes[1:] < codes[:-1]) | (same & (times[1:] < times[:-1]))).any():
        return None
    numbers = composed(codes, times)
    if numbers is None:
        return np.lexsort((times, codes))
    return np.argsort(numbers, kind="stable" if stable else None)


def _break_ties(equal: Mask, rows: pa.Table, selected: Ints | None) -> Ints | None:
    """Return the selected positions with rows of equal code and event time sorted by rank.

    Args:
        equal: Which rows are equal to the next one in code and event time.
        rows: All rows, with the columns that break ties.
        selected: Their positions, sorted by code and event time; None for all rows in order.
    """
    first, last = np.append(equal, False), np.append(False, equal)
    slots = np.flatnonzero(first | last)
    group = np.cumsum(~last[slots])
    members = slots if selected is None else selected[slots]
    order = np.lexsort((*tie_breakers(rows, members), group))
    if (order[1:] > order[:-1]).all():
        return selected
    answer = np.arange(len(last)) if selected is None else selected.copy()
    answer[slots] = members[order]
    return answer
