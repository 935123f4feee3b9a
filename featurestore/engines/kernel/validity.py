"""The validity of each stored row: from the moment it is visible until it is superseded."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import (
    LAST,
    Ints,
    Mask,
    both,
    earlier,
    integers,
    moments,
    picked,
    validity,
    whole,
)
from featurestore.engines.kernel.order import rank_order, tie_breakers
from featurestore.query.nodes import Rows
from featurestore.store.columns import AVAILABLE_TIME, DELETED, EVENT_TIME


@dataclass(frozen=True)
class Events:
    """The stored rows that have a key of the spine and a time, in the order of (code, rank).

    Args:
        source: Their positions in the table; None if they are all its rows, in its order.
        code: The codes of their keys.
        time: Their event times.
        visible: The moment from which each is visible.
        until: The moment at which each is superseded, `LAST` for never; None if none ever is.
        deleted: Which rows are tombstones; None if none is.
    """

    source: Ints | None
    code: Ints
    time: Ints
    visible: Ints
    until: Ints | None
    deleted: Mask | None

    def __len__(self) -> int:
        return len(self.code)


def load_events(codes: Ints, rows: pa.Table, rule: Rows, *, tombstones: bool) -> Events:
    """Return the rows that have a code and a time, sorted, with the validity of each.

    Args:
        codes: The code of each row's key; -1 for none.
        rows: The stored columns.
        rule: The rules of the view's rows.
        tombstones: Whether tombstones are events that answer. With ``unique_by`` they never are.
    """
    column = whole(rows[EVENT_TIME])
    times = moments(column)
    usable = both(validity(column), codes >= 0)
    positions = None if usable is None or usable.all() else np.flatnonzero(usable)
    source = rank_order(picked(codes, positions), picked(times, positions), rows, positions)
    code, time = picked(codes, source), picked(times, source)
    visible = visible_times(time, rows, source, rule)
    until = _superseded(code, visible, rows, source, rule.unique_by) if rule.unique_by else None
    events = Events(source, code, time, visible, until, _deleted(rows, source, rule))
    return events if tombstones and not rule.unique_by else _without_tombstones(events)


def visible_times(time: Ints, rows: pa.Table, source: Ints | None, rule: Rows) -> Ints:
    """Return the moment from which each row is visible.

    Args:
        time: The event times of the rows.
        rows: The stored columns.
        source: The rows' positions in ``rows``; None if they are all of them, in order.
        rule: The rules of the view's rows.
    """
    delayed = earlier(time, -rule.available_delay) if rule.available_delay else time
    if not rule.has_available:
        return delayed
    column = whole(rows[AVAILABLE_TIME])
    visible = np.maximum(time, picked(moments(column), source))
    present = validity(column)
    if present is None:
        return visible
    return np.where(picked(present, source), visible, delayed)


def _deleted(rows: pa.Table, source: Ints | None, rule: Rows) -> Mask | None:
    if not rule.has_deleted:
        return None
    deleted = whole(rows[DELETED]).fill_null(False).to_numpy(zero_copy_only=False)
    return picked(deleted, source) if deleted.any() else None


def _without_tombstones(events: Events) -> Events:
    if events.deleted is None:
        return events
    rest = np.flatnonzero(~events.deleted)
    source = rest if events.source is None else events.source[rest]
    until = None if events.until is None else events.until[rest]
    return Events(
        source, events.code[rest], events.time[rest], events.visible[rest], until, deleted=None
    )


def _superseded(
    code: Ints, visible: Ints, rows: pa.Table, source: Ints | None, unique_by: tuple[str, ...]
) -> Ints | None:
    """Return, for each row, the least visible time of its revisions with a greater rank."""
    group = _groups(code, rows, source, unique_by)
    revised = np.flatnonzero(np.bincount(group)[group] > 1)
    if not len(revised):
        return None
    breakers = tie_breakers(rows, revised if source is None else source[revised])
    order = np.lexsort((*breakers, group[revised]))
    revised = revised[order]
    new_group = _changes(group[revised])
    new_rank = new_group | np.logical_or.reduce([_changes(key[order]) for key in breakers])
    until = np.full(len(code), LAST)
    until[revised] = _least_after(visible[revised], new_group, new_rank)
    return until


def _least_after(visible: Ints, new_group: Mask, new_rank: Mask) -> Ints:
    """Return, for each value, the least value of its group among those of a greater rank.

    Args:
        visible: The values, by group and rank.
        new_group: Where a group starts.
        new_rank: Where a rank of a group starts.
    """
    # Each value becomes the number (group, position among all sorted values). Going backwards, the
    # numbers of a group are less than those of the groups behind it, so that
    # minimum.accumulate never takes a number of another group.
    by_value = np.argsort(visible, kind="stable")
    position = np.empty(len(visible), np.int64)
    position[by_value] = np.arange(len(visible))
    base = (np.cumsum(new_group) - 1) * len(visible)
    least = np.minimum.accumulate((base + position)[::-1])[::-1] - base
    starts = np.append(np.flatnonzero(new_rank), len(visible))
    behind = starts[np.cumsum(new_rank)]
    inside = behind < len(visible)
    inside[inside] = ~new_group[behind[inside]]
    answer = np.full(len(visible), LAST)
    answer[inside] = visible[by_value[least[behind[inside]]]]
    return answer


def _groups(code: Ints, rows: pa.Table, source: Ints | None, unique_by: tuple[str, ...]) -> Ints:
    """Return a number for each row's event: equal for the revisions of one event."""
    group = code
    for name in unique_by:
        encoded = whole(rows[name]).dictionary_encode(null_encoding="encode")
        indices = picked(integers(encoded.indices), source)
        _, group = np.unique(group * len(encoded.dictionary) + indices, return_inverse=True)
    return group


def _changes(values: Ints) -> Mask:
    """Return which values differ from the one before; the first one does."""
    changes = np.ones(len(values), np.bool_)
    changes[1:] = values[1:] != values[:-1]
    return changes
