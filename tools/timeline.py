"""Draws a case: the events of each key on a line, and below it who asks, and the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from featurestore.query.nodes import Aggregate
from featurestore.store.columns import EVENT_TIME
from tests import oracle
from tests.semantics.case import Case, Example, clock
from tools.timeline_marks import STYLE, bracket_at, cross, dot, legend_of, text_at
from tools.timeline_words import (
    Line,
    Row,
    answer_told,
    asker_told,
    key_told,
    lines_of,
    reach,
    reaches,
    row_told,
    rows_used,
    told,
)

PLOT, CHARACTER = 430, 7.0
LINE, STACK, TOP, LATE = 28, 30, 26, 14


@dataclass(frozen=True)
class Axis:
    """Where each moment lies: in order, apart enough to be read, else about to scale."""

    places: Mapping[int, float]

    def at(self, moment: float) -> float:
        """Return a moment's place."""
        return self.places[moment]


def picture(case: Case) -> str:
    """Return a case's examples as one SVG."""
    panels = [Panel(each) for each in case.examples]
    width = max(panel.width for panel in panels)
    parts, y = [], 8.0
    for panel in panels:
        parts.append(panel.draw(y))
        y += panel.height + 14
    legend, legend_height = legend_of(set().union(*(panel.signs for panel in panels)), y)
    parts.append(legend)
    height = y + legend_height + 4
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" height="{height:g}" role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(case.name)}</title>',
            f'<desc id="desc">{escape(told(case))}</desc>',
            f"<style>\n{STYLE}</style>",
            f'<rect class="card" x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" '
            'rx="6"/>',
            *parts,
            "</svg>\n",
        ]
    )


class Panel:
    """One example's part of a picture."""

    def __init__(self, example: Example) -> None:
        self._example = example
        self._lines = lines_of(example)
        self._query = self._lines[0].query
        self._keys = [key.key for key in self._query.keys]
        self._rows = sorted(
            (row for row in example.rows if row[EVENT_TIME] is not None), key=oracle.rank
        )
        self._lanes = list(dict.fromkeys(key_told(row, self._keys) for row in self._rows))
        self._stacks = _stacks(self._rows, self._keys)
        self._late = {
            id(row)
            for row in self._rows
            if oracle.visible_from(self._query, row) > row[EVENT_TIME]
        }
        names = [*self._lanes, *(asker_told(line, example) for line in self._lines)]
        self._left = 24 + max(map(len, names)) * CHARACTER
        self._axis = _axis(self._left, self._widths())
        self._right = max(self._axis.places.values()) + max(30, self._last_half())
        answers = [answer_told(line, example) for line in self._lines]
        self.signs: set[str] = set()
        self.width = self._right + 24 + max(map(len, [*answers, "answer"])) * CHARACTER + 20
        self.width = max(self.width, 40 + len(example.caption) * 7.6)
        lanes = sum(self._lane_height(lane) for lane in self._lanes)
        self.height = TOP + lanes + 34 + LINE * len(self._lines)

    def _widths(self) -> dict[int, float]:
        """Return how wide the writing at each moment is."""
        widths = {moment: len(clock(moment)) for moment in _moments(self._lines, self._rows)}
        for row in self._rows:
            happened = row[EVENT_TIME]
            widths[happened] = max(widths[happened], len(row_told(self._query, row)))
        return {moment: width * CHARACTER + 10 for moment, width in widths.items()}

    def _last_half(self) -> float:
        widths = self._widths()
        return widths[max(widths)] / 2

    def draw(self, y: float) -> str:
        """Return the panel with its top at y."""
        parts = [text_at(14, y + 16, self._example.caption, "caption")]
        bottom = y + TOP + sum(self._lane_height(lane) for lane in self._lanes)
        parts += self._draw_times(bottom)
        parts += self._draw_moments(y + TOP, bottom)
        baseline = y + TOP
        for lane in self._lanes:
            baseline += self._lane_height(lane)
            parts += self._draw_lane(lane, baseline - self._below(lane))
        parts.append(text_at(self._right + 24, bottom + 18, "answer", "soft"))
        for number, line in enumerate(self._lines):
            parts += self._draw_line(line, bottom + 34 + LINE * number + LINE / 2)
        return "\n".join(parts)

    def _lane_height(self, lane: str) -> float:
        deepest = max(
            self._stacks[id(row)] for row in self._rows if key_told(row, self._keys) == lane
        )
        return 36 + STACK * deepest + self._below(lane)

    def _below(self, lane: str) -> float:
        """Return the room that late rows on the line itself need below it."""
        late = any(
            id(row) in self._late and not self._stacks[id(row)]
            for row in self._rows
            if key_told(row, self._keys) == lane
        )
        return LATE if late else 0

    def _draw_times(self, bottom: float) -> list[str]:
        return [
            text_at(x, bottom + 18, clock(moment), "soft", "middle")
            for moment, x in self._axis.places.items()
        ]

    def _draw_moments(self, top: float, bottom: float) -> list[str]:
        last = {line.moment: number for number, line in enumerate(self._lines)}
        return [
            f'<path class="asked" d="M{self._axis.at(moment):g} {top:g}V{bottom + 1:g}'
            f'M{self._axis.at(moment):g} {bottom + 24:g}V{bottom + 34 + LINE * (number + 1):g}"/>'
            for moment, number in last.items()
            if moment is not None
        ]

    def _draw_lane(self, lane: str, y: float) -> list[str]:
        parts = [
            text_at(14, y + 4, lane),
            f'<path class="axis" d="M{self._left:g} {y:g}H{self._right:g}"/>',
        ]
        for row in self._rows:
            if key_told(row, self._keys) == lane:
                parts += self._draw_event(row, y - STACK * self._stacks[id(row)])
        return parts

    def _draw_event(self, row: Row, y: float) -> list[str]:
        x, parts = self._axis.at(row[EVENT_TIME]), []
        if id(row) in self._late:
            parts.append(self._draw_late(row, y))
        if oracle.is_tombstone(self._query, row):
            self.signs.add("tombstone")
            parts.append(cross(x, y))
        else:
            self.signs.add("event")
            parts.append(dot(x, y, kind="hollow" if id(row) in self._late else ""))
        return [*parts, text_at(x, y - 10, row_told(self._query, row), "value", "middle")]

    def _draw_late(self, row: Row, y: float) -> str:
        """Draw the way from the event to when it is known; on the line itself, below it."""
        self.signs.add("late")
        start = self._axis.at(row[EVENT_TIME])
        end = self._axis.at(oracle.visible_from(self._query, row))
        if self._stacks[id(row)]:
            return (
                f'<path class="late" d="M{start:g} {y:g}H{end - 5:g}"/>'
                f'<path class="event" d="M{end:g} {y:g}l-7 -4v8z"/>'
            )
        return (
            f'<path class="late" d="M{start:g} {y:g}v{LATE - 2}H{end:g}V{y + 6:g}"/>'
            f'<path class="event" d="M{end:g} {y + 1:g}l-4 7h8z"/>'
        )

    def _draw_line(self, line: Line, y: float) -> list[str]:
        parts = [
            text_at(14, y + 4, asker_told(line, self._example)),
            text_at(self._right + 24, y + 4, answer_told(line, self._example), "answer"),
        ]
        key = oracle.spine_key(line.query, line.asked)
        if line.moment is None or None in key:
            return parts
        return parts + self._draw_reach(line, y)

    def _draw_reach(self, line: Line, y: float) -> list[str]:
        """Draw the bar of what can answer, and in it what does."""
        low, high, brackets = reach(line)
        start = self._left if low is None else self._axis.at(low)
        end = self._axis.at(high)
        self.signs.add("window" if isinstance(line.feature, Aggregate) else "reach")
        parts = [
            f'<rect class="bar" x="{start:g}" y="{y - 8:g}" width="{end - start:g}" height="16"/>'
        ]
        existing = oracle.existing_rows(line.query, line.asked, self._rows)
        used = rows_used(line, existing)
        parts += [self._draw_used(line, row, y) for row in used]
        parts += self._draw_unknown(line, used, y)
        edges = [] if low is None else [bracket_at(start, y, brackets[0])]
        return [*parts, *edges, bracket_at(end, y, brackets[1])]

    def _draw_used(self, line: Line, row: Row, y: float) -> str:
        x = self._axis.at(row[EVENT_TIME])
        if not reaches(line, row[EVENT_TIME]):
            self.signs.add("expired")
            return dot(x, y, kind="expired")
        return cross(x, y) if oracle.is_tombstone(line.query, row) else dot(x, y)

    def _draw_unknown(self, line: Line, used: list[Row], y: float) -> list[str]:
        """Draw what lies in the bar and is not known yet."""
        taken = {row[EVENT_TIME] for row in used}
        unknown = [
            row
            for row in self._rows
            if oracle.row_key(line.query, row) == oracle.spine_key(line.query, line.asked)
            and reaches(line, row[EVENT_TIME])
            and oracle.visible_from(line.query, row) > line.moment
            and row[EVENT_TIME] not in taken
        ]
        self.signs |= {"unknown"} if unknown else set()
        places = dict.fromkeys(self._axis.at(row[EVENT_TIME]) for row in unknown)
        return [dot(x, y, kind="hollow") for x in places]


def _moments(lines: list[Line], rows: list[Row]) -> set[int]:
    """Return the moments that the time axis must name."""
    found = {row[EVENT_TIME] for row in rows}
    found |= {oracle.visible_from(lines[0].query, row) for row in rows}
    for line in lines:
        if line.moment is not None:
            low, high, _ = reach(line)
            found |= {line.moment, high} | ({low} if low is not None else set())
    return found


def _axis(left: float, widths: Mapping[int, float]) -> Axis:
    ordered = sorted(widths)
    least = [(widths[one] + widths[other]) / 2 for one, other in pairwise(ordered)]
    spare = max(0.0, PLOT - sum(least))
    duration = max(1, ordered[-1] - ordered[0])
    x = left + max(24, widths[ordered[0]] / 2)
    places = {ordered[0]: x}
    for (one, other), gap in zip(pairwise(ordered), least, strict=True):
        x += gap + spare * (other - one) / duration
        places[other] = round(x, 1)
    return Axis(places)


def _stacks(rows: list[Row], keys: list[str]) -> dict[int, int]:
    """Return how high above its line each row lies: rows of one moment lie above each other."""
    seen: dict[tuple[str, object], int] = {}
    found = {}
    for row in rows:
        place = (key_told(row, keys), row[EVENT_TIME])
        found[id(row)] = seen[place] = seen.get(place, -1) + 1
    return found
