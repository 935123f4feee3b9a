"""Cases of windows that end on a grid, and of lifetime windows."""

import featurestore as fs
from tests.semantics.case import Case, event, example, payments, source, spine_at, total

ROWS = [
    event("9:00", amount=5.0),
    event("11:00", amount=7.0),
    event("12:00", amount=1.0),
]

SLIDING = Case(
    "Sliding window",
    slug="sliding",
    rule="e = floor((t - d - o) / S) * S + o, [e - W, e), of rows existing at t",
    text=(
        "A sliding window ends at the last grid point that is not after the moment. It moves "
        "when the next point is reached. An event at the window's end is not in it until then. "
        "The window uses the rows that exist at the moment itself, so a late row can enter "
        "between two grid points."
    ),
    examples=(
        example(
            'windows=(fs.Sliding("4h", every="2h"),)',
            payments(total(fs.Sliding("4h", every="2h"))),
            rows=ROWS,
            spine=spine_at("11:30", "12:00", "13:30", "14:00"),
            answers=(5.0, 12.0, 12.0, 8.0),
        ),
        example(
            "the same, with a late row",
            payments(total(fs.Sliding("4h", every="2h")), rows=source(late=True)),
            rows=[event("9:00", amount=5.0), event("11:00", available="12:30", amount=7.0)],
            spine=spine_at("12:00", "13:00"),
            answers=(5.0, 12.0),
        ),
    ),
)

TUMBLING = Case(
    "Tumbling window, offset",
    slug="tumbling",
    rule="tumbling is S = W; the grid is shifted by o",
    text=(
        "A tumbling window is as long as the distance between two grid points. It is the last "
        "complete interval of the grid. The grid has a point at 1970-01-01 UTC, and `offset` "
        'shifts it: with `offset="2h"`, days begin at 2:00.'
    ),
    examples=(
        example(
            'windows=(fs.Tumbling("2h"),)',
            payments(total(fs.Tumbling("2h"))),
            rows=ROWS,
            spine=spine_at("11:30", "12:30", "14:00"),
            answers=(5.0, 7.0, 1.0),
        ),
        example(
            'windows=(fs.Tumbling("2h", offset="1h"),)',
            payments(total(fs.Tumbling("2h", offset="1h"))),
            rows=ROWS,
            spine=spine_at("11:30", "12:30", "13:00"),
            answers=(5.0, 5.0, 8.0),
        ),
    ),
)

LIFETIME = Case(
    "Lifetime window",
    slug="lifetime",
    rule="no lower edge",
    text=(
        "A lifetime window has no start: it holds every event before its end. `delay`, "
        '`closed="right"` and a grid change its end as for any other window.'
    ),
    examples=(
        example(
            'windows=("lifetime",)',
            payments(total("lifetime")),
            rows=ROWS,
            spine=spine_at("9:00", "12:00", "13:00"),
            answers=(None, 12.0, 13.0),
        ),
        example(
            'windows=("lifetime",), closed="right"',
            payments(total("lifetime", closed="right")),
            rows=ROWS,
            spine=spine_at("9:00", "12:00"),
            answers=(5.0, 13.0),
        ),
        example(
            'windows=(fs.Sliding("lifetime", every="2h"),)',
            payments(total(fs.Sliding("lifetime", every="2h"))),
            rows=ROWS,
            spine=spine_at("11:30", "12:30"),
            answers=(5.0, 12.0),
        ),
    ),
)
