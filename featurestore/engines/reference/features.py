"""The answer at a spine row: the value of the as-of winner, or a function of a window."""

from typing import Any

from featurestore.engines.reference.functions import FUNCTIONS
from featurestore.engines.reference.rows import (
    Row,
    Rows,
    is_tombstone,
    rank,
    spine_key,
    valid_rows,
)
from featurestore.query.nodes import Aggregate, Column, ViewQuery, Window
from featurestore.store.columns import EVENT_TIME


def answer(query: ViewQuery, spine: Rows, rows: Rows) -> dict[str, list[Any]]:
    """Return the values of each feature: one for each spine row, in the spine's order."""
    answers = [answer_row(query, spine_row, rows) for spine_row in spine]
    return {name: [values[name] for values in answers] for name in query.outputs}


def answer_row(query: ViewQuery, spine_row: Row, rows: Rows) -> dict[str, Any]:
    """Return the features at one spine row; all are null if its key or its time is null."""
    valid = valid_rows(query, spine_row, rows) if is_answerable(query, spine_row) else []
    return {each.output: value_of(query, each, spine_row, valid) for each in query.features}


def value_of(query: ViewQuery, feature: Column | Aggregate, spine_row: Row, valid: Rows) -> Any:
    """Return one feature at one spine row, from the rows that are valid there."""
    if not is_answerable(query, spine_row):
        return None
    moment = spine_row[query.timestamp_field]
    if isinstance(feature, Column):
        return column_value(query, feature, moment, valid)
    return aggregate_value(query, feature, moment, valid)


def is_answerable(query: ViewQuery, spine_row: Row) -> bool:
    """Return whether the spine row has a time, and no null in its key."""
    return spine_row[query.timestamp_field] is not None and None not in spine_key(query, spine_row)


def column_value(query: ViewQuery, feature: Column, moment: int, valid: Rows) -> Any:
    """Return the winner's value; null if the winner is older than the ttl or a tombstone."""
    row = winner(query, moment, valid)
    if row is None:
        return None
    if query.ttl is not None and moment - row[EVENT_TIME] > query.ttl:
        return None
    if is_tombstone(query, row):
        return None
    return row[feature.column]


def winner(query: ViewQuery, moment: int, valid: Rows) -> Row | None:
    """Return the valid row of the greatest rank, without regard to ttl and tombstones."""
    candidates = [
        row
        for row in valid
        if row[EVENT_TIME] < moment or (row[EVENT_TIME] == moment and not query.strict)
    ]
    return max(candidates, key=rank, default=None)


def aggregate_value(query: ViewQuery, feature: Aggregate, moment: int, valid: Rows) -> Any:
    """Return the aggregation function of the values in the window."""
    rows = window_rows(query, feature, moment, valid)
    if feature.by is not None:
        return category_map(feature, feature.by, rows)
    values = values_of(feature, rows)
    if not values and feature.empty is not None:
        return feature.empty
    return FUNCTIONS[feature.function](feature, values)


def window_values(query: ViewQuery, feature: Aggregate, moment: int, valid: Rows) -> list[Any]:
    """Return the values in the window without nulls, in the order of rank."""
    return values_of(feature, window_rows(query, feature, moment, valid))


def category_map(feature: Aggregate, by: str, rows: Rows) -> list[tuple[Any, Any]]:
    """Return (category, value) for each category with a value in the window, in order."""
    categories = sorted({row[by] for row in rows} - {None})
    values_by_category = [
        (category, values_of(feature, [row for row in rows if row[by] == category]))
        for category in categories
    ]
    return [
        (category, FUNCTIONS[feature.function](feature, values))
        for category, values in values_by_category
        if values
    ]


def window_rows(query: ViewQuery, feature: Aggregate, moment: int, valid: Rows) -> list[Row]:
    """Return the rows in the window, in the order of rank."""
    inside = [
        row
        for row in valid
        if not is_tombstone(query, row) and in_window(feature.window, row[EVENT_TIME], moment)
    ]
    return sorted(inside, key=rank)


def values_of(feature: Aggregate, rows: Rows) -> list[Any]:
    """Return the rows' values of the aggregated column, without nulls."""
    if feature.column == "*":
        return [True for _ in rows]
    return [row[feature.column] for row in rows if row[feature.column] is not None]


def in_window(window: Window, event: int, moment: int) -> bool:
    """Return whether an event is in the window that ends ``delay`` before the moment.

    On a grid, the window ends at the last grid point up to then.
    """
    upper = moment - window.delay
    if window.every is not None:
        upper -= (upper - window.offset) % window.every
    if window.closed_right:
        return event <= upper and (window.size is None or event > upper - window.size)
    return event < upper and (window.size is None or event >= upper - window.size)
