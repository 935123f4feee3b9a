"""The places of a drawing of lineage: of its boxes, and of its lines between and past them.

A line that passes a column has a lane there, between the boxes. Otherwise it would go behind a
box, and look like two lines that start and end at it. All lines to one end share their lanes.

Source: Sugiyama, Tagawa, Toda: Methods for visual understanding of hierarchical system structures
(1981), whose dummy vertices are the lanes, each at the barycentre of what leads to it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import NamedTuple

from featurestore.site.lineage.graph import Node

WIDTH, HEIGHT, ROW, GAP = 204, 28, 38, 64
LANE = 12
"""The height of a lane, which is in the middle between the boxes above and below it."""


class More(NamedTuple):
    """The place of neighbours that are not shown.

    Args:
        node: The node.
        side: ``"up"`` for what it is made from, ``"down"`` for what uses it.
        hidden: The number of its neighbours that are not shown.
    """

    node: Node
    side: str
    hidden: int


Place = Node | More


class Lane(NamedTuple):
    """The way of lines through a column.

    Args:
        end: Where the lines end.
        column: The column, from 0.
    """

    end: Place
    column: int


Stop = Place | Lane
Positions = Mapping[Stop, tuple[float, float]]


@dataclass(frozen=True)
class Places:
    """Where everything is drawn.

    Args:
        at: The upper left corner of each box. That of a lane is of a box with its line in the
            middle.
        lines: The lines between columns, each from the right of a stop to the left of another.
        width: The width of the drawing.
        height: Its height.

    Example:
        >>> a, b, c = (Node("view", name) for name in "abc")
        >>> Places.of([[a], [b], [c]], [(a, b), (b, c), (a, c)], False).at[Lane(c, 1)]
        (282.0, -9.0)
    """

    at: Positions
    lines: Sequence[tuple[Stop, Stop]]
    width: int
    height: float

    @classmethod
    def of(
        cls,
        columns: Sequence[Sequence[Place]],
        edges: Iterable[tuple[Place, Place]],
        is_centred: bool,
    ) -> "Places":
        """Return the places of columns of boxes.

        Args:
            columns: The boxes of each column, from top to bottom.
            edges: The edges, each from a box to one in a later column.
            is_centred: Whether columns are in the middle of the height, or at its top.
        """
        lines = _lines(columns, edges)
        into: dict[Lane, list[Stop]] = {}
        for start, end in lines:
            if isinstance(end, Lane):
                into.setdefault(end, []).append(start)
        lanes = [[lane for lane in into if lane.column == at] for at in range(len(columns))]
        heights = [
            len(members) * ROW + len(own) * LANE
            for members, own in zip(columns, lanes, strict=True)
        ]
        height: float = max(heights, default=ROW)
        at: dict[Stop, tuple[float, float]] = {}
        for column, members in enumerate(columns):
            wishes = {lane: _centre([at[stop] for stop in into[lane]]) for lane in lanes[column]}
            top = (max(heights) - heights[column]) / 2 if is_centred else 0.0
            rows, bottom = _stacked(members, wishes, top)
            at |= {stop: (column * (WIDTH + GAP) + 14.0, y) for stop, y in rows.items()}
            height = max(height, bottom)
        return cls(at, lines, max(1, len(columns)) * (WIDTH + GAP) - GAP + 28, height)


def _lines(
    columns: Sequence[Sequence[Place]], edges: Iterable[tuple[Place, Place]]
) -> list[tuple[Stop, Stop]]:
    """Return the lines of edges over lanes, each once."""
    column = {place: at for at, members in enumerate(columns) for place in members}
    lines: dict[tuple[Stop, Stop], None] = {}
    for start, end in edges:
        stop: Stop = start
        for passed in range(column[start] + 1, column[end]):
            lane = Lane(end, passed)
            lines[stop, lane] = None
            stop = lane
        lines[stop, end] = None
    return list(lines)


def _centre(corners: Sequence[tuple[float, float]]) -> int:
    """Return the mean height of the lines that start at some stops."""
    return floor(sum(y + HEIGHT / 2 for _, y in corners) / len(corners) + 0.5)


def _stacked(
    members: Sequence[Place], wishes: Mapping[Lane, int], top: float
) -> tuple[dict[Stop, float], float]:
    """Return the heights of the boxes and lanes of a column, and where the column ends.

    Boxes keep their order. A lane is above the first box whose middle is below its wish.
    """
    found: dict[Stop, float] = {}
    y, done = top, 0
    for lane in sorted(wishes, key=wishes.__getitem__):
        while done < len(members) and wishes[lane] > y + ROW / 2:
            found[members[done]] = y + 4
            y, done = y + ROW, done + 1
        if done == len(members):
            y = max(y, wishes[lane] - LANE / 2 + 1)
        found[lane] = y + LANE / 2 - 1 - HEIGHT / 2
        y += LANE
    for place in members[done:]:
        found[place] = y + 4
        y += ROW
    return found, y
