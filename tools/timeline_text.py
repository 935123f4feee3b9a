"""The texts of a picture: spine rows, events, answers, and the interval of accepted events."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from featurestore.engines import reference
from featurestore.query.nodes import Aggregate, Column, ViewQuery
from featurestore.store.columns import EVENT_TIME
from tests.semantics.case import Case, Example, clock

Row = Mapping[str, object]
Feature = Column | Aggregate


NOT_COMPUTED = object()
"""Sentinel for a line without an on-demand feature."""


@dataclass(frozen=True)
class Line:
    """One line of a picture: a spine row, and a feature of one use of the view."""

    spine_row: Row
    query: ViewQuery
    feature: Feature
    answer: object
    ahead: int = 0
    computed: object = NOT_COMPUTED

    @property
    def moment(self) -> int | None:
        """The moment as of which the feature is computed."""
        return self.spine_row[self.query.timestamp_field]

    @property
    def row_moment(self) -> int | None:
        """The moment of the row itself. A label is computed later than that."""
        return None if self.moment is None else self.moment - self.ahead


def describe_case(case: Case) -> str:
    """Return a text that describes a case's picture."""
    return " ".join(describe_example(each) for each in case.examples)


def describe_example(example: Example) -> str:
    """Return a text that lists an example's events and answers."""
    query = example.query()
    keys = [key.key for key in query.views[0].keys]
    several = len({format_key(row, keys) for row in example.rows}) > 1
    events = [
        (f"{format_key(row, keys)} " if several else "") + describe_event(query.views[0], row)
        for row in example.rows
        if row[EVENT_TIME] is not None
    ]
    answers = [
        f"{format_spine_row(line, example)}: {format_answer(line, example)}"
        for line in lines_of(example)
    ]
    named = "Labels" if example.ahead else "Answers"
    return f"{example.caption}. Events: {'; '.join(events)}. {named}: {'; '.join(answers)}."


def describe_event(query: ViewQuery, row: Row) -> str:
    """Return a text with an event's time, its values, and from when it is visible."""
    visible = reference.visible_from(query, row)
    late = f" (visible from {clock(visible)})" if visible > row[EVENT_TIME] else ""
    return f"{clock(row[EVENT_TIME])} {format_row(query, row)}{late}"


def lines_of(example: Example) -> list[Line]:
    """Return an example's lines, in the order in which they are drawn."""
    query = example.query()
    return [
        Line(
            spine_row,
            view,
            feature,
            example.answers[feature.output][number],
            ahead=example.ahead,
            computed=_computed(example, number),
        )
        for number, spine_row in enumerate(example.spine)
        for view in query.views
        for feature in view.features
    ]


def _computed(example: Example, number: int) -> object:
    if example.computed is None:
        return NOT_COMPUTED
    (values,) = example.computed.answers.values()
    return values[number]


def accepted_times(line: Line) -> tuple[int | None, int, str]:
    """Return the edges of the interval in which an event is accepted, and their brackets."""
    if isinstance(line.feature, Aggregate):
        window = line.feature.window
        high = window.end(line.moment)
        low = None if window.size is None else high - window.size
        return low, high, "(]" if window.closed_right else "[)"
    low = None if line.query.ttl is None else line.moment - line.query.ttl
    return low, line.moment, "[)" if line.query.strict else "[]"


def accepts(line: Line, event: int) -> bool:
    """Return whether an event lies in the interval of accepted events."""
    low, high, brackets = accepted_times(line)
    above = low is None or event > low or (event == low and brackets[0] == "[")
    return above and (event < high or (event == high and brackets[1] == "]"))


def rows_used(line: Line, existing: list[Row]) -> list[Row]:
    """Return the rows that give the answer: the winning row, or the rows in the window."""
    if isinstance(line.feature, Column):
        won = reference.winner(line.query, line.moment, existing)
        return [] if won is None else [won]
    return [
        row
        for row in existing
        if reference.in_window(line.feature.window, row[EVENT_TIME], line.moment)
        and not reference.is_tombstone(line.query, row)
    ]


def format_key(row: Row, keys: list[str]) -> str:
    """Return a row's key."""
    values = [format_value(row[name]) for name in keys]
    return f"{keys[0]} {values[0]}" if len(values) == 1 else f"({', '.join(values)})"


def format_row(query: ViewQuery, row: Row) -> str:
    """Return a stored row's values, its line and its change."""
    if reference.is_tombstone(query, row):
        values = "deleted"
    else:
        values = ", ".join(format_value(row[name]) for name in query.value_columns) or "row"
    line = f", line {row['_seq']}" if row.get("_seq") is not None else ""
    change = f" (change {row['change']})" if row.get("change") is not None else ""
    return values + line + change


def format_spine_row(line: Line, example: Example) -> str:
    """Return a spine row's key and moment."""
    columns = [key.spine_column for key in line.query.keys]
    key = format_key(line.spine_row, columns)
    when = "without time" if line.row_moment is None else clock(line.row_moment)
    keys = {format_key(spine_row, columns) for spine_row in example.spine}
    if example.ahead:
        return f"row at {when}"
    if example.computed is not None:
        request = example.computed.request.schema
        values = ((each.name, format_value(line.spine_row[each.name])) for each in request)
        when += "".join(f", {name} {value}" for name, value in values)
    return f"{key}, {when}" if len(keys) > 1 or len(columns) > 1 else f"row at {when}"


def format_answer(line: Line, example: Example) -> str:
    """Return an answer, with its feature's name where there are several."""
    value = format_value(line.answer)
    if line.computed is not NOT_COMPUTED:
        value = f"{value} → {format_value(line.computed)}"
    return f"{line.feature.output}: {value}" if len(example.answers) > 1 else value


def answer_heading(example: Example) -> str:
    """Return the heading of the column of answers."""
    if example.computed is None:
        return "label" if example.ahead else "answer"
    return " → ".join([*example.answers, *example.computed.answers])


def format_value(value: object) -> str:
    """Return a value as pictures and tables show it."""
    if value is None:
        return "null"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else "-∞" if value < 0 else "∞"
    if isinstance(value, tuple):  # an entry of a map
        return ": ".join(map(format_value, value))
    if isinstance(value, list):
        return f"[{', '.join(map(format_value, value))}]"
    return str(value)
