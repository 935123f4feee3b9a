"""Draw a case: a line of events for each key, and below them the spine rows and answers."""

from html import escape

from featurestore.engines import reference
from featurestore.query.nodes import Aggregate
from featurestore.site.timeline.axis import CHARACTER, axis_of
from featurestore.site.timeline.shapes import (
    STYLE,
    bracket_at,
    cross,
    diamond,
    dot,
    legend_of,
    text_at,
    upright,
)
from featurestore.store.columns import EVENT_TIME
from tests.semantics.case import Case, Example, clock
from tools.timeline_axis import grid_of, moments_of, stacks_of
from tools.timeline_text import (
    Line,
    Row,
    accepted_times,
    accepts,
    answer_heading,
    describe_case,
    format_answer,
    format_key,
    format_row,
    format_spine_row,
    lines_of,
    rows_used,
)

LINE, STACK, TOP, LATE = 28, 30, 26, 14


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
            f'<desc id="desc">{escape(describe_case(case))}</desc>',
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
            (row for row in example.rows if row[EVENT_TIME] is not None), key=reference.rank
        )
        self._lanes = list(dict.fromkeys(format_key(row, self._keys) for row in self._rows))
        self._stacks = stacks_of(self._rows, self._keys)
        self._late = {
            id(row)
            for row in self._rows
            if reference.visible_from(self._query, row) > row[EVENT_TIME]
        }
        self._grid = grid_of(self._lines, self._rows)
        names = [*self._lanes, *(format_spine_row(line, example) for line in self._lines)]
        self._left = 24 + max(map(len, names)) * CHARACTER
        self._axis = axis_of(self._left, self._widths())
        self._right = max(self._axis.positions.values()) + max(30, self._last_half())
        answers = [format_answer(line, example) for line in self._lines]
        self.signs: set[str] = set()
        headed = max(map(len, [*answers, answer_heading(example)]))
        self.width = self._right + 24 + headed * CHARACTER + 20
        self.width = max(self.width, 40 + len(example.caption) * 7.6)
        lanes = sum(self._lane_height(lane) for lane in self._lanes)
        self.height = TOP + lanes + 34 + LINE * len(self._lines)

    def _widths(self) -> dict[int, float]:
        """Return the width of the text at each moment."""
        moments = moments_of(self._lines, self._rows) | self._grid
        widths = {moment: len(clock(moment)) for moment in moments}
        for row in self._rows:
            happened = row[EVENT_TIME]
            widths[happened] = max(widths[happened], len(format_row(self._query, row)))
        return {moment: width * CHARACTER + 10 for moment, width in widths.items()}

    def _last_half(self) -> float:
        widths = self._widths()
        return widths[max(widths)] / 2

    def draw(self, y: float) -> str:
        """Return the panel with its top at y."""
        parts = [text_at(14, y + 16, self._example.caption, "caption")]
        bottom = y + TOP + sum(self._lane_height(lane) for lane in self._lanes)
        parts += self._draw_grid(y + TOP, bottom)
        parts += self._draw_times(bottom)
        parts += self._draw_moments(y + TOP, bottom)
        baseline = y + TOP
        for lane in self._lanes:
            baseline += self._lane_height(lane)
            parts += self._draw_lane(lane, baseline - self._below(lane))
        parts.append(text_at(self._right + 24, bottom + 18, answer_heading(self._example), "soft"))
        for number, line in enumerate(self._lines):
            parts += self._draw_line(line, bottom + 34 + LINE * number + LINE / 2)
        return "\n".join(parts)

    def _lane_height(self, lane: str) -> float:
        deepest = max(
            self._stacks[id(row)] for row in self._rows if format_key(row, self._keys) == lane
        )
        return 36 + STACK * deepest + self._below(lane)

    def _below(self, lane: str) -> float:
        """Return the height that late rows on the line itself need below it."""
        late = any(
            id(row) in self._late and not self._stacks[id(row)]
            for row in self._rows
            if format_key(row, self._keys) == lane
        )
        return LATE if late else 0

    def _draw_times(self, bottom: float) -> list[str]:
        return [
            text_at(x, bottom + 18, clock(moment), "soft", "middle")
            for moment, x in self._axis.positions.items()
        ]

    def _draw_grid(self, top: float, bottom: float) -> list[str]:
        """Draw the points at which windows on a grid end, down to the last spine row."""
        self.signs |= {"grid"} if self._grid else set()
        end = bottom + 34 + LINE * len(self._lines)
        return [
            upright("grid", x, (top, end), self._text_gaps(x, top, bottom))
            for x in map(self._axis.at, sorted(self._grid))
        ]

    def _draw_moments(self, top: float, bottom: float) -> list[str]:
        ends = {
            self._axis.at(line.row_moment): bottom + 34 + LINE * (number + 1)
            for number, line in enumerate(self._lines)
            if line.row_moment is not None
        }
        return [
            upright("moment", x, (top, end), self._text_gaps(x, top, bottom))
            for x, end in ends.items()
        ]

    def _text_gaps(self, x: float, top: float, bottom: float) -> list[tuple[float, float]]:
        """Return the vertical gaps where texts would be crossed by an upright line."""
        gaps, baseline = [(bottom + 1, bottom + 24)], top
        for lane in self._lanes:
            baseline += self._lane_height(lane)
            for row in self._rows:
                half = len(format_row(self._query, row)) * CHARACTER / 2
                if (
                    format_key(row, self._keys) == lane
                    and abs(self._axis.at(row[EVENT_TIME]) - x) <= half
                ):
                    y = baseline - self._below(lane) - STACK * self._stacks[id(row)]
                    gaps.append((y - 23, y - 6))
        return gaps

    def _draw_lane(self, lane: str, y: float) -> list[str]:
        parts = [
            text_at(14, y + 4, lane),
            f'<path class="axis" d="M{self._left:g} {y:g}H{self._right:g}"/>',
        ]
        for row in self._rows:
            if format_key(row, self._keys) == lane:
                parts += self._draw_event(row, y - STACK * self._stacks[id(row)])
        return parts

    def _draw_event(self, row: Row, y: float) -> list[str]:
        x, parts = self._axis.at(row[EVENT_TIME]), []
        if id(row) in self._late:
            parts.append(self._draw_late(row, y))
        if reference.is_tombstone(self._query, row):
            self.signs.add("tombstone")
            parts.append(cross(x, y))
        else:
            self.signs.add("event")
            parts.append(dot(x, y, kind="hollow" if id(row) in self._late else ""))
        return [*parts, text_at(x, y - 10, format_row(self._query, row), "value", "middle")]

    def _draw_late(self, row: Row, y: float) -> str:
        """Draw an arrow from the event to the time from which it is visible."""
        self.signs.add("late")
        start = self._axis.at(row[EVENT_TIME])
        end = self._axis.at(reference.visible_from(self._query, row))
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
            text_at(14, y + 4, format_spine_row(line, self._example)),
            text_at(self._right + 24, y + 4, format_answer(line, self._example), "answer"),
        ]
        key = reference.spine_key(line.query, line.spine_row)
        if line.moment is None or None in key:
            return parts
        return parts + self._draw_accepted_times(line, y)

    def _draw_accepted_times(self, line: Line, y: float) -> list[str]:
        """Draw the bar of accepted event times, and in it the rows that give the answer."""
        low, high, brackets = accepted_times(line)
        start = self._left if low is None else self._axis.at(low)
        end = self._axis.at(high)
        self.signs.add("window" if isinstance(line.feature, Aggregate) else "accepted_times")
        parts = [
            f'<rect class="bar" x="{start:g}" y="{y - 8:g}" width="{end - start:g}" height="16"/>'
        ]
        valid = reference.valid_rows(line.query, line.spine_row, self._rows)
        used = rows_used(line, valid)
        parts += [self._draw_used(line, row, y) for row in used]
        parts += self._draw_not_visible(line, used, y)
        edges = [] if low is None else [bracket_at(start, y, brackets[0])]
        if line.ahead:
            self.signs.add("label_known")
            edges.append(diamond(self._axis.at(line.moment), y))
        return [*parts, *edges, bracket_at(end, y, brackets[1])]

    def _draw_used(self, line: Line, row: Row, y: float) -> str:
        x = self._axis.at(row[EVENT_TIME])
        if not accepts(line, row[EVENT_TIME]):
            self.signs.add("expired")
            return dot(x, y, kind="expired")
        return cross(x, y) if reference.is_tombstone(line.query, row) else dot(x, y)

    def _draw_not_visible(self, line: Line, used: list[Row], y: float) -> list[str]:
        """Draw the events in the bar that are not visible yet."""
        taken = {row[EVENT_TIME] for row in used}
        not_visible = [
            row
            for row in self._rows
            if reference.row_key(line.query, row)
            == reference.spine_key(line.query, line.spine_row)
            and accepts(line, row[EVENT_TIME])
            and reference.visible_from(line.query, row) > line.moment
            and row[EVENT_TIME] not in taken
        ]
        self.signs |= {"not_visible"} if not_visible else set()
        positions = dict.fromkeys(self._axis.at(row[EVENT_TIME]) for row in not_visible)
        return [dot(x, y, kind="hollow") for x in positions]
