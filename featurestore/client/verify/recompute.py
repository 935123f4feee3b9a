"""Recomputing sampled cells by the reference, from the stored rows of their keys alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from featurestore.client.verify.leakage import Cause, causes_of, value_without
from featurestore.client.verify.values import same_value, value_or_overflow
from featurestore.engines.explain.stored_rows import Key, rows_of_keys
from featurestore.engines.reference.agreement import bound_among
from featurestore.engines.reference.features import is_answerable
from featurestore.engines.reference.rows import Row, Rows, existing_rows, spine_key
from featurestore.query.nodes import ViewQuery
from featurestore.store.delta.snapshot import Snapshot

MOST_ROWS = 100_000
"""A key with more rows is left out: its rows would fill the memory."""

MOST_STEPS = 50_000_000
"""How many stored rows are gone through for one view, a feature and a moment each: some 30 s."""


@dataclass(frozen=True)
class Cells:
    """One spine row's features by the rules.

    Args:
        values: Each feature's value.
        bounds: How far an engine's may be off.
        without: Each feature's value without the rows at or after the moment, if it was asked.
        causes: Why those differ that do.
    """

    values: Mapping[str, Any]
    bounds: Mapping[str, float]
    without: Mapping[str, Any] = field(default_factory=dict)
    causes: Mapping[str, tuple[Cause, ...]] = field(default_factory=dict)


def recompute(
    view: ViewQuery, snapshot: Snapshot, spine_rows: Sequence[Row], *, leakage: bool
) -> dict[int, Cells]:
    """Return the cells of spine rows, by the rows' places.

    Rows are left out whose keys have too many stored rows to be gone through one by one.

    Args:
        view: The use of the view.
        snapshot: Its pinned table.
        spine_rows: Spine rows, with bound keys and times in UTC microseconds.
        leakage: Whether to compute them without the rows at or after their moments too.
    """
    places: dict[Key, list[int]] = defaultdict(list)
    for place, row in enumerate(spine_rows):
        places[spine_key(view, row)].append(place)
    cells, steps, keys = {}, MOST_STEPS, len(places)
    for key, rows in rows_of_keys(view, snapshot, places, most=MOST_ROWS):
        each = len(rows or ()) * (1 + len(view.features)) + 1
        allowed = 0 if rows is None else steps // keys // each
        for place in places[key][:allowed]:
            cells[place] = _cells(view, spine_rows[place], rows or (), leakage)
        steps -= each * min(allowed, len(places[key]))
        keys -= 1
    return dict(sorted(cells.items()))


def _cells(view: ViewQuery, spine_row: Row, rows: Rows, leakage: bool) -> Cells:
    existing = existing_rows(view, spine_row, rows) if is_answerable(view, spine_row) else []
    values = {n.output: value_or_overflow(view, n, spine_row, existing) for n in view.features}
    bounds = {n.output: bound_among(view, n, spine_row, existing) for n in view.features}
    if not leakage:
        return Cells(values, bounds)
    without = {n.output: value_without(view, n, spine_row, rows) for n in view.features}
    causes = {
        each.output: causes_of(view, each, spine_row, rows)
        for each in view.features
        if not same_value(values[each.output], without[each.output])
    }
    return Cells(values, bounds, without, causes)
