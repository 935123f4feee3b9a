"""Cases of which rows a window holds, and what comes of them."""

import math

import featurestore as fs
from tests.semantics.case import Case, ask, event, example, payments, profile, total

MORNING = [
    event("9:00", amount=5.0),
    event("11:00", amount=7.0),
    event("12:00", amount=1.0),
]

UPPER_EDGE = Case(
    "Window upper edge",
    slug="window_upper_edge",
    rule="[t-W, t): event at t EXCLUDED by default (label leakage); per-aggregate opt-in",
    text=(
        "A window ends just before the moment that is asked for: an event at exactly that moment "
        'is not in it, so that a payment never counts itself. `closed="right"` takes it in.'
    ),
    examples=(
        example(
            'windows=("4h",)',
            payments(total("4h")),
            rows=MORNING,
            spine=ask("12:00", "12:30"),
            answers=(12.0, 13.0),
        ),
        example(
            'windows=("4h",), closed="right"',
            payments(total("4h", closed="right")),
            rows=MORNING,
            spine=ask("11:00", "12:00"),
            answers=(12.0, 13.0),
        ),
    ),
)

LOWER_EDGE = Case(
    "Window lower edge",
    slug="window_lower_edge",
    rule="included",
    text=(
        'An event exactly at a window\'s beginning is in it. With `closed="right"` it is out: '
        "a window never holds both of its edges, so its length is what it says."
    ),
    examples=(
        example(
            'windows=("3h",)',
            payments(total("3h")),
            rows=MORNING,
            spine=ask("12:00", "12:00:00.000001"),
            answers=(12.0, 8.0),
        ),
        example(
            'windows=("3h",), closed="right"',
            payments(total("3h", closed="right")),
            rows=MORNING,
            spine=ask("12:00"),
            answers=(8.0,),
        ),
    ),
)

DATA_DELAY = Case(
    "Data delay",
    slug="data_delay",
    rule="shift the whole window: [t-d-W, t-d)",
    text=(
        "`delay` of an aggregation moves the whole window into the past. `available_delay` of a "
        "view leaves the window where it is and hides the rows that are not known yet."
    ),
    examples=(
        example(
            'windows=("2h",), delay="1h"',
            payments(total("2h", delay="1h")),
            rows=MORNING,
            spine=ask("12:00", "13:00"),
            answers=(5.0, 7.0),
        ),
        example(
            'windows=("2h",) of a view with available_delay="1h"',
            payments(total("2h"), available_delay="1h"),
            rows=MORNING,
            spine=ask("11:30", "12:30", "13:00"),
            answers=(None, 7.0, 8.0),
        ),
    ),
)

EMPTY_WINDOW = Case(
    "Empty window",
    slug="empty_window",
    rule=("counts 0, lists empty, the rest null; stddev of one value: sample null, population 0"),
    text=(
        "Without values a count is 0, a list or a map is empty and everything else null, unless "
        "the aggregation says `empty=`. A standard deviation needs two values, else it is null; "
        "that of a population (`ddof=0`) needs one, and of one it is 0."
    ),
    examples=(
        example(
            'windows=("2h",)',
            payments(
                fs.Aggregation("amount", "count", windows=("2h",)),
                total("2h"),
                fs.Aggregation("amount", "stddev", windows=("2h",)),
            ),
            rows=MORNING[:1],
            spine=ask("10:00", "13:00"),
            answers={
                "amount_count_2h": (1, 0),
                "amount_sum_2h": (5.0, None),
                "amount_stddev_2h": (None, None),
            },
        ),
        example(
            "lists: last2 and top2",
            payments(
                fs.Aggregation("amount", "last2", windows=("4h",)),
                fs.Aggregation("amount", "top2", windows=("4h",)),
            ),
            rows=MORNING,
            spine=ask("9:00", "12:30"),
            answers={"amount_last2_4h": ([], [1.0, 7.0]), "amount_top2_4h": ([], [7.0, 5.0])},
        ),
        example(
            'a map: fs.Aggregation("*", "count", by="city", windows=("4h",))',
            profile(aggregations=(fs.Aggregation("*", "count", by="city", windows=("4h",)),)),
            rows=[
                event("9:00", city="Rome"),
                event("10:00", city="Oslo"),
                event("11:00", city="Rome"),
                event("11:30", city=None),
            ],
            spine=ask("9:00", "12:00"),
            answers=([], [("Oslo", 1), ("Rome", 2)]),
        ),
        example(
            "stddev of the population: ddof=0",
            payments(fs.Aggregation("amount", "stddev", windows=("2h",), ddof=0)),
            rows=MORNING[:1],
            spine=ask("10:00", "13:00"),
            answers=(0.0, None),
        ),
        example(
            'windows=("2h",), empty=0.0',
            payments(total("2h", empty=0.0)),
            rows=MORNING[:1],
            spine=ask("10:00", "13:00"),
            answers=(5.0, 0.0),
        ),
    ),
)

NOT_A_NUMBER = Case(
    "NaN, Inf, -0.0",
    slug="nan",
    rule="float keys are refused; NaN values reach only windows that contain them",
    text=(
        "NaN and infinity reach the windows that hold them and no other, however long the "
        "history. -0.0 equals 0.0. Numbers with a point are no join keys."
    ),
    examples=(
        example(
            'windows=("2h",)',
            payments(total("2h")),
            rows=[
                event("9:00", amount=5.0),
                event("11:00", amount=math.nan),
                event("14:00", amount=7.0),
            ],
            spine=ask("10:00", "12:00", "15:00"),
            answers=(5.0, math.nan, 7.0),
        ),
        example(
            "infinities meet in one window",
            payments(total("2h")),
            rows=[
                event("9:00", amount=math.inf),
                event("10:00", amount=-math.inf),
                event("13:00", amount=7.0),
            ],
            spine=ask("9:30", "10:30", "11:30", "13:30"),
            answers=(math.inf, math.nan, -math.inf, 7.0),
        ),
        example(
            "NaN is greater than every number, and one value",
            payments(
                fs.Aggregation("amount", "top2", windows=("2h",)),
                fs.Aggregation("amount", "mode", windows=("2h",)),
                fs.Aggregation("amount", "p50", windows=("2h",)),
            ),
            rows=[
                event("9:00", amount=7.0),
                event("9:30", amount=math.nan),
                event("10:00", amount=5.0),
            ],
            spine=ask("10:30", "11:15"),
            answers={
                "amount_top2_2h": ([math.nan, 7.0], [math.nan, 5.0]),
                "amount_mode_2h": (5.0, 5.0),
                "amount_p50_2h": (math.nan, math.nan),
            },
        ),
        example(
            "how many different amounts: 0.0 and -0.0 are one",
            payments(fs.Aggregation("amount", "count_distinct", windows=("4h",))),
            rows=[event("9:00", amount=0.0), event("10:00", amount=-0.0)],
            spine=ask("11:00"),
            answers=(1,),
        ),
    ),
    refusals={
        "A join key of floats": (
            "get_historical_features('shop'): column 'shop' holds double, the join key 'shop' is "
            "Int64. Float keys do not compare exactly. Cast the column first, e.g. "
            "spine['shop'].astype('Int64') in pandas (nulls stay nulls)."
        )
    },
)

SUMMER_TIME = Case(
    "DST",
    slug="summer_time",
    rule=(
        'fixed durations on the UTC axis; "1 day" = 86,400 s; calendar buckets only with a '
        "declared zone"
    ),
    text=(
        "A day is 86,400 seconds, also where clocks change. When Paris lost an hour on 29 March "
        "2026, noon was 10:00 UTC, and one day before it 11:00 in Paris. Local times that came "
        "twice or never are refused."
    ),
    examples=(
        example(
            'windows=("1d",), noon in Paris on the day that clocks change; all times in UTC',
            payments(total("1d")),
            rows=[
                event("2026-03-28T09:30", amount=5.0),
                event("2026-03-28T10:30", amount=7.0),
                event("2026-03-28T20:00", amount=1.0),
            ],
            spine=ask("2026-03-29T10:00"),
            answers=(8.0,),
        ),
    ),
)

FAR_DATES = Case(
    "Far dates, pre-1970",
    slug="far_dates",
    rule="floor division, not truncation; no 2099 sentinel",
    text="Moments before 1970 and far in the future are moments like any other.",
    examples=(
        example(
            "a city through three centuries",
            profile(),
            rows=[
                event("1899-12-31", city="Rome"),
                event("1969-12-31T23:59:59.999999", city="Oslo"),
                event("2199-01-01", city="Lima"),
            ],
            spine=ask("1900-01-01", "1970-01-01", "2199-01-01"),
            answers=("Rome", "Oslo", "Lima"),
        ),
        example(
            'windows=("1d",) across the beginning of 1970',
            payments(total("1d")),
            rows=[event("1969-12-31T06:00", amount=5.0), event("1970-01-01", amount=7.0)],
            spine=ask("1970-01-01", "1970-01-01T06:00", "1970-01-01T06:30"),
            answers=(5.0, 12.0, 7.0),
        ),
        example(
            'windows=(fs.Tumbling("1d"),): the days before 1970 begin at midnight, too',
            payments(fs.Aggregation("amount", "sum", windows=(fs.Tumbling("1d"),))),
            rows=[event("1969-12-31", amount=5.0), event("1970-01-01", amount=7.0)],
            spine=ask("1969-12-31T23:59", "1970-01-01", "1970-01-02"),
            answers=(None, 5.0, 7.0),
        ),
    ),
)
