"""Recomputing sampled cells the naive way, from the stored rows of their keys alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from featurestore.client.checks.rows import Key, rows_of_keys
from featurestore.engines.naive.agreement import bound_among
from featurestore.engines.naive.features import is_asked, value_of
from featurestore.engines.naive.functions import IntegerOverflowError
from featurestore.engines.naive.rows import Row, Rows, existing_rows, spine_key
from featurestore.query.nodes import Aggregate, Column, ViewQuery
from featurestore.store.columns import EVENT_TIME
from featurestore.store.snapshot import Snapshot

OVERFLOW = "the sum does not fit its type"

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
    """

    values: Mapping[str, Any]
    bounds: Mapping[str, float]
    without: Mapping[str, Any] = field(default_factory=dict)


def recompute(
    view: ViewQuery, snapshot: Snapshot, asked: Sequence[Row], *, leakage: bool
) -> dict[int, Cells]:
    """Return the cells of spine rows, by the rows' places.

    Rows are left out whose keys have too many stored rows to be gone through one by one.

    Args:
        view: The use of the view.
        snapshot: Its pinned table.
        asked: Spine rows, with bound keys and times in UTC microseconds.
        leakage: Whether to compute them without the rows at or after their moments too.
    """
    places: dict[Key, list[int]] = defaultdict(list)
    for place, row in enumerate(asked):
        places[spine_key(view, row)].append(place)
    cells, steps, keys = {}, MOST_STEPS, len(places)
    for key, rows in rows_of_keys(view, snapshot, places, most=MOST_ROWS):
        each = len(rows or ()) * (1 + len(view.features)) + 1
        allowed = 0 if rows is None else steps // keys // each
        for place in places[key][:allowed]:
            cells[place] = _cells(view, asked[place], rows or (), leakage)
        steps -= each * min(allowed, len(places[key]))
        keys -= 1
    return dict(sorted(cells.items()))


def _cells(view: ViewQuery, asked: Row, rows: Rows, leakage: bool) -> Cells:
    existing = existing_rows(view, asked, rows) if is_asked(view, asked) else []
    return Cells(
        {each.output: _value(view, each, asked, existing) for each in view.features},
        {each.output: bound_among(view, each, asked, existing) for each in view.features},
        _without_later(view, asked, rows) if leakage else {},
    )


def _without_later(view: ViewQuery, asked: Row, rows: Rows) -> dict[str, Any]:
    if not is_asked(view, asked):
        return dict.fromkeys(view.outputs)
    moment = asked[view.timestamp_field]
    earlier = [row for row in rows if row[EVENT_TIME] is None or row[EVENT_TIME] < moment]
    existing = existing_rows(view, asked, earlier)
    return {each.output: _value(view, each, asked, existing) for each in view.features}


def _value(view: ViewQuery, feature: Column | Aggregate, asked: Row, existing: Rows) -> Any:
    try:
        return value_of(view, feature, asked, existing)
    except IntegerOverflowError:
        return OVERFLOW
