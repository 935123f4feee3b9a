"""Hot keys in buckets: where a key is divided, and which bucket a row is in."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import Date, Int32, String
from featurestore.engines.spark.retrieve.exchange.buckets import (
    MOST_BUCKETS,
    HotKey,
    Times,
    bucket_numbers,
    choose_edges,
)
from featurestore.engines.spark.retrieve.exchange.key_sets import key_sets
from featurestore.query.nodes import KeyBinding, ViewQuery

EVENLY = tuple(range(0, 1280, 10))
KEYS = (KeyBinding("id", "card", Int32), KeyBinding("day", "day", Date))
[CARD_AND_DAY] = key_sets([ViewQuery("v", keys=KEYS, timestamp_field="t")])
[WITHOUT_KEYS] = key_sets([ViewQuery("v", keys=(), timestamp_field="t")])
DAY = date(2026, 3, 1)


def test_a_key_with_few_rows_stays_whole():
    assert choose_edges(Times(100, EVENLY), [], 100) == ()


def test_the_rows_of_a_key_are_divided_evenly():
    edges = choose_edges(Times(1000, EVENLY), [(Times(3000, EVENLY), 0)], 1000)

    assert edges == (320, 640, 960)


def test_a_moment_that_many_rows_share_is_divided_too():
    now = choose_edges(Times(1000, (70,) * 128), [(Times(10, EVENLY), None)], 250)

    assert now == (70,) * 4  # 1,010 rows in buckets of about 250


def test_stored_rows_of_one_time_are_not_divided_as_copies_would_cost_more():
    assert choose_edges(Times(10, (70,)), [(Times(1000, (70,) * 128), 0)], 250) == (70,)


def test_windows_of_a_lifetime_are_divided_into_few_buckets():
    edges = choose_edges(Times(1, EVENLY), [(Times(10_000, EVENLY), None)], 100)

    assert 1 <= len(edges) <= 2


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=8),
    st.lists(st.integers(-50, 50), min_size=1, max_size=8),
    st.sampled_from([0, 5, None]),
    st.integers(1, 50),
)
def test_a_division_sends_at_most_twice_the_rows(spine, stored, reach, rows_per_bucket):
    moments = Times(70, tuple(sorted(spine)))
    events = Times(90, tuple(sorted(stored)))

    edges = choose_edges(moments, [(events, reach)], rows_per_bucket)

    assert list(edges) == sorted(edges)
    assert len(edges) < MOST_BUCKETS
    key = HotKey((), edges, {})
    assert moments.rows + sum(copies(key, e, reach) * 90 / len(stored) for e in stored) <= 320


def copies(key: HotKey, event: int, reach: int | None) -> int:
    """Return to how many buckets an event goes: those that may hold a moment that it reaches."""
    starts = [-(10**9), *key.edges]
    last = 10**9 if reach is None else event + reach
    stops = [next((each for each in starts[n:] if each > start), 10**9 + 1)
             for n, start in enumerate(starts)]  # fmt: skip
    return sum(start <= last and stop > event for start, stop in zip(starts, stops, strict=True))


def test_rows_of_hot_keys_are_in_the_bucket_of_their_moment_and_others_in_bucket_0():
    hot = [HotKey((7, DAY), (10, 20), {}), HotKey((9, DAY), (15,), {})]
    rows = pa.table(
        {
            "card": [7, 7, 7, 9, 9, 8, 7],
            "day": [DAY, DAY, DAY, DAY, DAY, DAY, date(2026, 3, 2)],
            "t": pa.array([9, 10, 25, 14, None, 10, 25], pa.timestamp("us", "UTC")),
        }
    )

    assert bucket_numbers(CARD_AND_DAY, hot, rows, rows).tolist() == [1, 2, 3, 1, 1, 0, 0]


def test_null_keys_go_to_many_tasks():
    rows = pa.table(
        {
            "card": pa.array([None] * 300, pa.int64()),
            "day": pa.array([DAY] * 300),
            "t": pa.array([1] * 300, pa.timestamp("us", "UTC")),
        }
    )

    numbers = bucket_numbers(CARD_AND_DAY, [], rows, numbered(rows))

    assert -MOST_BUCKETS <= numbers.min() <= numbers.max() < 0
    assert len(np.unique(numbers)) > 100


def test_rows_of_a_shared_moment_are_spread_over_its_buckets():
    rows = pa.table({"t": pa.array([5, *[70] * 40, 90], pa.timestamp("us", "UTC"))})

    numbers = bucket_numbers(WITHOUT_KEYS, [HotKey((), (70, 70, 90), {})], rows, numbered(rows))

    assert numbers.tolist()[0] == 1
    assert set(numbers.tolist()[1:-1]) == {2, 3}
    assert numbers.tolist()[-1] == 4


@given(st.permutations(range(60)), st.integers(0, 60))
def test_a_row_is_in_the_same_bucket_in_whichever_order_spark_sends_the_rows(order, cut):
    """Texts, numbers and times with nulls: a null in a batch must not change the other rows."""
    rows, hot = pa.table(columns()), [HotKey((7, DAY), (70, 70, 70), {})]
    expected = bucket_numbers(CARD_AND_DAY, hot, rows, rows)

    sent = rows.take(pa.array(order))
    parts = [sent.slice(0, cut), sent.slice(cut)]
    found = [bucket_numbers(CARD_AND_DAY, hot, part, part) for part in parts]

    assert np.concatenate(found).tolist() == expected[list(order)].tolist()
    assert len(np.unique(expected)) > 10


def columns() -> dict[str, pa.Array]:
    """Return rows of a hot key at one moment, and rows with a null key."""
    numbers = range(60)
    return {
        "card": pa.array([None if n % 2 else 7 for n in numbers], pa.int64()),
        "day": pa.array([DAY] * 60),
        "t": pa.array([70] * 60, pa.timestamp("us", "UTC")),
        "note": pa.array([None if n % 7 == 0 else f"é{n}" for n in numbers]),
        "size": pa.array([None if n % 5 == 0 else n for n in numbers], pa.int32()),
        "seen": pa.array([None if n % 3 == 0 else n for n in numbers], pa.timestamp("us")),
        "price": pa.array([n / 7 for n in numbers]),
        "flags": pa.array([[n % 2 == 0] for n in numbers]),
    }


def numbered(rows: pa.Table) -> pa.Table:
    """Return rows with a column in which no two are equal."""
    return rows.append_column("number", pa.array(range(rows.num_rows)))


@pytest.mark.parametrize("text", ["", "é"])
def test_text_keys_are_found_among_other_texts(text):
    [key_set] = key_sets(
        [ViewQuery("v", keys=(KeyBinding("a", "a", String),), timestamp_field="t")]
    )
    rows = pa.table({"a": ["z", text, "b"], "t": pa.array([1, 2, 3], pa.timestamp("us", "UTC"))})

    assert bucket_numbers(key_set, [HotKey((text,), (2,), {})], rows, rows).tolist() == [0, 2, 0]
