"""Cases of which row answers, and whether it still does."""

import featurestore as fs
from featurestore.store.columns import ROW_HASH
from tests.semantics.case import Case, ask, event, example, payments, profile, source

ROME, OSLO = event("9:00", city="Rome"), event("12:00", city="Oslo")

EQUAL_TIME = Case(
    "Equal time (event_ts == t)",
    slug="equal_time",
    rule="as-of of precomputed rows: INCLUDED",
    text="A row whose event is at exactly the moment that is asked for answers.",
    examples=(
        example(
            "a city as of three moments",
            profile(),
            rows=[ROME, OSLO],
            spine=ask("11:00", "12:00", "13:00"),
            answers=("Rome", "Oslo", "Oslo"),
        ),
    ),
)

TTL_BOUNDARY = Case(
    "TTL boundary (t-event_ts == ttl)",
    slug="ttl_boundary",
    rule="kept (inclusive), micros",
    text=(
        "A row that is exactly as old as the ttl still answers; one microsecond later it does "
        'not. `"0s"` asks for the exact moment only; no ttl means for ever.'
    ),
    examples=(
        example(
            'ttl="4h"',
            profile(ttl="4h"),
            rows=[ROME],
            spine=ask("13:00", "13:00:00.000001"),
            answers=("Rome", None),
        ),
        example(
            'ttl="0s"',
            profile(ttl="0s"),
            rows=[ROME],
            spine=ask("9:00", "10:00"),
            answers=("Rome", None),
        ),
    ),
)

TTL_EXPIRY = Case(
    "TTL expiry",
    slug="ttl_expiry",
    rule="spine row stays, features null; NEVER fall back to an older row",
    text=(
        "The newest row is chosen first, then its age is looked at. Where it is too old, or says "
        "null, the answer is null: no older row steps in, and the row that asked stays."
    ),
    examples=(
        example(
            'ttl="3h"',
            profile(ttl="3h"),
            rows=[event("9:00", city="Rome"), event("10:00", city=None)],
            spine=ask("9:30", "11:00", "13:30"),
            answers=("Rome", None, None),
        ),
        example(
            'ttl="2h", with a late row: its age counts from its event',
            profile(ttl="2h", rows=source(late=True)),
            rows=[event("9:00", city="Rome"), event("9:30", known="11:00", city="Oslo")],
            spine=ask("10:30", "11:00", "11:45"),
            answers=("Rome", "Oslo", None),
        ),
    ),
)

TIE = Case(
    "Tie on event_ts",
    slug="tie",
    rule="the rest of rank: available_ts, seq, row_hash",
    text=(
        "Of rows with the same event time, the one known last answers; then the one with the "
        "greater sequence number (`sequence_field`); then the one with the greater hash of its "
        "content, so that the answer never depends on files or their order."
    ),
    examples=(
        example(
            "the one known last",
            profile(rows=source(late=True)),
            rows=[
                event("9:00", known="11:00", city="Oslo"),
                event("9:00", known="10:00", city="Rome"),
            ],
            spine=ask("10:30", "11:30"),
            answers=("Rome", "Oslo"),
        ),
        example(
            'sequence_field="line"',
            profile(rows=source(line=True)),
            rows=[event("9:00", _seq=2, city="Oslo"), event("9:00", _seq=1, city="Rome")],
            spine=ask("10:00"),
            answers=("Oslo",),
        ),
        example(
            "nothing else to tell them apart",
            profile(),
            rows=[
                event("9:00", city="Oslo") | {ROW_HASH: 2},
                event("9:00", city="Rome") | {ROW_HASH: -1},
            ],
            spine=ask("10:00"),
            answers=("Oslo",),
        ),
    ),
)

NULL_AVAILABLE = Case(
    "Null available_ts",
    slug="null_available",
    rule="visible at event_ts + available_delay; sorts lowest; never drops the row",
    text=(
        "A row without an available time is known from its event on, later by the view's "
        "`available_delay`. Among rows of one event time it comes last."
    ),
    examples=(
        example(
            'available_delay="1h"; no available time',
            profile(rows=source(late=True), available_delay="1h"),
            rows=[event("9:00", known=None, city="Rome")],
            spine=ask("9:30", "10:00"),
            answers=(None, "Rome"),
        ),
        example(
            "Rome has no available time, Oslo has one",
            profile(rows=source(late=True)),
            rows=[event("9:00", known=None, city="Rome"), event("9:00", city="Oslo")],
            spine=ask("10:00"),
            answers=("Oslo",),
        ),
    ),
)

NULL_VALUE = Case(
    "Null feature value",
    slug="null_value",
    rule="the row wins and its null is returned",
    text=(
        "The newest row answers as a whole, its nulls included. An answer is never put together "
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
            spine=ask("10:00", "12:00"),
            answers={"city": ("Rome", None), "plan": ("gold", "basic")},
        ),
    ),
)

LATE = Case(
    "Late arrival / availability",
    slug="late_arrival",
    rule="visible iff visible_ts <= t; the newest EVENT among visible wins",
    text=(
        "A row answers only from the moment it was known (`available_timestamp_field`). Among "
        "the rows that are known, the newest event answers: a late row about an older event "
        "never replaces a newer one."
    ),
    examples=(
        example(
            "the newer event comes late",
            profile(rows=source(late=True)),
            rows=[event("9:00", city="Rome"), event("10:00", known="12:00", city="Oslo")],
            spine=ask("11:00", "12:00"),
            answers=("Rome", "Oslo"),
        ),
        example(
            "the older event comes late",
            profile(rows=source(late=True)),
            rows=[event("9:00", known="13:00", city="Rome"), event("11:00", city="Oslo")],
            spine=ask("10:00", "12:00", "14:00"),
            answers=(None, "Oslo", "Oslo"),
        ),
    ),
)

CORRECTION = Case(
    "Backfill or correction",
    slug="correction",
    rule="old training set reproducible by pinned Delta versions",
    text=(
        "With `unique_by` a correction is a revision: before it was known the old value answers, "
        "afterwards the new one. Where rows tell no available time, a correction or a backfill "
        "changes the past; each result says which Delta versions it was read from (`versions`)."
    ),
    examples=(
        example(
            'unique_by=("change",): both rows are change 1',
            profile(rows=source(late=True, revised=True)),
            rows=[
                event("9:00", change=1, city="Rome"),
                event("9:00", known="12:00", change=1, city="Oslo"),
            ],
            spine=ask("11:00", "12:00"),
            answers=("Rome", "Oslo"),
        ),
        example(
            "change_feed=True: change 1 is updated in place at 12:00, a row out and a row in",
            profile(rows=source(feed=True)),
            rows=[
                event("9:00", known=None, change=1, city="Rome", _seq=7, _deleted=False),
                event("9:00", known="12:00", change=1, city="Rome", _seq=8, _deleted=True),
                event("9:00", known="12:00", change=1, city="Oslo", _seq=9, _deleted=False),
            ],
            spine=ask("11:00", "12:00"),
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
                event("9:00", known="12:00", change=1, amount=3.0),
            ],
            spine=ask("11:00", "13:00"),
            answers=(12.0, 10.0),
        ),
    ),
)

FUTURE = Case(
    "Future rows",
    slug="future_rows",
    rule="stored, never matched before their time, never widen pruning",
    text="A row about the future is stored and answers nobody before its time.",
    examples=(
        example(
            "a move that is entered in advance",
            profile(),
            rows=[event("9:00", city="Rome"), event("18:00", city="Oslo")],
            spine=ask("10:00", "17:59", "18:00"),
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
        "A tombstone (`deleted_field`) answers null until a newer row comes; windows neither "
        "count it nor lose an earlier event by it. With `unique_by` it takes back its own event "
        "as if that had never been, and the next older event answers. A change feed takes back "
        "by itself what is deleted, or moved to another key."
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
            spine=ask("10:00", "12:00", "14:00"),
            answers=("Rome", None, "Oslo"),
        ),
        example(
            "the same with unique_by: change 2 is taken back at 12:00",
            profile(rows=source(late=True, deleted=True, revised=True)),
            rows=[
                event("9:00", change=1, city="Rome", _deleted=False),
                event("10:00", change=2, city="Oslo", _deleted=False),
                event("10:00", known="12:00", change=2, city="Oslo", _deleted=True),
            ],
            spine=ask("11:00", "13:00"),
            answers=("Oslo", "Rome"),
        ),
        example(
            "change_feed=True: change 1 is moved to card B at 12:00",
            profile(rows=source(feed=True)),
            rows=[
                event("9:00", known=None, change=1, city="Rome", _seq=7, _deleted=False),
                event("9:00", known="12:00", change=1, city="Rome", _seq=8, _deleted=True),
                event(
                    "9:00", known="12:00", card="B", change=1, city="Rome", _seq=9, _deleted=False
                ),
            ],
            spine=ask("11:00", "13:00") + ask("11:00", "13:00", card="B"),
            answers=("Rome", None, None, "Rome"),
        ),
        example(
            "a count over 6 hours, without unique_by",
            payments(fs.Aggregation("*", "count", windows=("6h",)), rows=source(deleted=True)),
            rows=[
                event("9:00", amount=5.0, _deleted=False),
                event("11:00", amount=None, _deleted=True),
            ],
            spine=ask("10:00", "12:00"),
            answers=(1, 1),
        ),
    ),
)

LABEL_LEAKAGE = Case(
    "Label leakage by label source",
    slug="label_leakage",
    rule=(
        "`strictly_before()`; windows are strict already; `verify --leakage` names views whose "
        "winner is at exactly t"
    ),
    text=(
        "A view may hold the very event whose outcome is to be predicted. "
        "`view.strictly_before()` in a service leaves out what happens at exactly the moment "
        "that is asked for. Windows do so by themselves."
    ),
    examples=(
        example(
            "profile.strictly_before()",
            profile().strictly_before(),
            rows=[ROME, OSLO],
            spine=ask("12:00", "12:00:00.000001"),
            answers=("Rome", "Oslo"),
        ),
    ),
)

LATEST_TTL = Case(
    "Offline vs online TTL",
    slug="latest_ttl",
    rule="same rule both sides",
    text=(
        "`get_latest_features` at some moment gives what `get_historical_features` gives for that "
        "moment, the ttl and every other rule included."
    ),
    examples=(
        example(
            'ttl="3h", asked now, at three moments',
            profile(ttl="3h"),
            rows=[ROME],
            spine=ask("11:00", "12:00", "14:00"),
            answers=("Rome", "Rome", None),
        ),
    ),
)
