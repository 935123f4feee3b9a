"""Cases of derived views, on-demand features and labels."""

from dataclasses import replace

import featurestore as fs
from featurestore.times import parse_duration
from tests.semantics.case import (
    CARD,
    Case,
    Computed,
    Example,
    event,
    example,
    payments,
    source,
    spine_at,
    total,
)

UPSTREAM = payments(rows=source(late=True))
BY_HOUR = fs.FeatureView(
    "by_hour",
    entities=(CARD,),
    source=UPSTREAM,
    schema=UPSTREAM.schema,
    transform=(
        "SELECT _row_metadata, card, amount, "
        "date_trunc('hour', event_timestamp) AS event_timestamp FROM {source}"
    ),
)
LATER = replace(BY_HOUR, available_delay="30m")
BY_HOUR_ROWS = [
    event("9:00", available="9:20", amount=5.0),
    event("10:00", available="12:00", amount=7.0),
]

DERIVED = Case(
    "Derived view",
    slug="derived",
    rule="a derived row is visible no sooner than its source row",
    text=(
        "A derived row is never visible before its upstream row, even if the transform moves its "
        "event back in time. Then it is visible from the time from which its upstream row is "
        "visible, plus its own `available_delay`."
    ),
    examples=(
        example(
            "the upstream view: one row is late",
            UPSTREAM,
            rows=[
                event("9:20", amount=5.0),
                event("10:40", available="12:00", amount=7.0),
            ],
            spine=spine_at("9:20", "11:00", "12:00"),
            answers=(5.0, 5.0, 7.0),
        ),
        example(
            "derived from it: date_trunc('hour', event_timestamp)",
            UPSTREAM,
            rows=BY_HOUR_ROWS,
            spine=spine_at("9:00", "9:20", "11:00", "12:00"),
            answers=(None, 5.0, 5.0, 7.0),
        ),
        example(
            'the same with available_delay="30m"',
            replace(UPSTREAM, available_delay="30m"),
            rows=BY_HOUR_ROWS,
            spine=spine_at("9:20", "9:50", "12:00", "12:30"),
            answers=(None, 5.0, 5.0, 7.0),
        ),
    ),
)

CHECKOUT = fs.RequestSource("checkout", schema=(fs.Field("pays", fs.Float64),))

ON_DEMAND = Case(
    "On-demand feature",
    slug="on_demand",
    rule="a function of the row alone: of features as of its moment and of request values",
    text=(
        "An on-demand feature is computed from the stored answers at the row's moment and from "
        "the row's request values. Without a stored value the input is null."
    ),
    examples=(
        replace(
            example(
                'transform={"ratio": "pays / amount"}, with the last paid amount',
                UPSTREAM,
                rows=[
                    event("9:00", amount=5.0),
                    event("11:00", available="12:00", amount=10.0),
                ],
                spine=spine_at("8:30", "10:00", "11:30", "12:00", pays=20.0),
                answers=(None, 5.0, 5.0, 10.0),
            ),
            computed=Computed(
                fs.OnDemandFeatureView(
                    "compared",
                    sources=(UPSTREAM, CHECKOUT),
                    schema=(fs.Field("ratio", fs.Float64),),
                    transform={"ratio": "pays / amount"},
                ),
                {"ratio": (None, 4.0, 4.0, 2.0)},
            ),
        ),
    ),
)


def _labels(caption: str, *, horizon: str, maturity: str, **parts: object) -> Example:
    """Return an example of labels: windows that end ``maturity`` before the spine's moment."""
    window = total(horizon, delay=maturity, closed="right")
    made = example(caption, payments(window, rows=source(late=True)), **parts)
    return replace(made, ahead=parse_duration(horizon) + parse_duration(maturity))


LABELS = Case(
    "Label",
    slug="labels",
    rule="a view's rows in (t, t + horizon], as they are visible maturity later",
    text=(
        "A [label](training-sets.md#labels-from-later-events) looks ahead. It aggregates the "
        "events after the row's moment, up to and including the end of the horizon, as they are "
        "visible `maturity` later. The event at the row's own moment is not included. A row that "
        "becomes visible even later changes no label. Until the maturity has passed, the label "
        "is not known."
    ),
    examples=(
        _labels(
            'fs.Label("payments", "amount", "sum", horizon="2h", maturity="1h")',
            horizon="2h",
            maturity="1h",
            rows=[
                event("9:00", amount=5.0),
                event("10:00", available="11:30", amount=7.0),
                event("12:00", amount=1.0),
            ],
            spine=spine_at("11:00", "12:00", "13:00"),  # of the rows of 8:00, 9:00 and 10:00
            answers=(5.0, 7.0, 1.0),
        ),
    ),
)
