"""Cases of the spine: its keys, times and columns, and what is refused."""

import featurestore as fs
from tests.semantics.case import Case, at, event, example, profile, spine_at

ROME, OSLO = event("9:00", city="Rome"), event("11:00", city="Oslo")
BOTH = [ROME, OSLO]
ORDER = fs.Entity("order", join_keys=(fs.Field("shop", fs.Int64), fs.Field("number", fs.String)))
AIRPORT = fs.Entity("airport", join_keys=(fs.Field("airport", fs.String),))
WEATHER = profile(entities=(AIRPORT,), schema=(fs.Field("sky", fs.String),))

NULL_KEY = Case(
    "Null key in the spine",
    slug="null_spine_key",
    rule="features null, row kept",
    text=(
        "If a spine row's key is null, or a part of the key is null, the row stays in the "
        "result. Its features are null, counts included. The result says how many such rows "
        "there were (`null_key_rows`)."
    ),
    examples=(
        example(
            "the key is (shop, number)",
            profile(entities=(ORDER,)),
            rows=[event("9:00", shop=1, number="7", city="Rome")],
            spine=(
                *spine_at("10:00", shop=1, number="7"),
                *spine_at("10:00", shop=1, number=None),
                *spine_at("10:00", shop=None, number="7"),
            ),
            answers=("Rome", None, None),
        ),
    ),
)

NULL_TIME = Case(
    "Null time in the spine",
    slug="null_spine_ts",
    rule='error that counts them; `null_times="keep"` keeps the rows with null features',
    text=(
        "A spine row without a time is an error. The error says how many such rows there are. "
        'With `null_times="keep"` these rows stay in the result, and their features are null.'
    ),
    examples=(
        example(
            'null_times="keep"',
            profile(),
            rows=BOTH,
            spine=spine_at("10:00", None, "12:00"),
            answers=("Rome", None, "Oslo"),
        ),
    ),
    refusals={
        'Without null_times="keep"': (
            "get_historical_features('profile'): 1 of 3 rows have no time in 'event_timestamp'. "
            "Remove these rows, or pass null_times='keep' to answer them with nulls."
        )
    },
)

NULL_ROW = Case(
    "Null key or time in a stored row",
    slug="null_row",
    rule=(
        "never matched; counted (and quarantined, with reason null_key, once quarantine exists)"
    ),
    text=(
        "A source row without a key or without a time is never an answer, not even for a spine "
        "row without a key. Materialization leaves such rows out and reports their number."
    ),
    examples=(
        example(
            "a row without a card, and one without a time (not drawn)",
            profile(),
            rows=[
                ROME,
                event("9:30", city="Oslo") | {"card": None},
                event(None, city="Lima"),
            ],
            spine=(*spine_at("10:00"), *spine_at("10:00", card=None)),
            answers=("Rome", None),
        ),
    ),
)

DUPLICATES = Case(
    "Duplicate spine rows",
    slug="duplicate_spine_rows",
    rule="output count == input count, each row answered",
    text=(
        "Every spine row is answered exactly once, in its position. Equal spine rows are each "
        "answered."
    ),
    examples=(
        example(
            "equal spine rows, not sorted by time",
            profile(),
            rows=BOTH,
            spine=spine_at("12:00", "10:00", "12:00", "12:00"),
            answers=("Oslo", "Rome", "Oslo", "Oslo"),
        ),
    ),
)

EXTRA_COLUMNS = Case(
    "Other columns of the spine, and their order",
    slug="spine_extra_columns",
    rule="all kept, same order and types; the spine's order",
    text=(
        "All columns of the spine come back unchanged, with their types and in their order. The "
        "features follow, in the order of the service."
    ),
    examples=(
        example(
            "a label and a note",
            profile(),
            rows=BOTH,
            spine=(
                {"note": "b", **spine_at("12:00")[0], "is_fraud": True},
                {"note": None, **spine_at("8:00")[0], "is_fraud": False},
                {"note": "a", **spine_at("10:00")[0], "is_fraud": None},
            ),
            answers=("Oslo", None, "Rome"),
        ),
    ),
    pictured=False,
)

COLLISION = Case(
    "Equal names",
    slug="name_collision",
    rule="error that names both, unless the service gives a prefix",
    text=(
        "A feature never silently replaces another column. Two columns with the same name are an "
        'error that names both. `view.with_prefix("home_")` in a service gives the features '
        "other names."
    ),
    examples=(
        example(
            'profile.with_prefix("home_")',
            profile().with_prefix("home_"),
            rows=BOTH,
            spine=spine_at("10:00", city="Lima"),
            answers={"home_city": ("Rome",)},
        ),
    ),
    pictured=False,
    refusals={
        "The spine has a column with the feature's name": (
            "get_historical_features('profile'): feature 'city' of view 'profile' has the name of "
            "a spine column. Rename the spine's column, or use view.with_prefix('...') in the "
            "service."
        ),
        "Two views have a feature with the same name": (
            "get_historical_features(['profile', 'shop']): views 'profile' and 'shop' both have a "
            "feature 'city'. Give one of them a prefix in a service: view.with_prefix('other_')."
        ),
    },
)

COMPOSITE = Case(
    "Composite keys",
    slug="composite_keys",
    rule="compare as tuple, typed; never concatenated; int vs string mismatch = error",
    text=(
        "The parts of a key are compared one by one, each with its type. They are never joined "
        'to one text: (1, "12") and (11, "2") are two different keys. A text does not match a '
        "number."
    ),
    examples=(
        example(
            "the key is (shop, number)",
            profile(entities=(ORDER,)),
            rows=[
                event("9:00", shop=1, number="12", city="Rome"),
                event("9:30", shop=11, number="2", city="Oslo"),
            ],
            spine=(
                *spine_at("10:00", shop=11, number="2"),
                *spine_at("10:00", shop=1, number="12"),
                *spine_at("10:00", shop=11, number="12"),
            ),
            answers=("Oslo", "Rome", None),
        ),
    ),
    refusals={
        "A text where the key is a number": (
            "get_historical_features('shop'): column 'shop' has type string, the join key 'shop' "
            "has type Int64. Cast the spine's column to int64."
        )
    },
)

ROLES = Case(
    "Keys with other names, and several roles",
    slug="key_rename",
    rule="`with_join_keys` per use; same view usable twice",
    text=(
        '`view.with_join_keys({"airport": "origin"})` takes a view\'s key from another spine '
        "column. A service may use one view several times, once for each role."
    ),
    examples=(
        example(
            "two uses of one view: the sky at the origin and at the destination",
            WEATHER.with_join_keys({"airport": "origin"}).with_prefix("origin_"),
            WEATHER.with_join_keys({"airport": "destination"}).with_prefix("destination_"),
            rows=[
                event("9:00", airport="CDG", sky="fog"),
                event("9:30", airport="JFK", sky="sun"),
            ],
            spine=(
                *spine_at("10:00", origin="CDG", destination="JFK"),
                *spine_at("11:00", origin="JFK", destination="CDG"),
            ),
            answers={"origin_sky": ("fog", "sun"), "destination_sky": ("sun", "fog")},
        ),
    ),
)

TWO_TIMES = Case(
    "Several times in the spine",
    slug="several_times",
    rule='`view.at("column")` in a service binds a view to another spine time column',
    text=(
        'A spine row may have several times. `view.at("paid_at")` in a service uses the time '
        "column `paid_at` as the moment for this view."
    ),
    examples=(
        example(
            "the city when the order was made, and when it was paid",
            profile(),
            profile().at("paid_at").with_prefix("paid_"),
            rows=BOTH,
            spine=(
                *spine_at("10:00", paid_at=at("13:00")),
                *spine_at("12:00", paid_at=at("9:30")),
            ),
            answers={"city": ("Rome", "Oslo"), "paid_city": ("Oslo", "Rome")},
        ),
    ),
)

NAIVE = Case(
    "Times with and without a zone",
    slug="naive_times",
    rule=(
        "naive is an error that names the fix (`timezone=` on the source or the call); convert "
        "once; reject mixed columns"
    ),
    text=(
        "Times without a zone are refused, unless the call or the source passes `timezone=`. "
        "They are converted to UTC once. No answer depends on the zone of a machine or of Spark."
    ),
    refusals={
        "Times without a zone": (
            "get_historical_features('profile'): time column 'event_timestamp' is naive: its "
            "times have no time zone. Pass timezone='UTC', or the time zone of these times."
        ),
        "Times with and without a zone in one column": (
            "read the spine: column 'event_timestamp' mixes times with and without a time zone. "
            "Write all times with a zone, or all without one and pass timezone=."
        ),
    },
)

PRECISION = Case(
    "Precision",
    slug="precision",
    rule="microseconds throughout; nothing is rounded in silence; no float seconds",
    text=(
        "Times are whole microseconds everywhere. A finer time is refused if rounding would "
        "change it."
    ),
    examples=(
        example(
            "two events in one second",
            profile(),
            rows=[
                event("9:00:00.000001", city="Rome"),
                event("9:00:00.000002", city="Oslo"),
            ],
            spine=spine_at("9:00", "9:00:00.000001", "9:00:00.000002"),
            answers=(None, "Rome", "Oslo"),
        ),
    ),
    refusals={
        "Times with nanoseconds": (
            "get_historical_features('profile'): 1 of 1 times in column 'event_timestamp' "
            "are finer than a microsecond. Round them down first: spine['event_timestamp'] = "
            "spine['event_timestamp'].dt.floor('us') in pandas."
        )
    },
)

NOTHING_THERE = Case(
    "Empty spine / empty view / missing view",
    slug="empty_or_missing",
    rule="empty result with full schema / nulls / error",
    text=(
        "An empty spine gives no rows, with all columns and types. A view without rows gives "
        "nulls, and counts of 0. A view that was never materialized is an error that names the "
        "command to run."
    ),
    examples=(
        example(
            "a view without rows",
            profile(),
            rows=[],
            spine=spine_at("10:00"),
            answers=(None,),
        ),
    ),
    pictured=False,
    refusals={
        "A view that is applied but was never materialized": (
            "get_historical_features('planned'): view 'planned' is applied but was never "
            "materialized. Run `featurestore materialize planned`."
        )
    },
)

NESTED = Case(
    "Lists",
    slug="nested_values",
    rule="carried by struct, not compared",
    text="A list, such as an embedding, comes back complete and unchanged from the winning row.",
    examples=(
        example(
            "Array(Float64)",
            profile(schema=(fs.Field("taste", fs.Array(fs.Float64)),)),
            rows=[
                event("9:00", taste=[0.5, None]),
                event("10:00", taste=[]),
                event("11:00", taste=None),
            ],
            spine=spine_at("9:30", "10:30", "11:30"),
            answers=([0.5, None], [], None),
        ),
    ),
)
