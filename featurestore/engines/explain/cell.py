"""Why one cell is what it is, told from the stored rows of its key in plain Python.

The winner and the window are found by the reference, by the rules as they are written, beside the
kernel's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from featurestore.definitions.model.functions import FUNCTION_SPECS
from featurestore.engines.explain.excluded import Withheld, time_text, told_of, withheld_rows
from featurestore.engines.reference.features import in_window, window_rows, winner
from featurestore.engines.reference.rows import Row, existing_rows, is_tombstone, visible_from
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
            ``not_yet_available``, ``retracted``, ``superseded``, ``expired``, ``tombstone`` or
            ``null_value``; ``empty_window`` where no event of the key lies in the window,
            ``too_few`` where its function needs more values.
        text: The same as a sentence.
        row: The stored row that won, or that would have; its times as UTC datetimes. None
            without one.
        rows: Of a window, the rows in it, newest last, at most 20.
        count: Of a window, how many rows are in it.
        inputs: Of an on-demand feature, why each of its inputs is what it is.
        value: The feature's value in the answer.
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
    value: Any = None

    @property
    def lines(self) -> tuple[str, ...]:
        """The sentence; of an on-demand feature its transform, then a line for each input."""
        shown = tuple(input_text(each) for each in self.inputs)
        return (self.text.removesuffix("; ".join(("", *shown))), *shown) if shown else (self.text,)

    def __str__(self) -> str:
        """Return the sentence, with the feature's name and its table before it."""
        version = "" if self.version is None else f" at version {self.version}"
        return f"{self.feature} ({self.view}{version}): {self.text}"


def input_text(told: Explanation) -> str:
    """Return the value of an on-demand feature's input, and why it is that.

    Example:
        >>> input_text(Explanation("price", "checkout", "request", "given", value=1.5))
        'price = 1.5, given'
        >>> input_text(Explanation("price", "checkout", "request", "null: not given"))
        'price = null: not given'
    """
    joint = "" if told.text.startswith("null: ") else f"{shown_value(told.value)}, "
    return f"{told.feature} = {joint}{told.text}"


def shown_value(value: object) -> str:
    """Return an input's value as it is told of.

    Example:
        >>> shown_value(1.5), shown_value(None)
        ('1.5', 'null')
    """
    if value is None:
        return "null"
    return value.isoformat(" ") if isinstance(value, datetime) else repr(value)


def explain_cell(
    query: ViewQuery, feature: Column | Aggregate, spine_row: Row, rows: Sequence[Row]
) -> Explanation:
    """Return why a feature has its value at one spine row.

    Args:
        query: The use of the view.
        feature: One of its features.
        spine_row: The spine row's bound keys and its time in UTC microseconds.
        rows: The stored rows of that key, all of them.

    Example:
        >>> from featurestore.definitions.model.types import Float64
        >>> x = Column("x", "x", Float64)
        >>> query = ViewQuery("v", keys=(), timestamp_field="t", columns=(x,))
        >>> print(explain_cell(query, x, {"t": 5}, []))
        x (v): null: the view has no row of this key
    """
    moment = spine_row[query.timestamp_field]
    if moment is None:
        return _told(query, feature, "null_time", "null: the spine row has no time")
    for key in query.keys:
        if spine_row[key.spine_column] is None:
            text = f"null: {key.spine_column!r}, a part of the key, is null"
            return _told(query, feature, "null_key", text)
    timed = [row for row in rows if row[EVENT_TIME] is not None]
    existing = existing_rows(query, spine_row, timed)
    if isinstance(feature, Aggregate):
        return _explain_window(query, feature, moment, existing, timed)
    return _explain_column(query, feature, moment, existing, timed)


def _explain_column(
    query: ViewQuery, feature: Column, moment: int, existing: list[Row], rows: Sequence[Row]
) -> Explanation:
    won = winner(query, moment, existing)
    if won is None:
        return _explain_absence(query, feature, moment, rows)
    age = moment - won[EVENT_TIME]
    told = f"the row of {time_text(won[EVENT_TIME])}"
    if query.ttl is not None and age > query.ttl:
        late = f"null: {told} won but is {_span(age)} old, and the ttl is {_span(query.ttl)}"
        return _told(query, feature, "expired", late, won)
    if is_tombstone(query, won):
        return _told(query, feature, "tombstone", f"null: {told} won, and it is a tombstone", won)
    if won[feature.column] is None:
        text = f"null: {told} won, and its {feature.column!r} is null, as it was materialized"
        return _told(query, feature, "null_value", text, won)
    since = visible_from(query, won)
    known = "" if since == won[EVENT_TIME] else f", known since {time_text(since)}"
    before = f"{_span(age)} before the moment" if age else "at the moment itself"
    text = f"{told} won, {before}{known}"
    return _told(query, feature, "answered", text, won)


def _explain_absence(
    query: ViewQuery, feature: Column, moment: int, rows: Sequence[Row]
) -> Explanation:
    if not rows:
        return _told(query, feature, "no_row", "null: the view has no row of this key")
    last = moment - 1 if query.strict else moment
    past = [row for row in rows if row[EVENT_TIME] <= last]
    if not past:
        first = time_text(min(row[EVENT_TIME] for row in rows))
        where = "not before the moment" if query.strict else "after the moment"
        text = f"null: the key's first event, of {first}, is {where}"
        return _told(query, feature, "no_row", text)
    found = withheld_rows(query, moment, rows, past)
    text = f"null: {told_of(found, 'the row of {}', 'the {} earlier rows')}"
    return _told(query, feature, found[0].reason, text, found[0].row)


def _explain_window(
    query: ViewQuery,
    feature: Aggregate,
    moment: int,
    existing: list[Row],
    rows: Sequence[Row],
) -> Explanation:
    needed = [name for name in (feature.column, feature.by) if name not in (None, "*")]
    inside = [
        row
        for row in window_rows(query, feature, moment, existing)
        if all(row[name] is not None for name in needed)
    ]
    there = [row for row in rows if in_window(feature.window, row[EVENT_TIME], moment)]
    left_out = withheld_rows(query, moment, rows, there, needed)
    if not inside:
        return _explain_emptiness(query, feature, moment, rows, left_out)
    text = f"{_counted(feature, len(inside))} {span_text(feature.window, moment)}"
    fewest = FUNCTION_SPECS[feature.function].least_values(feature.ddof)
    few = len(inside) < fewest
    if few:
        text = f"null: {text}, and it takes {fewest}"
    if left_out:
        text = f"{text}; {told_of(left_out, 'one more there, of {},', '{} more there')}"
    return Explanation(
        feature.output,
        query.view,
        "too_few" if few else "answered",
        text,
        _with_times(inside[-1]),
        tuple(map(_with_times, inside[-SHOWN_ROWS:])),
        len(inside),
    )


def _explain_emptiness(
    query: ViewQuery,
    feature: Aggregate,
    moment: int,
    rows: Sequence[Row],
    left_out: Sequence[Withheld],
) -> Explanation:
    nothing = f"no {_noun(feature)} {span_text(feature.window, moment)}"
    if not rows:
        return _told(query, feature, "no_row", f"{nothing}: the view has no row of this key")
    if not left_out:
        near = _nearest_events(feature.window, moment, rows)
        return _told(query, feature, "empty_window", f"{nothing}: {near}")
    text = f"{nothing}: {told_of(left_out, 'the row there, of {},', 'the {} rows there')}"
    return _told(query, feature, left_out[0].reason, text, left_out[0].row)


def _nearest_events(window: Window, moment: int, rows: Sequence[Row]) -> str:
    low, high = window_edges(window, moment)
    times = [row[EVENT_TIME] for row in rows]
    before = max((time for time in times if low is not None and time < low), default=None)
    after = min((time for time in times if time >= high), default=None)
    parts = [] if before is None else [f"of {time_text(before)} before it"]
    parts += [] if after is None else [f"of {time_text(after)} after it"]
    are = "event is" if len(parts) == 1 else "events are"
    return f"the key's nearest {are} {', and '.join(parts)}"


def window_edges(window: Window, moment: int) -> tuple[int | None, int]:
    """Return a window's first microsecond and the one after its last; None for no beginning.

    Example:
        >>> window_edges(Window(10, 1), 100), window_edges(Window(10, 1, True), 100)
        ((89, 99), (90, 100))
    """
    end = window.end(moment) + (1 if window.closed_right else 0)
    return (None if window.size is None else end - window.size), end


def span_text(window: Window, moment: int) -> str:
    """Return where a window lies, in words.

    Example:
        >>> span_text(Window(None, closed_right=True), 0)
        'up to and including 1970-01-01 00:00:00Z'
        >>> span_text(Window(1_000_000), 0)
        'from 1969-12-31 23:59:59Z to before 1970-01-01 00:00:00Z'
    """
    low, high = window_edges(window, moment)
    if window.closed_right:
        after = "" if low is None else f"after {time_text(low - 1)} "
        return f"{after}up to and including {time_text(high - 1)}"
    start = "the beginning" if low is None else time_text(low)
    return f"from {start} to before {time_text(high)}"


def function_text(feature: Aggregate) -> str:
    """Return a window's function as one writes it: ``last3``, ``p90``, ``sum``."""
    return FUNCTION_SPECS[feature.function].written(feature.number)


def _counted(feature: Aggregate, count: int) -> str:
    noun = _noun(feature) + ("" if count == 1 else "s")
    by = "" if feature.by is None else f" by {feature.by!r}"
    return f"{function_text(feature)} of {count} {noun}{by}"


def _noun(feature: Aggregate) -> str:
    return "row" if feature.column == "*" else "value"


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


def _span(micros: int) -> str:
    return str(timedelta(microseconds=micros))
