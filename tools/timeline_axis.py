"""Which moments the time axis of a case's picture names."""

from featurestore.engines import reference
from featurestore.query.nodes import Aggregate
from featurestore.store.columns import EVENT_TIME
from tools.timeline_text import Line, Row, accepted_times, format_key


def moments_of(lines: list[Line], rows: list[Row]) -> set[int]:
    """Return the moments that the time axis must name."""
    moments = {row[EVENT_TIME] for row in rows}
    moments |= {reference.visible_from(lines[0].query, row) for row in rows}
    for line in lines:
        if line.moment is not None:
            low, high, _ = accepted_times(line)
            moments |= {line.moment, line.row_moment, high}
            moments |= {low} if low is not None else set()
    return moments


def grid_of(lines: list[Line], rows: list[Row]) -> set[int]:
    """Return the points of the windows' grid from the first to the last moment drawn."""
    moments = sorted(moments_of(lines, rows))
    points = set()
    for line in lines:
        every = line.feature.window.every if isinstance(line.feature, Aggregate) else None
        if every is not None:
            first = line.feature.window.end(moments[0] + every - 1)
            points |= set(range(first, moments[-1] + 1, every))
    return points


def stacks_of(rows: list[Row], keys: list[str]) -> dict[int, int]:
    """Return how high above its line each row lies: rows of one moment lie above each other."""
    seen: dict[tuple[str, object], int] = {}
    heights = {}
    for row in rows:
        lane = (format_key(row, keys), row[EVENT_TIME])
        heights[id(row)] = seen[lane] = seen.get(lane, -1) + 1
    return heights
