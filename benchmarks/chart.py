"""The chart: the share of each target that is used, and the seconds of the first case."""

from collections.abc import Sequence
from html import escape

from benchmarks.measure import Row

# Columns: the case, the program that it is compared with, the bars, the figures.
WIDTH, CASE, AGAINST, BARS, FIGURES = 940, 16, 306, 530, 924
LINE, BAR = 24, 15
PLOT = FIGURES - BARS - 100
# A greater share is drawn with this length; its number is written beside the bar.
WIDEST = 2.0
STYLE = """\
text { font: 12px -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328 }
.card { fill: #ffffff; stroke: #d1d9e0 }
.title { font-weight: 600; font-size: 13px }
.figure { text-anchor: end }
.ours { fill: #0969da }
.theirs { fill: #b6c2cf }
.met { fill: #2da44e }
.missed { fill: #cf222e }
.limit { stroke: #1f2328; stroke-width: 1.5; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .card { fill: #0d1117; stroke: #3d444d }
  .ours { fill: #4493f8 }
  .theirs { fill: #59636e }
  .met { fill: #3fb950 }
  .missed { fill: #f85149 }
  .limit { stroke: #f0f6fc }
}
"""


def chart(rows: Sequence[Row]) -> str:
    """Return the results as one SVG: the first case's seconds, then every target."""
    first = [row for row in rows if row.case == rows[0].case]
    seconds, height = _seconds(first, 12)
    shares, height = _shares([row for row in rows if row.share is not None], height + 16)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img" aria-labelledby="title desc">',
            '<title id="title">Benchmarks</title>',
            f'<desc id="desc">{escape(_description(rows))}</desc>',
            f"<style>\n{STYLE}</style>",
            f'<rect class="card" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>',
            *seconds,
            *shares,
            "</svg>\n",
        ]
    )


def _seconds(rows: Sequence[Row], top: int) -> tuple[list[str], int]:
    others = [(row.against, row.theirs) for row in rows if row.theirs is not None]
    bars = sorted([("featurestore", rows[0].ours), *others], key=lambda bar: bar[1])
    scale = PLOT / bars[-1][1]
    parts = [_title(top, f"{rows[0].case}: seconds")]
    for number, (name, value) in enumerate(bars):
        style = "ours" if name == "featurestore" else "theirs"
        y = top + 24 + number * LINE
        parts += _bar(y, ("", name), value * scale, style, f"{value:.3g} s")
    return parts, top + 24 + len(bars) * LINE


def _shares(rows: Sequence[Row], top: int) -> tuple[list[str], int]:
    parts = [_title(top, "Share of each target that is used; left of the line a target is met")]
    unit = PLOT / WIDEST
    for number, row in enumerate(rows):
        share = row.share or 0.0
        y = top + 24 + number * LINE
        same_case = number > 0 and rows[number - 1].case == row.case
        names = ("" if same_case else row.case, row.against)
        style = "met" if row.met else "missed"
        parts += _bar(y, names, min(share, WIDEST) * unit, style, _value_of_target(row))
    bottom = top + 24 + len(rows) * LINE
    edge = BARS + unit
    parts.append(f'<line class="limit" x1="{edge}" y1="{top + 20}" x2="{edge}" y2="{bottom}"/>')
    return parts, bottom + 12


def _value_of_target(row: Row) -> str:
    if row.is_absolute:
        return f"{row.ours:.3g} of {row.limit:g} {row.unit}"
    return f"{row.ratio:.2g} of {row.limit:g}"


def _title(y: int, text: str) -> str:
    return f'<text class="title" x="{CASE}" y="{y + 12}">{escape(text)}</text>'


def _bar(y: int, names: tuple[str, str], length: float, style: str, figure: str) -> list[str]:
    base = y + BAR - 3
    return [
        *(
            f'<text x="{x}" y="{base}">{escape(name)}</text>'
            for x, name in zip((CASE, AGAINST), names, strict=True)
            if name
        ),
        f'<rect class="{style}" x="{BARS}" y="{y}" width="{length:.1f}" height="{BAR}"/>',
        f'<text class="figure" x="{FIGURES}" y="{base}">{escape(figure)}</text>',
    ]


def _description(rows: Sequence[Row]) -> str:
    targets = [row for row in rows if row.share is not None]
    met = sum(1 for row in targets if row.met)
    return f"{met} of {len(targets)} targets are met. " + "; ".join(
        f"{row.case}, {row.against}: {_value_of_target(row)}" for row in targets
    )
