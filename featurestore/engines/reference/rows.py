"""Which stored rows are valid at a moment, and their rank."""

from collections.abc import Mapping, Sequence
from typing import Any

from featurestore.query.nodes import ViewQuery
from featurestore.store.columns import (
    AVAILABLE_TIME,
    DELETED,
    EVENT_TIME,
    ROW_HASH,
    SEQUENCE,
)

Row = Mapping[str, Any]
"""A stored row or a spine row; times are UTC microseconds."""

Rows = Sequence[Row]


def valid_rows(query: ViewQuery, spine_row: Row, rows: Rows) -> list[Row]:
    """Return the stored rows of the spine row's key that are valid at its moment.

    A row is valid from the moment when it becomes visible. With ``unique_by``, only the newest
    visible revision of an event is valid, and none if that is a tombstone.
    """
    moment, key = spine_row[query.timestamp_field], spine_key(query, spine_row)
    visible = [
        row
        for row in rows
        if row_key(query, row) == key
        and row[EVENT_TIME] is not None
        and visible_from(query, row) <= moment
    ]
    if not query.rows.unique_by:
        return visible
    newest: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in visible:
        event, revision = event_name(query, row), revision_rank(row)
        newest[event] = max(newest.get(event, revision), revision)
    return [
        row
        for row in visible
        if revision_rank(row) == newest[event_name(query, row)] and not is_tombstone(query, row)
    ]


def visible_from(query: ViewQuery, row: Row) -> int:
    """Return the moment at which the row becomes visible."""
    if row[AVAILABLE_TIME] is None:
        return int(row[EVENT_TIME]) + query.rows.available_delay
    return int(max(row[EVENT_TIME], row[AVAILABLE_TIME]))


def rank(row: Row) -> tuple[Any, ...]:
    """Return (event_ts, available_ts, seq, row_hash), nulls lowest."""
    return (row[EVENT_TIME], *revision_rank(row))


def revision_rank(row: Row) -> tuple[Any, ...]:
    """Return (available_ts, seq, row_hash), nulls lowest."""
    parts = (row[AVAILABLE_TIME], row.get(SEQUENCE), row[ROW_HASH])
    return tuple((part is not None, 0 if part is None else part) for part in parts)


def is_tombstone(query: ViewQuery, row: Row) -> bool:
    """Return whether the row is a tombstone: it deletes its entity or its event."""
    return query.rows.has_deleted and row[DELETED] is True


def event_name(query: ViewQuery, row: Row) -> tuple[Any, ...]:
    """Return the values that revisions of one event have in common; null equals null here."""
    return tuple(row[name] for name in query.rows.unique_by)


def spine_key(query: ViewQuery, spine_row: Row) -> tuple[Any, ...]:
    """Return the spine row's key as a tuple."""
    return tuple(spine_row[key.spine_column] for key in query.keys)


def row_key(query: ViewQuery, row: Row) -> tuple[Any, ...]:
    """Return the stored row's key as a tuple."""
    return tuple(row[key.key] for key in query.keys)
