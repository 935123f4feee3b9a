"""The drawing of a feature: which events count for its value at a moment t."""

from functools import lru_cache
from html import escape

from featurestore.registry.meaning import Interval
from featurestore.site.timeline.axis import CHARACTER, Axis, axis_of
from featurestore.site.timeline.shapes import bracket_at, dot, text_at, upright

# The moments of the drawing, in order: events before, in and after the interval, and its edges.
_BEFORE, _LOW, _FIRST, _SECOND, _LATE, _HIGH, _AFTER, _NOW, _KNOWN = range(9)
_LEFT, _PLOT, _LANE, _BAR, _LABELS, _HEIGHT = 8.0, 300.0, 34.0, 66.0, 98.0, 106.0
_NARROW, _MARGIN = 18.0, 26.0


@lru_cache(maxsize=512)
def window_drawing(interval: Interval) -> str:
    """Return the drawing of an interval of event times, as SVG.

    The upper line has the events of a key. The bar below it is the interval, with the events
    that count. The dashed line is t, the moment of the value.

    Example:
        >>> window_drawing(Interval("t - 7d", "t", "[)")).startswith('<svg class="timeline"')
        True
    """
    labels = _labels(interval)
    axis = _axis(interval, labels)
    right = max(axis.positions.values()) + _MARGIN
    parts = [
        f'<path class="axis" d="M{_LEFT:g} {_LANE:g}H{right:g}"/>',
        upright("moment", axis.at(_NOW), (10, _LABELS - 14), ()),
        *(dot(axis.at(moment), _LANE) for moment in _events(interval)),
        *(_late(axis) if interval.late else ()),
        *_bar(interval, axis),
        *(text_at(axis.at(moment), _LABELS, text, "soft", "middle") for moment, text in labels),
    ]
    return (
        f'<svg class="timeline" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {right + 8:g} {_HEIGHT:g}" width="{right + 8:g}" height="{_HEIGHT:g}">'
        f"<title>{escape(description(interval))}</title>{''.join(parts)}</svg>"
    )


def description(interval: Interval) -> str:
    """Return what the drawing shows, in words.

    Example:
        >>> description(Interval(None, "t", "[)"))
        'The bar is the interval (-∞, t): the events in it count. ...'
    """
    counted = "the newest event in it counts" if interval.newest else "the events in it count"
    late = " The hollow event is available only after t, so it does not count." * interval.late
    edges = "A square bracket includes its edge, a round one does not."
    return f"The bar is the interval {interval}: {counted}. {edges}{late}"


def _labels(interval: Interval) -> list[tuple[int, str]]:
    labels = [] if interval.low is None else [(_LOW, interval.low)]
    if interval.high != "t":
        labels.append((_HIGH, interval.high))
    return [*labels, (_NOW, "t")]


def _events(interval: Interval) -> list[int]:
    before = [] if interval.low is None else [_BEFORE]
    after = [] if interval.high == "t" else [_AFTER]
    return [*before, _FIRST, _SECOND, *after]


def _axis(interval: Interval, labels: list[tuple[int, str]]) -> Axis:
    moments = {*_events(interval), *(moment for moment, _ in labels), _NOW}
    widths = dict.fromkeys(moments, _NARROW)
    if interval.late:
        widths |= {_LATE: _NARROW, _KNOWN: _NARROW}
    widths |= {moment: len(text) * CHARACTER for moment, text in labels}
    axis = axis_of(_LEFT, widths, _PLOT)
    # The interval ends at t, or before it.
    high = axis.positions.get(_HIGH, axis.positions[_NOW])
    return Axis({**axis.positions, _HIGH: high})


def _bar(interval: Interval, axis: Axis) -> list[str]:
    start = _LEFT if interval.low is None else axis.at(_LOW)
    end = axis.at(_HIGH)
    counted = [_SECOND] if interval.newest else [_FIRST, _SECOND]
    parts = [
        f'<rect class="bar" x="{start:g}" y="{_BAR - 8:g}" width="{end - start:g}" height="16"/>',
        *(dot(axis.at(moment), _BAR) for moment in counted),
    ]
    if interval.late:
        parts.append(dot(axis.at(_LATE), _BAR, kind="hollow"))
    if interval.low is not None:
        parts.append(bracket_at(start, _BAR, interval.brackets[0]))
    return [*parts, bracket_at(end, _BAR, interval.brackets[1])]


def _late(axis: Axis) -> list[str]:
    """Return an event with an arrow to the moment at which it becomes available."""
    start, end = axis.at(_LATE), axis.at(_KNOWN)
    return [
        dot(start, _LANE, kind="hollow"),
        f'<path class="late" d="M{start:g} {_LANE - 6:g}v-12H{end:g}V{_LANE - 8:g}"/>',
        f'<path class="event" d="M{end:g} {_LANE - 2:g}l-4 -7h8z"/>',
    ]
