"""When each stored row exists: from the moment it is visible until it is superseded."""

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
        source: Their positions in the table; None if they are the table as it is.
        code: Their keys' codes.
        time: When they happened.
        visible: From when on they can be known.
        until: When a later revision takes their place, `LAST` for never; None if none does.
        deleted: Which are tombstones; None if none is.
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
    """Return the rows that have a code and a time, sorted, with the span in which each exists.

    Args:
        codes: The rows' keys.
        rows: The stored columns.
        rule: How the view's rows come to exist.
        tombstones: Whether tombstones are events that answer; with ``unique_by`` they never are.
    """
    column = whole(rows[EVENT_TIME])
    times = moments(column)
    known = both(validity(column), codes >= 0)
    kept = None if known is None or known.all() else np.flatnonzero(known)
    source = rank_order(picked(codes, kept), picked(times, kept), rows, kept)
    code, time = picked(codes, source), picked(times, source)
    visible = _visible(time, rows, source, rule)
    until = _superseded(code, visible, rows, source, rule.unique_by) if rule.unique_by else None
    events = Events(source, code, time, visible, until, _deleted(rows, source, rule))
    return events if tombstones and not rule.unique_by else _without_tombstones(events)


def _visible(time: Ints, rows: pa.Table, source: Ints | None, rule: Rows) -> Ints:
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
    kept = np.flatnonzero(~events.deleted)
    source = kept if events.source is None else events.source[kept]
    until = None if events.until is None else events.until[kept]
    return Events(
        source, events.code[kept], events.time[kept], events.visible[kept], until, deleted=None
    )


def _superseded(
    code: Ints, visible: Ints, rows: pa.Table, source: Ints | None, unique_by: tuple[str, ...]
) -> Ints | None:
    """Return, a row, the least visible time among its greater revisions."""
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
    """Return the least of the values in the same group but behind those of equal rank."""
    # Walked backwards, each group's numbers lie below those of the group behind it:
    # minimum.accumulate over (group, position of the value) never reaches into another group.
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
    group = code
    for name in unique_by:
        encoded = whole(rows[name]).dictionary_encode(null_encoding="encode")
        indices = picked(integers(encoded.indices), source)
        _, group = np.unique(group * len(encoded.dictionary) + indices, return_inverse=True)
    return group


def _changes(values: Ints) -> Mask:
    changes = np.ones(len(values), np.bool_)
    changes[1:] = values[1:] != values[:-1]
    return changes
