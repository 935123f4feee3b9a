"""The drawings of intervals: the bar and the events in it agree with the interval."""

import re

import pytest

from featurestore.registry.meaning import Interval
from featurestore.site.timeline.window import window_drawing


def bar_and_dots(interval: Interval) -> tuple[tuple[float, float], list[float], list[float]]:
    """Return the ends of the bar, and the positions of the events above and in it."""
    svg = window_drawing(interval)
    (start, width) = re.search(
        r'class="bar" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg
    ).groups()
    dots = re.findall(r'class="event" cx="([\d.]+)" cy="([\d.]+)"', svg)
    above, counted = ([float(x) for x, y in dots if float(y) == line] for line in (34, 66))
    return (float(start), float(start) + float(width)), above, counted


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("high", ["t", "t - 1h", "e"])
@pytest.mark.parametrize("low", [None, "t - 7d"])
def test_the_events_in_the_bar_are_those_that_count(
    low: str | None, high: str, late: bool
) -> None:
    (start, end), above, counted = bar_and_dots(Interval(low, high, "[)", late=late))

    assert counted == [x for x in above if start < x < end]
    assert len(counted) == 2
    assert len(above) == 2 + (low is not None) + (high != "t")


def test_the_newest_event_alone_counts_without_a_window() -> None:
    (start, end), above, counted = bar_and_dots(Interval("t - 4h", "t", "[]", newest=True))

    assert counted == [max(x for x in above if start < x < end)]
