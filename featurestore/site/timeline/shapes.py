"""The shapes of a picture as SVG text, readable on light and dark pages."""

from collections.abc import Sequence
from html import escape

STYLE = """\
text { font: 12px -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328 }
.card { fill: #ffffff; stroke: #d1d9e0 }
.caption { font-weight: 600; font-size: 13px }
.soft { fill: #59636e }
.axis { stroke: #59636e; stroke-width: 1.5 }
.grid { stroke: #59636e; stroke-width: 1; stroke-opacity: .45 }
.event { fill: #0969da; stroke: #0969da; stroke-width: 2 }
.expired { opacity: .4 }
.value { paint-order: stroke; stroke: #ffffff; stroke-width: 4 }
.late { stroke: #0969da; stroke-width: 1.5; stroke-dasharray: 3 3; fill: none }
.hollow { fill: #ffffff }
.moment { stroke: #bc4c00; stroke-width: 1.5; stroke-dasharray: 5 3 }
.bar { fill: #bc4c00; fill-opacity: .16 }
.edge { stroke: #bc4c00; stroke-width: 2; fill: none }
.answer { font-weight: 700 }
.cross { stroke: #0969da; stroke-width: 2.5; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .card { fill: #0d1117; stroke: #3d444d }
  .soft { fill: #9198a1 }
  .axis { stroke: #9198a1 }
  .grid { stroke: #9198a1 }
  .event { fill: #4493f8; stroke: #4493f8 }
  .late, .cross { stroke: #4493f8 }
  .hollow { fill: #0d1117 }
  .value { stroke: #0d1117 }
  .moment { stroke: #f0883e }
  .bar { fill: #f0883e; fill-opacity: .26 }
  .edge { stroke: #f0883e }
}
"""


MEANINGS = {
    "event": "an event, visible at once",
    "late": "a late event, visible from the arrow on",
    "tombstone": "a tombstone",
    "accepted_times": "accepted event times, and the winning row",
    "window": "the window, and the rows in it",
    "not_visible": "not visible yet",
    "expired": "the newest row, older than the ttl",
    "grid": "grid points",
    "label_known": "the label is known from here on",
}


def legend_of(signs: set[str], y: float) -> tuple[str, float]:
    """Return the meaning of the signs, in two columns, and its height."""
    chosen = [name for name in MEANINGS if name in signs]
    parts = []
    for number, sign in enumerate(chosen):
        x, line = 14.0 + 300 * (number % 2), y + 20 * (number // 2)
        parts.append(_sign(sign, x, line + 4) + text_at(x + 30, line + 8, MEANINGS[sign], "soft"))
    return "\n".join(parts), 20.0 * -(-len(chosen) // 2)


def _sign(sign: str, x: float, y: float) -> str:
    if sign == "event":
        return dot(x + 12, y)
    if sign == "not_visible":
        return dot(x + 12, y, kind="hollow")
    if sign == "expired":
        return dot(x + 12, y, kind="expired")
    if sign == "tombstone":
        return cross(x + 12, y)
    if sign == "grid":
        return f'<path class="grid" d="M{x + 12:g} {y - 9:g}v18"/>'
    if sign == "label_known":
        return diamond(x + 12, y)
    if sign == "late":
        return (
            f'<path class="late" d="M{x:g} {y:g}h16"/>'
            f'<path class="event" d="M{x + 21:g} {y:g}l-7 -4v8z"/>'
        )
    return f'<rect class="bar" x="{x:g}" y="{y - 6:g}" width="22" height="12"/>' + dot(x + 8, y)


def dot(x: float, y: float, *, kind: str = "") -> str:
    """Return an event; ``kind`` may be ``hollow`` or ``expired``."""
    return f'<circle class="{f"event {kind}".strip()}" cx="{x:g}" cy="{y:g}" r="5"/>'


def diamond(x: float, y: float) -> str:
    """Return the moment from which a label is known."""
    return f'<path class="edge" d="M{x - 6:g} {y:g}l6 -6l6 6l-6 6z"/>'


def upright(
    kind: str, x: float, between: tuple[float, float], gaps: Sequence[tuple[float, float]]
) -> str:
    """Return an upright line for a moment, with gaps for the texts on its way."""
    (top, bottom), parts = between, []
    for start, end in sorted((max(top, low), min(bottom, high)) for low, high in gaps):
        if start > top:
            parts.append(f"M{x:g} {top:g}V{start:g}")
        top = max(top, end)
    if bottom > top:
        parts.append(f"M{x:g} {top:g}V{bottom:g}")
    return f'<path class="{kind}" d="{"".join(parts)}"/>'


def cross(x: float, y: float) -> str:
    """Return a tombstone."""
    return f'<path class="cross" d="M{x - 5:g} {y - 5:g}l10 10m0 -10l-10 10"/>'


def bracket_at(x: float, y: float, bracket: str) -> str:
    """Return an edge of the interval of accepted events."""
    shape = {
        "[": f"M{x + 5:g} {y - 10:g}h-5v20h5",
        "]": f"M{x - 5:g} {y - 10:g}h5v20h-5",
        "(": f"M{x + 5:g} {y - 11:g}q-9 11 0 22",
        ")": f"M{x - 5:g} {y - 11:g}q9 11 0 22",
    }[bracket]
    return f'<path class="edge" d="{shape}"/>'


def text_at(x: float, y: float, text: str, kind: str = "", anchor: str = "") -> str:
    """Return a line of text."""
    style = f' class="{kind}"' if kind else ""
    side = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text{style}{side} x="{x:g}" y="{y:g}">{escape(text, quote=False)}</text>'
