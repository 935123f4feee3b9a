"""A histogram, and a number over time, as SVG. The texts beside them say the same."""

from collections.abc import Sequence
from html import escape
from typing import Any

from featurestore.site.timeline.shapes import text_at

_WIDTH, _HEIGHT, _TOP, _LEFT = 560.0, 150.0, 20.0, 4.0
_GAP = 2.0
_SPARK_WIDTH, _SPARK_HEIGHT, _EDGE = 180.0, 36.0, 4.0


def histogram_drawing(bars: Sequence[dict[str, Any]], counted: str = "rows") -> str:
    """Return a histogram as SVG. Its title has the number of each interval.

    Intervals have the same width on the drawing. The first and the last one may be wider in truth,
    which the marks below say.

    Args:
        bars: The intervals with ``low``, ``high`` and ``rows``; empty for none.
        counted: What is counted, such as ``"keys"``.

    Example:
        >>> histogram_drawing([{"low": "0", "high": "1", "rows": 3}]).startswith("<svg")
        True
        >>> histogram_drawing([])
        ''
    """
    if not bars:
        return ""
    most = max(1, *(bar["rows"] for bar in bars))
    width = (_WIDTH - 2 * _LEFT) / len(bars)
    bottom = _TOP + _HEIGHT
    parts = []
    for number, bar in enumerate(bars):
        height = bar["rows"] / most * _HEIGHT
        height = max(height, 1.5) if bar["rows"] else 0
        x = _LEFT + number * width
        label = f"{_interval(bar)}: {bar['rows']:,} {counted}"
        # The whole column shows its numbers, so that a low bar is found too.
        parts.append(
            f'<g class="column"><title>{escape(label)}</title>'
            f'<rect class="room" x="{x:.1f}" y="{_TOP:g}" width="{width:.1f}" '
            f'height="{_HEIGHT:g}"/>'
            f'<rect class="value" x="{x + _GAP / 2:.1f}" y="{bottom - height:.1f}" '
            f'width="{max(width - _GAP, 1):.1f}" height="{height:.1f}"/></g>'
        )
    return _svg(
        "histogram",
        _WIDTH,
        bottom + 22,
        _described(bars, counted),
        parts + _marks(bars, f"{most:,} {counted}"),
    )


def _marks(bars: Sequence[dict[str, Any]], most: str) -> list[str]:
    bottom, width = _TOP + _HEIGHT, (_WIDTH - 2 * _LEFT) / len(bars)
    middle = len(bars) // 2
    texts = [
        text_at(_LEFT, bottom + 16, bars[0]["low"], "soft"),
        text_at(_WIDTH - _LEFT, bottom + 16, bars[-1]["high"], "soft", "end"),
        text_at(_LEFT, 12, most, "soft"),
    ]
    if len(bars) > 2:
        x = _LEFT + middle * width
        texts.append(text_at(x, bottom + 16, bars[middle]["low"], "soft", "middle"))
    return [f'<path class="axis" d="M0 {bottom:g}H{_WIDTH:g}"/>', *texts]


def _described(bars: Sequence[dict[str, Any]], counted: str) -> str:
    highest = max(bars, key=lambda bar: bar["rows"])
    return (
        f"Histogram from {bars[0]['low']} to {bars[-1]['high']}. Most {counted}, "
        f"{highest['rows']:,}, are from {highest['low']} to {highest['high']}."
    )


def _interval(bar: dict[str, Any]) -> str:
    return str(bar["low"]) if bar["low"] == bar["high"] else f"{bar['low']} to {bar['high']}"


def sparkline(name: str, values: Sequence[float | None]) -> str:
    """Return a number over time as a line, as SVG; empty if fewer than two values are known.

    Args:
        name: The name of the number.
        values: The number at each time, the oldest first. None where it is not known.

    Example:
        >>> sparkline("mean", [1.0, 2.0]).startswith("<svg"), sparkline("mean", [1.0])
        (True, '')
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(known), max(known)
    step = (_SPARK_WIDTH - 2 * _EDGE) / (len(values) - 1)
    points = [
        (_EDGE + number * step, _height(value, low, high))
        for number, value in enumerate(values)
        if value is not None
    ]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    last_x, last_y = points[-1]
    parts = [
        f'<path class="line" d="M{line}"/>',
        f'<circle class="now" cx="{last_x:.1f}" cy="{last_y:.1f}" r="3"/>',
    ]
    title = f"{name} over {len(values)} runs: from {known[0]:g} to {known[-1]:g}"
    return _svg("sparkline", _SPARK_WIDTH, _SPARK_HEIGHT, title, parts)


def _height(value: float, low: float, high: float) -> float:
    if high == low:
        return _SPARK_HEIGHT / 2
    # Divided first: the difference of large numbers may be too large for a float.
    share = value / (high - low) - low / (high - low)
    return _SPARK_HEIGHT - _EDGE - share * (_SPARK_HEIGHT - 2 * _EDGE)


def _svg(kind: str, width: float, height: float, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="{kind}" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
