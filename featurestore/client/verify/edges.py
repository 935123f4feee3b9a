"""Edges: the moments at which answers change, which random moments would hardly ever hit."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import singledispatch
from random import Random
from typing import Any

from featurestore.engines.explain.stored_rows import Key
from featurestore.engines.reference.rows import Row, visible_from
from featurestore.query.nodes import ViewQuery, Window
from featurestore.store.columns import EVENT_TIME

_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # of the years 1 to 9999


def edges_of(view: ViewQuery, row: Row) -> set[int]:
    """Return the moments at which one stored row can change an answer.

    They are: its event time and the microsecond after it, the moment from which it is visible,
    the first moment at which it is older than the ttl, and the moments at which it enters and
    leaves each window.

    Args:
        view: The use of the view.
        row: One of the view's stored rows, with an event time.

    Returns:
        Moments in UTC microseconds.

    Example:
        >>> view = ViewQuery("v", keys=(), timestamp_field="t", ttl=50)
        >>> sorted(edges_of(view, {"event_timestamp": 10, "available_timestamp": 12}))
        [10, 11, 12, 61]
    """
    event = row[EVENT_TIME]
    edges = {event, event + 1, visible_from(view, row)}
    if view.ttl is not None:
        edges.add(event + view.ttl + 1)
    for aggregate in view.aggregates:
        edges |= _window_edges(aggregate.window, event)
    return edges


def moments_near(view: ViewQuery, rows: Sequence[Row], count: int, random: Random) -> list[int]:
    """Return up to ``count`` moments, each at an edge of a row or one microsecond beside it.

    Args:
        view: The use of the view.
        rows: Stored rows of one key.
        count: The largest number of moments.
        random: The source of randomness.
    """
    timed = [row for row in rows if row[EVENT_TIME] is not None]
    chosen = random.sample(timed, min(count, len(timed)))
    near = sorted(
        {edge + step for row in chosen for edge in edges_of(view, row) for step in (-1, 0, 1)}
    )
    possible = [moment for moment in near if _FIRST <= moment <= _LAST]
    return random.sample(possible, min(count, len(possible)))


def absent_keys(keys: Sequence[Key], count: int, random: Random) -> list[Key]:
    """Return up to ``count`` keys that are probably not stored.

    A key is made of the parts of two stored keys, or of a value close to a stored one.

    Args:
        keys: Stored keys.
        count: The largest number of keys.
        random: The source of randomness.

    Example:
        >>> absent_keys([("a",)], 1, Random(0))
        [('a~',)]
    """
    if not keys or not keys[0]:
        return []
    made = [
        (_close_to(random.choice(keys)[0]), *random.choice(keys)[1:])
        if number % 2 or len(keys[0]) == 1
        else tuple(random.choice(keys)[part] for part in range(len(keys[0])))
        for number in range(count)
    ]
    return [key for key in dict.fromkeys(made) if key not in set(keys)]


def _window_edges(window: Window, event: int) -> set[int]:
    """Return the moments at which the window's end, and then its start, passes the event."""
    first_end = event if window.closed_right else event + 1
    ends = [first_end] if window.size is None else [first_end, first_end + window.size]
    return {_on_grid(window, end) + window.delay for end in ends}


def _on_grid(window: Window, end: int) -> int:
    if window.every is None:
        return end
    return end + (window.offset - end) % window.every


@singledispatch
def _close_to(value: Any) -> Any:
    return value


@_close_to.register
def _(value: bool) -> bool:
    return not value


@_close_to.register
def _(value: int) -> int:
    return value - 1 if value > 0 else value + 1


@_close_to.register
def _(value: str) -> str:
    return value + "~"


@_close_to.register
def _(value: date) -> date:
    return value - timedelta(days=1) if value > date.min else value
