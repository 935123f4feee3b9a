"""Cases of the as-of rule: the winning row, and its ttl."""

import featurestore as fs
from featurestore.store.columns import ROW_HASH
from tests.semantics.case import Case, event, example, payments, profile, source, spine_at

ROME, OSLO = event("9:00", city="Rome"), event("12:00", city="Oslo")

EQUAL_TIME = Case(
    "Equal time: an event at exactly the moment",
    slug="equal_time",
    rule="as-of of precomputed rows: INCLUDED",
    text="An event at exactly the moment of the spine row is included: it can be the answer.",
    examples=(
        example(
            "the city at three moments",
            profile(),
            rows=[ROME, OSLO],
            spine=spine_at("11:00", "12:00", "13:00"),
            answers=("Rome", "Oslo", "Oslo"),
        ),
    ),
)

TTL_BOUNDARY = Case(
    "The edge of the ttl",
    slug="ttl_boundary",
    rule="kept (inclusive), micros",
    text=(
        "A row that is exactly as old as the ttl is still accepted. One microsecond later it is "
        'not. `"0s"` accepts only an event at exactly the moment. Without a ttl there is no '
        "limit."
    ),
    examples=(
        example(
            'ttl="4h"',
            profile(ttl="4h"),
            rows=[ROME],
            spine=spine_at("13:00", "13:00:00.000001"),
            answers=("Rome", None),
        ),
        example(
            'ttl="0s"',
            profile(ttl="0s"),
            rows=[ROME],
            spine=spine_at("9:00", "10:00"),
            answers=("Rome", None),
        ),
    ),
)

TTL_EXPIRY = Case(
    "Older than the ttl",
    slug="ttl_expiry",
    rule="spine row stays, features null; NEVER fall back to an older row",
    text=(
        "The newest row is selected first, and then its age is checked. If it is too old, or if "
        "its value is null, the answer is null. An older row is never used instead. The spine "
        "row stays in the result."
    ),
    examples=(
        example(
            'ttl="3h"',
            profile(ttl="3h"),
            rows=[event("9:00", city="Rome"), event("10:00", city=None)],
            spine=spine_at("9:30", "11:00", "13:30"),
            answers=("Rome", None, None),
        ),
        example(
            'ttl="2h", with a late row: its age counts from its event',
            profile(ttl="2h", rows=source(late=True)),
            rows=[event("9:00", city="Rome"), event("9:30", available="11:00", city="Oslo")],
            spine=spine_at("10:30", "11:00", "11:45"),
            answers=("Rome", "Oslo", None),
        ),
    ),
)

TIE = Case(
    "Equal event times",
    slug="tie",
    rule="the rest of rank: available_ts, seq, row_hash",
    text=(
        "If several rows have the same event time, the one with the latest available time wins. "
        "If these are equal too, the one with the greatest sequence number (`sequence_field`) "
        "wins, and then the one with the greatest hash of its content. So the answer never "
        "depends on files or their order."
    ),
    examples=(
        example(
            "different available times",
            profile(rows=source(late=True)),
            rows=[
                event("9:00", available="11:00", city="Oslo"),
                event("9:00", available="10:00", city="Rome"),
            ],
            spine=spine_at("10:30", "11:30"),
            answers=("Rome", "Oslo"),
        ),
        example(
            'sequence_field="line"',
            profile(rows=source(line=True)),
            rows=[event("9:00", _seq=2, city="Oslo"), event("9:00", _seq=1, city="Rome")],
            spine=spine_at("10:00"),
            answers=("Oslo",),
        ),
        example(
            "only the hash differs",
            profile(),
            rows=[
                event("9:00", city="Oslo") | {ROW_HASH: 2},
                event("9:00", city="Rome") | {ROW_HASH: -1},
            ],
            spine=spine_at("10:00"),
            answers=("Oslo",),
        ),
    ),
)

NULL_AVAILABLE = Case(
    "Null available time",
    slug="null_available",
    rule="visible at event_ts + available_delay; sorts lowest; never drops the row",
    text=(
        "A row without an available time is visible from its event time plus the view's "
        "`available_delay`. In the rank its available time stays null. So among rows of the "
        "same event time it has the lowest rank."
    ),
    examples=(
        example(
            'available_delay="1h"; no available time',
            profile(rows=source(late=True), available_delay="1h"),
            rows=[event("9:00", available=None, city="Rome")],
            spine=spine_at("9:30", "10:00"),
            answers=(None, "Rome"),
        ),
        example(
            "Rome has no available time, Oslo has one",
            profile(rows=source(late=True)),
            rows=[event("9:00", available=None, city="Rome"), event("9:00", city="Oslo")],
            spine=spine_at("10:00"),
            answers=("Oslo",),
        ),
    ),
)

NULL_VALUE = Case(
    "Null feature value",
    slug="null_value",
    rule="the row wins and its null is returned",
    text=(
        "The newest row is the answer as a whole, with its nulls. An answer is never combined "
        "from several rows."
    ),
    examples=(
        example(
            "two features of one view",
            profile(schema=(fs.Field("city", fs.String), fs.Field("plan", fs.String))),
            rows=[
                event("9:00", city="Rome", plan="gold"),
                event("11:00", city=None, plan="basic"),
            ],
            spine=spine_at("10:00", "12:00"),
            answers={"city": ("Rome", None), "plan": ("gold", "basic")},
        ),
    ),
)

LATE = Case(
    "Late arrival / availability",
    slug="late_arrival",
    rule="visible iff visible_ts <= t; the newest EVENT among visible wins",
    text=(
        "A row is used only when it is visible, that is from its available time on "
        "(`available_timestamp_field`). Of the visible rows the one with the newest event wins. "
        "So a late row about an older event never replaces a newer event."
    ),
    examples=(
        example(
            "the newer event is late",
            profile(rows=source(late=True)),
            rows=[event("9:00", city="Rome"), event("10:00", available="12:00", city="Oslo")],
            spine=spine_at("11:00", "12:00"),
            answers=("Rome", "Oslo"),
        ),
        example(
            "the older event is late",
            profile(rows=source(late=True)),
            rows=[event("9:00", available="13:00", city="Rome"), event("11:00", city="Oslo")],
            spine=spine_at("10:00", "12:00", "14:00"),
            answers=(None, "Oslo", "Oslo"),
        ),
    ),
)

CORRECTION = Case(
    "Backfill or correction",
    slug="correction",
    rule="old training set reproducible by pinned Delta versions",
    text=(
        "With `unique_by` a correction is a revision. Before it is visible, the old value is the "
        "answer; from then on, the new value. If rows have no available time, a correction or a "
        "backfill changes answers for past moments. Each result names the Delta versions that it "
        "was read from (`versions`)."
    ),
    examples=(
        example(
            'unique_by=("change",): both rows are change 1',
            profile(rows=source(late=True, revised=True)),
            rows=[
                event("9:00", change=1, city="Rome"),
                event("9:00", available="12:00", change=1, city="Oslo"),
            ],
            spine=spine_at("11:00", "12:00"),
            answers=("Rome", "Oslo"),
        ),
        example(
            "change_feed=True: change 1 is updated in place at 12:00, as a delete and an insert",
            profile(rows=source(feed=True)),
            rows=[
                event("9:00", available=None, change=1, city="Rome", _seq=7, _deleted=False),
                event("9:00", available="12:00", change=1, city="Rome", _seq=8, _deleted=True),
                event("9:00", available="12:00", change=1, city="Oslo", _seq=9, _deleted=False),
            ],
            spine=spine_at("11:00", "12:00"),
            answers=("Rome", "Oslo"),
        ),
        example(
            "a sum over 6 hours: the amount 5 is corrected to 3",
            payments(
                fs.Aggregation("amount", "sum", windows=("6h",)),
                rows=source(late=True, revised=True),
            ),
            rows=[
                event("9:00", change=1, amount=5.0),
                event("10:00", change=2, amount=7.0),
                event("9:00", available="12:00", change=1, amount=3.0),
            ],
            spine=spine_at("11:00", "13:00"),
            answers=(12.0, 10.0),
        ),
    ),
)

FUTURE = Case(
    "Future rows",
    slug="future_rows",
    rule="stored, never matched before their time, never widen pruning",
    text="A row with a future event time is stored. It is never used before that time.",
    examples=(
        example(
            "a move entered in advance",
            profile(),
            rows=[event("9:00", city="Rome"), event("18:00", city="Oslo")],
            spine=spine_at("10:00", "17:59", "18:00"),
            answers=("Rome", "Rome", "Oslo"),
        ),
    ),
)

TOMBSTONE = Case(
    "Tombstone",
    slug="tombstone",
    rule=(
        "as above: the winner is chosen first, then null; with `unique_by` the event is "
        "retracted; a re-created key is a newer row"
    ),
    text=(
        "Without `unique_by`, the answer after a tombstone (`deleted_field`) is null until a "
        "newer row comes. Windows do not count the tombstone, and they keep all earlier events. "
        "With `unique_by` a tombstone retracts its own event: from the moment when the tombstone "
        "is visible, the event no longer exists, and the next older event is the answer. Answers "
        "for earlier moments stay. A change feed retracts rows that are deleted, or moved to "
        "another key, by itself."
    ),
    examples=(
        example(
            'deleted_field="deleted"',
            profile(rows=source(deleted=True)),
            rows=[
                event("9:00", city="Rome", _deleted=False),
                event("11:00", city=None, _deleted=True),
                event("13:00", city="Oslo", _deleted=False),
            ],
            spine=spine_at("10:00", "12:00", "14:00"),
            answers=("Rome", None, "Oslo"),
        ),
        example(
            "the same with unique_by: change 2 is retracted at 12:00",
            profile(rows=source(late=True, deleted=True, revised=True)),
            rows=[
                event("9:00", change=1, city="Rome", _deleted=False),
                event("10:00", change=2, city="Oslo", _deleted=False),
                event("10:00", available="12:00", change=2, city="Oslo", _deleted=True),
            ],
            spine=spine_at("11:00", "13:00"),
            answers=("Oslo", "Rome"),
        ),
        example(
            "change_feed=True: change 1 is moved to card B at 12:00",
            profile(rows=source(feed=True)),
            rows=[
                event("9:00", available=None, change=1, city="Rome", _seq=7, _deleted=False),
                event("9:00", available="12:00", change=1, city="Rome", _seq=8, _deleted=True),
                event(
                    "9:00",
                    available="12:00",
                    card="B",
                    change=1,
                    city="Rome",
                    _seq=9,
                    _deleted=False,
                ),
            ],
            spine=spine_at("11:00", "13:00") + spine_at("11:00", "13:00", card="B"),
            answers=("Rome", None, None, "Rome"),
        ),
        example(
            "a count over 6 hours, without unique_by",
            payments(fs.Aggregation("*", "count", windows=("6h",)), rows=source(deleted=True)),
            rows=[
                event("9:00", amount=5.0, _deleted=False),
                event("11:00", amount=None, _deleted=True),
            ],
            spine=spine_at("10:00", "12:00"),
            answers=(1, 1),
        ),
    ),
)

LABEL_LEAKAGE = Case(
    "Leak of the label",
    slug="label_leakage",
    rule=(
        "`strictly_before()`; windows are strict already; `verify --leakage` names views whose "
        "winner is at exactly t"
    ),
    text=(
        "A view may hold the very event whose result is to be predicted. "
        "`view.strictly_before()` in a service excludes events at exactly the moment. Windows "
        "exclude them by default."
    ),
    examples=(
        example(
            "profile.strictly_before()",
            profile().strictly_before(),
            rows=[ROME, OSLO],
            spine=spine_at("12:00", "12:00:00.000001"),
            answers=("Rome", "Oslo"),
        ),
    ),
)

LATEST_TTL = Case(
    "Latest values and the ttl",
    slug="latest_ttl",
    rule="same rule both sides",
    text=(
        "If now is the moment t, `get_latest_features` gives exactly what "
        "`get_historical_features` gives for t. The ttl and all other rules are the same."
    ),
    examples=(
        example(
            'ttl="3h", latest values, if now is 11:00, 12:00 or 14:00',
            profile(ttl="3h"),
            rows=[ROME],
            spine=spine_at("11:00", "12:00", "14:00"),
            answers=("Rome", "Rome", None),
        ),
    ),
)
