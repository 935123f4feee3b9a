"""What a picture shows, in words: who asks, what answers, and what lies in reach."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from featurestore.engines import reference
from featurestore.query.nodes import Aggregate, Column, ViewQuery
from featurestore.store.columns import EVENT_TIME
from tests.semantics.case import Case, Example, clock

Row = Mapping[str, object]
Feature = Column | Aggregate


NOTHING = object()
"""In place of what is computed on demand, where nothing is."""


@dataclass(frozen=True)
class Line:
    """One asked value: a row of the spine, and a feature of a use of the view."""

    spine_row: Row
    query: ViewQuery
    feature: Feature
    answer: object
    ahead: int = 0
    computed: object = NOTHING

    @property
    def moment(self) -> int | None:
        """As of when it is answered."""
        return self.spine_row[self.query.timestamp_field]

    @property
    def row_moment(self) -> int | None:
        """The moment of the row itself: of a label, long before it is answered."""
        return None if self.moment is None else self.moment - self.ahead


def told(case: Case) -> str:
    """Return in words what a case's picture shows."""
    return " ".join(example_told(each) for each in case.examples)


def example_told(example: Example) -> str:
    """Return in words an example's events and answers."""
    query = example.query()
    keys = [key.key for key in query.views[0].keys]
    several = len({key_told(row, keys) for row in example.rows}) > 1
    events = [
        (f"{key_told(row, keys)} " if several else "") + event_told(query.views[0], row)
        for row in example.rows
        if row[EVENT_TIME] is not None
    ]
    answers = [
        f"{asker_told(line, example)}: {answer_told(line, example)}" for line in lines_of(example)
    ]
    named = "Labels" if example.ahead else "Answers"
    return f"{example.caption}. Events: {'; '.join(events)}. {named}: {'; '.join(answers)}."


def event_told(query: ViewQuery, row: Row) -> str:
    """Return in words an event's time, its values and the time from which it is visible."""
    known = reference.visible_from(query, row)
    late = f" (visible from {clock(known)})" if known > row[EVENT_TIME] else ""
    return f"{clock(row[EVENT_TIME])} {row_told(query, row)}{late}"


def lines_of(example: Example) -> list[Line]:
    """Return what an example asks, in the order in which it is drawn."""
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
        return NOTHING
    (values,) = example.computed.answers.values()
    return values[number]


def reach(line: Line) -> tuple[int | None, int, str]:
    """Return the edges of what can answer, and their brackets."""
    if isinstance(line.feature, Aggregate):
        window = line.feature.window
        high = window.end(line.moment)
        low = None if window.size is None else high - window.size
        return low, high, "(]" if window.closed_right else "[)"
    low = None if line.query.ttl is None else line.moment - line.query.ttl
    return low, line.moment, "[)" if line.query.strict else "[]"


def reaches(line: Line, event: int) -> bool:
    """Return whether an event lies where it can answer."""
    low, high, brackets = reach(line)
    above = low is None or event > low or (event == low and brackets[0] == "[")
    return above and (event < high or (event == high and brackets[1] == "]"))


def rows_used(line: Line, existing: list[Row]) -> list[Row]:
    """Return the rows that the answer is made of: the winner, or what a window holds."""
    if isinstance(line.feature, Column):
        won = reference.winner(line.query, line.moment, existing)
        return [] if won is None else [won]
    return [
        row
        for row in existing
        if reference.in_window(line.feature.window, row[EVENT_TIME], line.moment)
        and not reference.is_tombstone(line.query, row)
    ]


def key_told(row: Row, keys: list[str]) -> str:
    """Return a row's key."""
    values = [value_told(row[name]) for name in keys]
    return f"{keys[0]} {values[0]}" if len(values) == 1 else f"({', '.join(values)})"


def row_told(query: ViewQuery, row: Row) -> str:
    """Return what a stored row says."""
    if reference.is_tombstone(query, row):
        values = "deleted"
    else:
        values = ", ".join(value_told(row[name]) for name in query.value_columns) or "row"
    line = f", line {row['_seq']}" if row.get("_seq") is not None else ""
    change = f" (change {row['change']})" if row.get("change") is not None else ""
    return values + line + change


def asker_told(line: Line, example: Example) -> str:
    """Return who asks and as of when."""
    columns = [key.spine_column for key in line.query.keys]
    key = key_told(line.spine_row, columns)
    when = "without time" if line.row_moment is None else clock(line.row_moment)
    keys = {key_told(spine_row, columns) for spine_row in example.spine}
    if example.ahead:
        return f"row at {when}"
    if example.computed is not None:
        request = example.computed.request.schema
        values = ((each.name, value_told(line.spine_row[each.name])) for each in request)
        when += "".join(f", {name} {value}" for name, value in values)
    return f"{key}, {when}" if len(keys) > 1 or len(columns) > 1 else f"row at {when}"


def answer_told(line: Line, example: Example) -> str:
    """Return an answer, with its feature's name where there are several."""
    value = value_told(line.answer)
    if line.computed is not NOTHING:
        value = f"{value} → {value_told(line.computed)}"
    return f"{line.feature.output}: {value}" if len(example.answers) > 1 else value


def answers_told(example: Example) -> str:
    """Return what stands above the answers."""
    if example.computed is None:
        return "label" if example.ahead else "answer"
    return " → ".join([*example.answers, *example.computed.answers])


def value_told(value: object) -> str:
    """Return a value as pictures and tables show it."""
    if value is None:
        return "null"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else "-∞" if value < 0 else "∞"
    if isinstance(value, tuple):  # an entry of a map
        return ": ".join(map(value_told, value))
    if isinstance(value, list):
        return f"[{', '.join(map(value_told, value))}]"
    return str(value)
