"""What is answered at a spine row: the as-of winner's value, or a function of a window."""

from typing import Any

from featurestore.engines.reference.functions import FUNCTIONS
from featurestore.engines.reference.rows import (
    Row,
    Rows,
    existing_rows,
    is_tombstone,
    rank,
    spine_key,
)
from featurestore.query.nodes import Aggregate, Column, ViewQuery, Window
from featurestore.store.columns import EVENT_TIME


def answer(query: ViewQuery, spine: Rows, rows: Rows) -> dict[str, list[Any]]:
    """Return each feature's values, one a spine row, in the spine's order."""
    answers = [answer_row(query, spine_row, rows) for spine_row in spine]
    return {name: [values[name] for values in answers] for name in query.outputs}


def answer_row(query: ViewQuery, spine_row: Row, rows: Rows) -> dict[str, Any]:
    """Return the features at one spine row; nulls where its key or its time is null."""
    existing = existing_rows(query, spine_row, rows) if is_answerable(query, spine_row) else []
    return {each.output: value_of(query, each, spine_row, existing) for each in query.features}


def value_of(query: ViewQuery, feature: Column | Aggregate, spine_row: Row, existing: Rows) -> Any:
    """Return one feature at one spine row, from the rows that exist for it."""
    if not is_answerable(query, spine_row):
        return None
    moment = spine_row[query.timestamp_field]
    if isinstance(feature, Column):
        return column_value(query, feature, moment, existing)
    return aggregate_value(query, feature, moment, existing)


def is_answerable(query: ViewQuery, spine_row: Row) -> bool:
    """Return whether the spine row has a time and a whole key."""
    return spine_row[query.timestamp_field] is not None and None not in spine_key(query, spine_row)


def column_value(query: ViewQuery, feature: Column, moment: int, existing: Rows) -> Any:
    """Return the winner's value, unless it is too old or a tombstone."""
    won = winner(query, moment, existing)
    if won is None:
        return None
    if query.ttl is not None and moment - won[EVENT_TIME] > query.ttl:
        return None
    if is_tombstone(query, won):
        return None
    return won[feature.column]


def winner(query: ViewQuery, moment: int, existing: Rows) -> Row | None:
    """Return the existing row of the greatest rank, before ttl and tombstones."""
    candidates = [
        row
        for row in existing
        if row[EVENT_TIME] < moment or (row[EVENT_TIME] == moment and not query.strict)
    ]
    return max(candidates, key=rank, default=None)


def aggregate_value(query: ViewQuery, feature: Aggregate, moment: int, existing: Rows) -> Any:
    """Return the function of the window's values."""
    seen = window_rows(query, feature, moment, existing)
    if feature.by is not None:
        return category_map(feature, feature.by, seen)
    values = values_of(feature, seen)
    if not values and feature.empty is not None:
        return feature.empty
    return FUNCTIONS[feature.function](feature, values)


def window_values(query: ViewQuery, feature: Aggregate, moment: int, existing: Rows) -> list[Any]:
    """Return the values in the window that are not null, in the order of rank."""
    return values_of(feature, window_rows(query, feature, moment, existing))


def category_map(feature: Aggregate, by: str, seen: Rows) -> list[tuple[Any, Any]]:
    """Return (category, value) of the categories in which the window has values, in order."""
    categories = sorted({row[by] for row in seen} - {None})
    found = [
        (category, values_of(feature, [row for row in seen if row[by] == category]))
        for category in categories
    ]
    return [
        (category, FUNCTIONS[feature.function](feature, values))
        for category, values in found
        if values
    ]


def window_rows(query: ViewQuery, feature: Aggregate, moment: int, existing: Rows) -> list[Row]:
    """Return the rows in the window, in the order of rank."""
    seen = [
        row
        for row in existing
        if not is_tombstone(query, row) and in_window(feature.window, row[EVENT_TIME], moment)
    ]
    return sorted(seen, key=rank)


def values_of(feature: Aggregate, seen: Rows) -> list[Any]:
    """Return the aggregated column's values that are not null."""
    if feature.column == "*":
        return [True for _ in seen]
    return [row[feature.column] for row in seen if row[feature.column] is not None]


def in_window(window: Window, event: int, moment: int) -> bool:
    """Return whether an event lies in the window that ends ``delay`` before the moment.

    On a grid it ends at the last point that is not after that.
    """
    upper = moment - window.delay
    if window.every is not None:
        upper -= (upper - window.offset) % window.every
    if window.closed_right:
        return event <= upper and (window.size is None or event > upper - window.size)
    return event < upper and (window.size is None or event >= upper - window.size)
