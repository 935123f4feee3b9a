"""Where each moment of a timeline lies, and which moments it names."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from featurestore.engines import reference
from featurestore.query.nodes import Aggregate
from featurestore.store.columns import EVENT_TIME
from tools.timeline_words import Line, Row, key_told, reach

PLOT, CHARACTER = 430, 7.0


@dataclass(frozen=True)
class Axis:
    """Where each moment lies: in order, apart enough to be read, else about to scale."""

    places: Mapping[int, float]

    def at(self, moment: float) -> float:
        """Return a moment's place."""
        return self.places[moment]


def moments_of(lines: list[Line], rows: list[Row]) -> set[int]:
    """Return the moments that the time axis must name."""
    found = {row[EVENT_TIME] for row in rows}
    found |= {reference.visible_from(lines[0].query, row) for row in rows}
    for line in lines:
        if line.moment is not None:
            low, high, _ = reach(line)
            found |= {line.moment, line.row_moment, high}
            found |= {low} if low is not None else set()
    return found


def grid_of(lines: list[Line], rows: list[Row]) -> set[int]:
    """Return the points of the windows' grid from the first to the last moment drawn."""
    moments = sorted(moments_of(lines, rows))
    found = set()
    for line in lines:
        every = line.feature.window.every if isinstance(line.feature, Aggregate) else None
        if every is not None:
            first = line.feature.window.end(moments[0] + every - 1)
            found |= set(range(first, moments[-1] + 1, every))
    return found


def axis_of(left: float, widths: Mapping[int, float]) -> Axis:
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


def stacks_of(rows: list[Row], keys: list[str]) -> dict[int, int]:
    """Return how high above its line each row lies: rows of one moment lie above each other."""
    seen: dict[tuple[str, object], int] = {}
    found = {}
    for row in rows:
        place = (key_told(row, keys), row[EVENT_TIME])
        found[id(row)] = seen[place] = seen.get(place, -1) + 1
    return found
