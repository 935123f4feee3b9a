"""Why one cell of an answer has its value, from all stored rows of its key.

The reference selects the winning row and the rows of a window. So an explanation does not depend
on the kernel, and shows when the two disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from featurestore.definitions.model.functions import FUNCTION_SPECS
from featurestore.engines.explain.excluded import (
    ExcludedRows,
    describe_excluded,
    excluded_rows,
    format_time,
)
from featurestore.engines.reference.features import in_window, window_rows, winner
from featurestore.engines.reference.rows import Row, is_tombstone, valid_rows, visible_from
from featurestore.notebook import html_lines
from featurestore.query.nodes import Aggregate, Column, ViewQuery, Window
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME
from featurestore.times import from_micros

SHOWN_ROWS = 20
"""The most rows of a window that an explanation shows."""


@dataclass(frozen=True)
class Explanation:
    """Why a cell of an answer has its value.

    Args:
        feature: The feature's name.
        view: The name of its view; of its source for a request value.
        reason: One word. For a value: ``answered``; ``computed`` for an on-demand feature;
            ``request`` or ``moment`` for an input of one. For null: ``null_key``, ``null_time``,
            ``no_row``, ``not_yet_available``, ``retracted``, ``superseded``, ``expired``,
            ``tombstone`` or ``null_value``. For windows also ``empty_window``, if the key has no
            event in the window, and ``too_few``, if the function needs more values.
        text: The same in sentences.
        row: The winning row, or the row that is closest to an answer, with its times as UTC
            datetimes. None if there is none.
        rows: For a window: the rows in it, the newest last, at most 20.
        count: For a window: the number of rows in it.
        inputs: For an on-demand feature: the explanation of each input.
        value: The feature's value in the answer.
        version: The Delta version of the view's table.
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
        """The text; for an on-demand feature the transform, then one line for each input."""
        inputs = tuple(describe_input(each) for each in self.inputs)
        if not inputs:
            return (self.text,)
        return (self.text.removesuffix("; ".join(("", *inputs))), *inputs)

    def _repr_html_(self) -> str:
        return html_lines(
            [f"{self.feature} = {format_value(self.value)}  ({self.view})", *self.lines]
        )

    def __str__(self) -> str:
        """Return the text after the feature's name, its view and the version of the table."""
        version = "" if self.version is None else f" at version {self.version}"
        return f"{self.feature} ({self.view}{version}): {self.text}"


def describe_input(explanation: Explanation) -> str:
    """Return the value of an on-demand feature's input, and where it comes from.

    Args:
        explanation: The explanation of the input.

    Example:
        >>> describe_input(Explanation("price", "checkout", "request", "from the call", value=1.5))
        'price = 1.5, from the call'
        >>> describe_input(Explanation("price", "checkout", "request", "null: not in the call"))
        'price = null: not in the call'
    """
    is_null = explanation.text.startswith("null: ")
    value = "" if is_null else f"{format_value(explanation.value)}, "
    return f"{explanation.feature} = {value}{explanation.text}"


def format_value(value: object) -> str:
    """Return an input's value as explanations show it.

    Example:
        >>> format_value(1.5), format_value(None)
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
        spine_row: The spine row's bound keys, and its moment in UTC microseconds.
        rows: All stored rows of that key.

    Example:
        >>> from featurestore.definitions.model.types import Float64
        >>> x = Column("x", "x", Float64)
        >>> query = ViewQuery("v", keys=(), timestamp_field="t", columns=(x,))
        >>> print(explain_cell(query, x, {"t": 5}, []))
        x (v): null: the view has no row of this key
    """
    moment = spine_row[query.timestamp_field]
    if moment is None:
        text = f"null: the spine row has no time in {query.timestamp_field!r}"
        return _explanation(query, feature, "null_time", text)
    for key in query.keys:
        if spine_row[key.spine_column] is None:
            text = f"null: the key column {key.spine_column!r} is null"
            return _explanation(query, feature, "null_key", text)
    timed = [row for row in rows if row[EVENT_TIME] is not None]
    valid = valid_rows(query, spine_row, timed)
    if isinstance(feature, Aggregate):
        return _explain_window(query, feature, moment, valid, timed)
    return _explain_column(query, feature, moment, valid, timed)


def _explain_column(
    query: ViewQuery, feature: Column, moment: int, valid: list[Row], rows: Sequence[Row]
) -> Explanation:
    won = winner(query, moment, valid)
    if won is None:
        return _explain_absence(query, feature, moment, rows)
    age = moment - won[EVENT_TIME]
    row = f"the row of {format_time(won[EVENT_TIME])}"
    if query.ttl is not None and age > query.ttl:
        text = (
            f"null: {row} won, but it is {_duration(age)} old. The ttl is {_duration(query.ttl)}"
        )
        return _explanation(query, feature, "expired", text, won)
    if is_tombstone(query, won):
        text = f"null: {row} won, but it is a tombstone"
        return _explanation(query, feature, "tombstone", text, won)
    if won[feature.column] is None:
        text = f"null: {row} won, but its {feature.column!r} is null in the table"
        return _explanation(query, feature, "null_value", text, won)
    since = visible_from(query, won)
    visible = "" if since == won[EVENT_TIME] else f". It is visible since {format_time(since)}"
    when = f"{_duration(age)} before the moment" if age else "at the moment itself"
    return _explanation(query, feature, "answered", f"{row} won, {when}{visible}", won)


def _explain_absence(
    query: ViewQuery, feature: Column, moment: int, rows: Sequence[Row]
) -> Explanation:
    if not rows:
        return _explanation(query, feature, "no_row", "null: the view has no row of this key")
    last = moment - 1 if query.strict else moment
    past = [row for row in rows if row[EVENT_TIME] <= last]
    if not past:
        first = format_time(min(row[EVENT_TIME] for row in rows))
        where = "not before the moment" if query.strict else "after the moment"
        text = f"null: the first event of this key is at {first}, {where}"
        return _explanation(query, feature, "no_row", text)
    excluded = excluded_rows(query, moment, rows, past)
    text = f"null: {describe_excluded(excluded, 'the row of {}', 'the {} earlier rows')}"
    return _explanation(query, feature, excluded[0].reason, text, excluded[0].row)


def _explain_window(
    query: ViewQuery,
    feature: Aggregate,
    moment: int,
    valid: list[Row],
    rows: Sequence[Row],
) -> Explanation:
    needed = [name for name in (feature.column, feature.by) if name not in (None, "*")]
    inside = [
        row
        for row in window_rows(query, feature, moment, valid)
        if all(row[name] is not None for name in needed)
    ]
    candidates = [row for row in rows if in_window(feature.window, row[EVENT_TIME], moment)]
    excluded = excluded_rows(query, moment, rows, candidates, needed)
    if not inside:
        return _explain_empty_window(query, feature, moment, rows, excluded)
    text = f"{_counted(feature, len(inside))} {describe_window(feature.window, moment)}"
    fewest = FUNCTION_SPECS[feature.function].least_values(feature.ddof)
    few = len(inside) < fewest
    if few:
        text = f"null: {text}. {_function(feature)} needs {fewest} {_noun(feature)}s"
    if excluded:
        one, many = "One more row in the window, of {},", "{} more rows in the window"
        text = f"{text}. {describe_excluded(excluded, one, many)}"
    return Explanation(
        feature.output,
        query.view,
        "too_few" if few else "answered",
        text,
        _with_times(inside[-1]),
        tuple(map(_with_times, inside[-SHOWN_ROWS:])),
        len(inside),
    )


def _explain_empty_window(
    query: ViewQuery,
    feature: Aggregate,
    moment: int,
    rows: Sequence[Row],
    excluded: Sequence[ExcludedRows],
) -> Explanation:
    empty = f"no {_noun(feature)} {describe_window(feature.window, moment)}"
    if not rows:
        text = f"{empty}. The view has no row of this key"
        return _explanation(query, feature, "no_row", text)
    if not excluded:
        text = f"{empty}. {_nearest_events(feature.window, moment, rows)}"
        return _explanation(query, feature, "empty_window", text)
    one, many = "The row in the window, of {},", "The {} rows in the window"
    text = f"{empty}. {describe_excluded(excluded, one, many)}"
    return _explanation(query, feature, excluded[0].reason, text, excluded[0].row)


def _nearest_events(window: Window, moment: int, rows: Sequence[Row]) -> str:
    low, high = window_edges(window, moment)
    times = [row[EVENT_TIME] for row in rows]
    before = max((time for time in times if low is not None and time < low), default=None)
    after = min((time for time in times if time >= high), default=None)
    nearest = (("before", before), ("after", after))
    return ". ".join(
        f"The key's nearest event {side} the window is at {format_time(time)}"
        for side, time in nearest
        if time is not None
    )


def window_edges(window: Window, moment: int) -> tuple[int | None, int]:
    """Return a window's first microsecond and the one after its last; None for no lower edge.

    Args:
        window: The window.
        moment: The moment, in UTC microseconds.

    Example:
        >>> window_edges(Window(10, 1), 100), window_edges(Window(10, 1, True), 100)
        ((89, 99), (90, 100))
    """
    end = window.end(moment) + (1 if window.closed_right else 0)
    return (None if window.size is None else end - window.size), end


def describe_window(window: Window, moment: int) -> str:
    """Return the times of a window, as the end of a sentence.

    Args:
        window: The window.
        moment: The moment, in UTC microseconds.

    Example:
        >>> describe_window(Window(None, closed_right=True), 0)
        'up to and including 1970-01-01 00:00:00Z'
        >>> describe_window(Window(1_000_000), 0)
        'from 1969-12-31 23:59:59Z to before 1970-01-01 00:00:00Z'
    """
    low, high = window_edges(window, moment)
    if window.closed_right:
        after = "" if low is None else f"after {format_time(low - 1)} "
        return f"{after}up to and including {format_time(high - 1)}"
    start = "the beginning" if low is None else format_time(low)
    return f"from {start} to before {format_time(high)}"


def _function(feature: Aggregate) -> str:
    """Return a window's function as definitions write it: ``last3``, ``p90``, ``sum``."""
    return FUNCTION_SPECS[feature.function].written(feature.number)


def _counted(feature: Aggregate, count: int) -> str:
    noun = _noun(feature) + ("" if count == 1 else "s")
    by = "" if feature.by is None else f" by {feature.by!r}"
    return f"{_function(feature)} of {count} {noun}{by}"


def _noun(feature: Aggregate) -> str:
    return "row" if feature.column == "*" else "value"


def _explanation(
    query: ViewQuery, feature: Column | Aggregate, reason: str, text: str, row: Row | None = None
) -> Explanation:
    shown = None if row is None else _with_times(row)
    return Explanation(feature.output, query.view, reason, text, shown)


def _with_times(row: Row) -> Row:
    """Return a row with its times as UTC datetimes."""
    times = {name: row[name] for name in (EVENT_TIME, AVAILABLE_TIME)}
    return {**row} | {
        name: None if micros is None else from_micros(micros) for name, micros in times.items()
    }


def _duration(micros: int) -> str:
    return str(timedelta(microseconds=micros))
