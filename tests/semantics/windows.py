"""Cases of windows: the rows that they hold, and the answers."""

import math

import featurestore as fs
from tests.semantics.case import Case, event, example, payments, profile, spine_at, total

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
        "A window ends just before the moment. An event at exactly the moment is not in the "
        'window, so a payment never counts itself. With `closed="right"` it is in the window.'
    ),
    examples=(
        example(
            'windows=("4h",)',
            payments(total("4h")),
            rows=MORNING,
            spine=spine_at("12:00", "12:30"),
            answers=(12.0, 13.0),
        ),
        example(
            'windows=("4h",), closed="right"',
            payments(total("4h", closed="right")),
            rows=MORNING,
            spine=spine_at("11:00", "12:00"),
            answers=(12.0, 13.0),
        ),
    ),
)

LOWER_EDGE = Case(
    "Window lower edge",
    slug="window_lower_edge",
    rule="included",
    text=(
        'An event at exactly the start of a window is in the window. With `closed="right"` it is '
        "not. A window never includes both of its edges, so its length is exactly W."
    ),
    examples=(
        example(
            'windows=("3h",)',
            payments(total("3h")),
            rows=MORNING,
            spine=spine_at("12:00", "12:00:00.000001"),
            answers=(12.0, 8.0),
        ),
        example(
            'windows=("3h",), closed="right"',
            payments(total("3h", closed="right")),
            rows=MORNING,
            spine=spine_at("12:00"),
            answers=(8.0,),
        ),
    ),
)

DATA_DELAY = Case(
    "Data delay",
    slug="data_delay",
    rule="shift the whole window: [t-d-W, t-d)",
    text=(
        "The `delay` of an aggregation moves the whole window into the past. The "
        "`available_delay` of a view does not move the window: it makes rows visible later."
    ),
    examples=(
        example(
            'windows=("2h",), delay="1h"',
            payments(total("2h", delay="1h")),
            rows=MORNING,
            spine=spine_at("12:00", "13:00"),
            answers=(5.0, 7.0),
        ),
        example(
            'windows=("2h",) of a view with available_delay="1h"',
            payments(total("2h"), available_delay="1h"),
            rows=MORNING,
            spine=spine_at("11:30", "12:30", "13:00"),
            answers=(None, 7.0, 8.0),
        ),
    ),
)

EMPTY_WINDOW = Case(
    "Empty window",
    slug="empty_window",
    rule=("counts 0, lists empty, the rest null; stddev of one value: sample null, population 0"),
    text=(
        "In a window without values a count is 0, a list or a map is empty, and everything else "
        "is null. `empty=` in the aggregation sets another value. A standard deviation of a "
        "sample needs two values and is null for fewer. That of a population (`ddof=0`) needs "
        "one value, and of one value it is 0."
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
            spine=spine_at("10:00", "13:00"),
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
            spine=spine_at("9:00", "12:30"),
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
            spine=spine_at("9:00", "12:00"),
            answers=([], [("Oslo", 1), ("Rome", 2)]),
        ),
        example(
            "stddev of the population (ddof=0)",
            payments(fs.Aggregation("amount", "stddev", windows=("2h",), ddof=0)),
            rows=MORNING[:1],
            spine=spine_at("10:00", "13:00"),
            answers=(0.0, None),
        ),
        example(
            'windows=("2h",), empty=0.0',
            payments(total("2h", empty=0.0)),
            rows=MORNING[:1],
            spine=spine_at("10:00", "13:00"),
            answers=(5.0, 0.0),
        ),
    ),
)

NOT_A_NUMBER = Case(
    "NaN, infinity and -0.0",
    slug="nan",
    rule="float keys are refused; NaN values reach only windows that contain them",
    text=(
        "NaN and infinity affect only the windows that hold them, however long the history is. "
        "-0.0 equals 0.0. Floats are not accepted as join keys."
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
            spine=spine_at("10:00", "12:00", "15:00"),
            answers=(5.0, math.nan, 7.0),
        ),
        example(
            "two infinities in one window",
            payments(total("2h")),
            rows=[
                event("9:00", amount=math.inf),
                event("10:00", amount=-math.inf),
                event("13:00", amount=7.0),
            ],
            spine=spine_at("9:30", "10:30", "11:30", "13:30"),
            answers=(math.inf, math.nan, -math.inf, 7.0),
        ),
        example(
            "NaN is greater than every number, and all NaN are one value",
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
            spine=spine_at("10:30", "11:15"),
            answers={
                "amount_top2_2h": ([math.nan, 7.0], [math.nan, 5.0]),
                "amount_mode_2h": (5.0, 5.0),
                "amount_p50_2h": (math.nan, math.nan),
            },
        ),
        example(
            "count_distinct: 0.0 and -0.0 are one value",
            payments(fs.Aggregation("amount", "count_distinct", windows=("4h",))),
            rows=[event("9:00", amount=0.0), event("10:00", amount=-0.0)],
            spine=spine_at("11:00"),
            answers=(1,),
        ),
    ),
    refusals={
        "A float column as a join key": (
            "get_historical_features('shop'): column 'shop' has type double, the join key 'shop' "
            "has type Int64. Float keys cannot be compared exactly. Cast the column first, e.g. "
            "spine['shop'].astype('Int64') in pandas (nulls stay nulls)."
        )
    },
)

SUMMER_TIME = Case(
    "Summer time",
    slug="summer_time",
    rule=(
        'fixed durations on the UTC axis; "1 day" = 86,400 s; calendar buckets only with a '
        "declared zone"
    ),
    text=(
        "A day is 86,400 seconds, also when clocks change. Paris lost an hour on 29 March 2026: "
        "noon was 10:00 UTC, and one day earlier it was 11:00 in Paris. A local time that occurs "
        "twice, or never, is refused."
    ),
    examples=(
        example(
            'windows=("1d",), noon in Paris on the day of the clock change; all times in UTC',
            payments(total("1d")),
            rows=[
                event("2026-03-28T09:30", amount=5.0),
                event("2026-03-28T10:30", amount=7.0),
                event("2026-03-28T20:00", amount=1.0),
            ],
            spine=spine_at("2026-03-29T10:00"),
            answers=(8.0,),
        ),
    ),
)

FAR_DATES = Case(
    "Far dates, and dates before 1970",
    slug="far_dates",
    rule="floor division, not truncation; no 2099 sentinel",
    text="Moments before 1970 and in the far future follow the same rules.",
    examples=(
        example(
            "a city through three centuries",
            profile(),
            rows=[
                event("1899-12-31", city="Rome"),
                event("1969-12-31T23:59:59.999999", city="Oslo"),
                event("2199-01-01", city="Lima"),
            ],
            spine=spine_at("1900-01-01", "1970-01-01", "2199-01-01"),
            answers=("Rome", "Oslo", "Lima"),
        ),
        example(
            'windows=("1d",) across the start of 1970',
            payments(total("1d")),
            rows=[event("1969-12-31T06:00", amount=5.0), event("1970-01-01", amount=7.0)],
            spine=spine_at("1970-01-01", "1970-01-01T06:00", "1970-01-01T06:30"),
            answers=(5.0, 12.0, 7.0),
        ),
        example(
            'windows=(fs.Tumbling("1d"),): days before 1970 begin at midnight too',
            payments(fs.Aggregation("amount", "sum", windows=(fs.Tumbling("1d"),))),
            rows=[event("1969-12-31", amount=5.0), event("1970-01-01", amount=7.0)],
            spine=spine_at("1969-12-31T23:59", "1970-01-01", "1970-01-02"),
            answers=(None, 5.0, 7.0),
        ),
    ),
)
