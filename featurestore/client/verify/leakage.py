"""Why a feature changes without the rows at or after its moment, and what to do about it."""

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum
from typing import Any

from featurestore.client.verify.on_demand import users_of
from featurestore.client.verify.values import same_value, value_or_overflow
from featurestore.engines.reference.features import is_answerable, window_rows, winner
from featurestore.engines.reference.rows import Row, Rows, existing_rows
from featurestore.query.nodes import Aggregate, Column, Query, ViewQuery
from featurestore.store.columns import EVENT_TIME


class Cause(StrEnum):
    """What lets a feature know of its moment."""

    winner = "an event at t answers"
    window = "an event at t is in the window"
    arrival = "a revision at t supersedes an older row"


def value_without(view: ViewQuery, feature: Column | Aggregate, spine_row: Row, rows: Rows) -> Any:
    """Return a feature at a spine row without the rows at or after its moment.

    Args:
        view: The use of the view.
        feature: The feature.
        spine_row: The spine row.
        rows: The stored rows of its key.
    """
    existing = _without_later(view, spine_row, rows) if is_answerable(view, spine_row) else []
    return value_or_overflow(view, feature, spine_row, existing)


def causes_of(
    view: ViewQuery, feature: Column | Aggregate, spine_row: Row, rows: Rows
) -> tuple[Cause, ...]:
    """Return why a feature, which changes at a spine row, does.

    Args:
        view: The use of the view.
        feature: The feature.
        spine_row: The spine row.
        rows: The stored rows of its key.
    """
    existing, earlier = existing_rows(view, spine_row, rows), _without_later(view, spine_row, rows)
    moment = spine_row[view.timestamp_field]
    if isinstance(feature, Aggregate):
        inside = window_rows(view, feature, moment, existing)
        direct = (Cause.window,) if any(row[EVENT_TIME] >= moment for row in inside) else ()
    else:
        won = winner(view, moment, existing)
        direct = (Cause.winner,) if won is not None and won[EVENT_TIME] >= moment else ()
    strict, mended = _mended(view, feature)
    now = value_or_overflow(strict, mended, spine_row, existing)
    before = value_or_overflow(strict, mended, spine_row, earlier)
    if direct and same_value(now, before):
        return direct
    return (*direct, Cause.arrival)


def fix_of(
    whole: Query, view: ViewQuery, feature: Column | Aggregate, causes: Collection[Cause]
) -> str:
    """Return what to do about a feature that leaks.

    Args:
        whole: What is asked.
        view: The use of the view.
        feature: The feature.
        causes: Why it changes, in all rows where it does.
    """
    fixes = {
        Cause.winner: _strictly(whole, view, feature),
        Cause.window: 'Give its aggregation closed="left", the default: then an event at t is '
        "not in it.",
        Cause.arrival: "What changes it is knowledge that arrives at t itself: a revision, or a "
        "deletion, with the time t supersedes an older row. The rules count what is known at t: "
        f"ask a moment earlier, or give {view.view} an available_delay.",
    }
    return " ".join(fix for cause, fix in fixes.items() if cause in causes)


def _without_later(view: ViewQuery, spine_row: Row, rows: Rows) -> list[Row]:
    moment = spine_row[view.timestamp_field]
    earlier = [row for row in rows if row[EVENT_TIME] is None or row[EVENT_TIME] < moment]
    return existing_rows(view, spine_row, earlier)


def _mended(view: ViewQuery, feature: Column | Aggregate) -> tuple[ViewQuery, Column | Aggregate]:
    """Return the feature as it is when no event at t itself answers."""
    if isinstance(feature, Column):
        return replace(view, strict=True), feature
    return view, replace(feature, window=replace(feature.window, closed_right=False))


def _strictly(whole: Query, view: ViewQuery, feature: Column | Aggregate) -> str:
    users = sorted({name.partition(":")[0] for name in users_of(whole, feature.output)})
    where = ["in the service"] if feature.output in whole.outputs else []
    where += [f"among the sources of {each}" for each in users]
    told = " and ".join(where)
    return f"Use {view.view}.strictly_before() {told}: then an event at t never answers."
