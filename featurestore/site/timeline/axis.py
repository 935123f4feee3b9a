"""The time axis of a picture: the position of each moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

PLOT, CHARACTER = 430, 7.0


@dataclass(frozen=True)
class Axis:
    """The position of each moment: in order, readable, and otherwise about to scale."""

    positions: Mapping[int, float]

    def at(self, moment: float) -> float:
        """Return a moment's position in pixels."""
        return self.positions[int(moment)]


def axis_of(left: float, widths: Mapping[int, float], plot: float = PLOT) -> Axis:
    """Return the axis with a position for each moment.

    Args:
        left: The axis's left end in pixels.
        widths: The width of the text at each moment.
        plot: The length of the axis, if the texts need no more.

    Example:
        >>> axis_of(0, {0: 20, 10: 20}, plot=100).positions
        {0: 24.0, 10: 124.0}
    """
    ordered = sorted(widths)
    least = [(widths[one] + widths[other]) / 2 for one, other in pairwise(ordered)]
    spare = max(0.0, plot - sum(least))
    duration = max(1, ordered[-1] - ordered[0])
    x = left + max(24.0, widths[ordered[0]] / 2)
    positions = {ordered[0]: x}
    for (one, other), gap in zip(pairwise(ordered), least, strict=True):
        x += gap + spare * (other - one) / duration
        positions[other] = round(x, 1)
    return Axis(positions)
