"""Leaks: why a feature depends on rows at or after its moment, and what to do about it."""

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum
from typing import Any

from featurestore.client.verify.on_demand import users_of
from featurestore.client.verify.values import same_value, value_or_overflow
from featurestore.engines.reference.features import is_answerable, window_rows, winner
from featurestore.engines.reference.rows import Row, Rows, valid_rows
from featurestore.query.nodes import Aggregate, Column, Query, ViewQuery
from featurestore.store.columns import EVENT_TIME


class Cause(StrEnum):
    """Why a feature changes when the rows at or after its moment t are removed."""

    winner = "the winning row is an event at t"
    window = "an event at t is in the window"
    arrival = "a revision at t supersedes an older row"


def past_value(view: ViewQuery, feature: Column | Aggregate, spine_row: Row, rows: Rows) -> Any:
    """Return the value of a feature from the rows before the spine row's moment alone.

    Args:
        view: The use of the view.
        feature: The feature.
        spine_row: The spine row.
        rows: The stored rows of its key.
    """
    valid = _valid_past(view, spine_row, rows) if is_answerable(view, spine_row) else []
    return value_or_overflow(view, feature, spine_row, valid)


def causes_of(
    view: ViewQuery, feature: Column | Aggregate, spine_row: Row, rows: Rows
) -> tuple[Cause, ...]:
    """Return why a feature's value differs from its past value at a spine row.

    Args:
        view: The use of the view.
        feature: The feature. Its value and its past value differ.
        spine_row: The spine row.
        rows: The stored rows of its key.
    """
    valid, past = valid_rows(view, spine_row, rows), _valid_past(view, spine_row, rows)
    moment = spine_row[view.timestamp_field]
    if isinstance(feature, Aggregate):
        inside = window_rows(view, feature, moment, valid)
        direct = (Cause.window,) if any(row[EVENT_TIME] >= moment for row in inside) else ()
    else:
        won = winner(view, moment, valid)
        direct = (Cause.winner,) if won is not None and won[EVENT_TIME] >= moment else ()
    # If the feature changes even without the events at t, then a revision at t is a cause too.
    strict_view, strict_feature = _strict(view, feature)
    now = value_or_overflow(strict_view, strict_feature, spine_row, valid)
    before = value_or_overflow(strict_view, strict_feature, spine_row, past)
    if direct and same_value(now, before):
        return direct
    return (*direct, Cause.arrival)


def fix_of(
    query: Query, view: ViewQuery, feature: Column | Aggregate, causes: Collection[Cause]
) -> str:
    """Return what to do about a feature that leaks.

    Args:
        query: The whole query of the call.
        view: The use of the view.
        feature: The feature.
        causes: The causes in all rows where the feature leaks.
    """
    fixes = {
        Cause.winner: _strictly_before(query, view, feature),
        Cause.window: 'Use closed="left", the default, in its aggregation. '
        "Then an event at t is not in the window.",
        Cause.arrival: "A revision or a deletion becomes visible at t itself and supersedes an "
        "older row. Rows that are visible at t count. To exclude them, use moments a microsecond "
        f"earlier, or set available_delay= in view {view.view!r}.",
    }
    return " ".join(fix for cause, fix in fixes.items() if cause in causes)


def _valid_past(view: ViewQuery, spine_row: Row, rows: Rows) -> list[Row]:
    moment = spine_row[view.timestamp_field]
    past = [row for row in rows if row[EVENT_TIME] is None or row[EVENT_TIME] < moment]
    return valid_rows(view, spine_row, past)


def _strict(view: ViewQuery, feature: Column | Aggregate) -> tuple[ViewQuery, Column | Aggregate]:
    """Return the view and the feature changed so that they exclude events at the moment."""
    if isinstance(feature, Column):
        return replace(view, strict=True), feature
    return view, replace(feature, window=replace(feature.window, closed_right=False))


def _strictly_before(query: Query, view: ViewQuery, feature: Column | Aggregate) -> str:
    on_demand = sorted({name.partition(":")[0] for name in users_of(query, feature.output)})
    uses = ["in the service"] if feature.output in query.outputs else []
    uses += [f"in the sources of {each}" for each in on_demand]
    where = " and ".join(uses)
    return f"Use {view.view}.strictly_before() {where}. Then it excludes an event at t."
