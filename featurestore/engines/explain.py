"""Why one cell is what it is, told from the stored rows of its key in plain Python.

The winner and the window are found the naive way, by the rules as they are written, beside the
kernel's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from featurestore.engines.naive.features import window_rows, winner
from featurestore.engines.naive.rows import Row, existing_rows, is_tombstone, rank, visible_from
from featurestore.query.nodes import Aggregate, Column, ViewQuery, Window
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME
from featurestore.times import from_micros

SHOWN_ROWS = 20


@dataclass(frozen=True)
class Explanation:
    """Why a cell is what it is.

    Args:
        feature: The feature's name.
        view: Its view.
        reason: ``computed`` of an on-demand feature, whose inputs may come by ``request`` or be
            the row's ``moment``; else ``answered``, ``null_key``, ``null_time``, ``no_row``,
            ``not_yet_available``, ``retracted``, ``expired``, ``tombstone``, ``null_value`` or
            ``empty_window``.
        text: The same as a sentence.
        row: The stored row that won, or that would have; its times as UTC datetimes. None
            without one.
        rows: Of a window, the rows in it, newest last, at most 20.
        count: Of a window, how many rows are in it.
        inputs: Of an on-demand feature, why each of its inputs is what it is.
        version: The Delta version of the view's table that was read.
    """

    feature: str
    view: str
    reason: str
    text: str
    row: Row | None = None
    rows: tuple[Row, ...] = field(default_factory=tuple)
    count: int = 0
    inputs: "tuple[Explanation, ...]" = ()
    version: int | None = None

    def __str__(self) -> str:
        """Return the sentence, with the feature's name and its table before it."""
        version = "" if self.version is None else f" at version {self.version}"
        return f"{self.feature} ({self.view}{version}): {self.text}"


def explain_cell(
    query: ViewQuery, feature: Column | Aggregate, asked: Row, rows: Sequence[Row]
) -> Explanation:
    """Return why a feature has its value at one spine row.

    Args:
        query: The use of the view.
        feature: One of its features.
        asked: The spine row's bound keys and its time in UTC microseconds.
        rows: The stored rows of that key, all of them.

    Example:
        >>> from featurestore.definitions.types import Float64
        >>> x = Column("x", "x", Float64)
        >>> query = ViewQuery("v", keys=(), timestamp_field="t", columns=(x,))
        >>> print(explain_cell(query, x, {"t": 5}, []))
        x (v): null: the view has no row of this key
    """
    moment = asked[query.timestamp_field]
    if moment is None:
        return _told(query, feature, "null_time", "null: the spine row has no time")
    for key in query.keys:
        if asked[key.spine_column] is None:
            text = f"null: {key.spine_column!r}, a part of the key, is null"
            return _told(query, feature, "null_key", text)
    existing = existing_rows(query, asked, rows)
    if isinstance(feature, Aggregate):
        return _explain_window(query, feature, moment, existing)
    return _explain_column(query, feature, moment, existing, rows)


def _explain_column(
    query: ViewQuery, feature: Column, moment: int, existing: list[Row], rows: Sequence[Row]
) -> Explanation:
    won = winner(query, moment, existing)
    if won is None:
        return _explain_absence(query, feature, moment, rows)
    age = moment - won[EVENT_TIME]
    told = f"the row of {_time(won[EVENT_TIME])}"
    if query.ttl is not None and age > query.ttl:
        late = f"null: {told} won but is {_span(age)} old, and the ttl is {_span(query.ttl)}"
        return _told(query, feature, "expired", late, won)
    if is_tombstone(query, won):
        return _told(query, feature, "tombstone", f"null: {told} won, and it is a tombstone", won)
    if won[feature.column] is None:
        text = f"null: {told} won, and its {feature.column!r} is null, as it was materialized"
        return _told(query, feature, "null_value", text, won)
    since = visible_from(query, won)
    known = "" if since == won[EVENT_TIME] else f", known since {_time(since)}"
    text = f"{told} won, {_span(age)} before the moment{known}"
    return _told(query, feature, "answered", text, won)


def _explain_absence(
    query: ViewQuery, feature: Column, moment: int, rows: Sequence[Row]
) -> Explanation:
    if not rows:
        return _told(query, feature, "no_row", "null: the view has no row of this key")
    last = moment - 1 if query.strict else moment
    past = sorted((row for row in rows if row[EVENT_TIME] <= last), key=rank)
    if not past:
        first = min(row[EVENT_TIME] for row in rows)
        text = f"null: the key's first event, of {_time(first)}, is not before the moment"
        return _told(query, feature, "no_row", text)
    unseen = [row for row in past if visible_from(query, row) > moment]
    if unseen:
        soon = min(unseen, key=lambda row: visible_from(query, row))
        text = (
            f"null: the event of {_time(soon[EVENT_TIME])} was not known "
            f"before {_time(visible_from(query, soon))}"
        )
        return _told(query, feature, "not_yet_available", text, soon)
    return _told(query, feature, "retracted", "null: every event was retracted", past[-1])


def _explain_window(
    query: ViewQuery, feature: Aggregate, moment: int, existing: list[Row]
) -> Explanation:
    low, high = window_edges(feature.window, moment)
    inside = [
        row
        for row in window_rows(query, feature, moment, existing)
        if feature.column == "*" or row[feature.column] is not None
    ]
    start = "the beginning" if low is None else _time(low)
    span = f"from {start} to before {_time(high)}"
    if not inside:
        return _told(query, feature, "empty_window", f"no value known then {span}")
    text = f"{feature.function} of {len(inside)} values {span}"
    return Explanation(
        feature.output,
        query.view,
        "answered",
        text,
        _with_times(inside[-1]),
        tuple(map(_with_times, inside[-SHOWN_ROWS:])),
        len(inside),
    )


def window_edges(window: Window, moment: int) -> tuple[int | None, int]:
    """Return a window's first microsecond and the one after its last; None for no beginning.

    Example:
        >>> window_edges(Window(10, 1), 100), window_edges(Window(10, 1, True), 100)
        ((89, 99), (90, 100))
    """
    end = window.end(moment) + (1 if window.closed_right else 0)
    return (None if window.size is None else end - window.size), end


def _told(
    query: ViewQuery, feature: Column | Aggregate, reason: str, text: str, row: Row | None = None
) -> Explanation:
    shown = None if row is None else _with_times(row)
    return Explanation(feature.output, query.view, reason, text, shown)


def _with_times(row: Row) -> Row:
    """Return a row with its times as people and JSON have them."""
    times = {name: row[name] for name in (EVENT_TIME, AVAILABLE_TIME)}
    return {**row} | {
        name: None if micros is None else from_micros(micros) for name, micros in times.items()
    }


def _time(micros: int) -> str:
    return from_micros(micros).isoformat(" ").replace("+00:00", "Z")


def _span(micros: int) -> str:
    return str(timedelta(microseconds=micros))
