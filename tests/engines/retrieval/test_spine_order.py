"""A sorted spine holds the complete rows in the order of (keys, t), and the runs of first keys."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import Int64, String
from featurestore.engines.retrieval.spine_order import (
    order_of,
    rows_with_first_keys,
    sort_spine,
)
from featurestore.query.nodes import KeyBinding, ViewQuery
from featurestore.store.columns import UTC_MICROS

CARDS = KeyBinding("id", "card", Int64)
CITIES = KeyBinding("city", "town", String)
SPINE = st.lists(
    st.tuples(
        st.none() | st.integers(-2, 2),
        st.none() | st.sampled_from(["", "a", "ab", "é", "𝄞"]),
        st.none() | st.integers(-3, 3),
    ),
    max_size=30,
)


def table_of(rows: list[tuple]) -> pa.Table:
    cards, towns, times = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {
            "card": pa.array(cards, pa.int64()),
            "town": pa.array(towns, pa.string()),
            "at": pa.array(times, UTC_MICROS),
        }
    )


def bytes_of(value: object) -> object:
    return value.encode() if isinstance(value, str) else value


@pytest.mark.parametrize("keys", [(CARDS, CITIES), (CITIES, CARDS), (CITIES,), ()])
@given(rows=SPINE)
def test_complete_rows_come_in_the_order_of_keys_and_times(keys, rows) -> None:
    query = ViewQuery("v", keys=keys, timestamp_field="at")
    parts = [{"card": 0, "town": 1}[key.spine_column] for key in keys] + [2]
    values = [tuple(row[part] for part in parts) for row in rows]

    spine = sort_spine(query, table_of(rows))

    complete = [number for number, value in enumerate(values) if None not in value]
    assert sorted(spine.positions.tolist()) == complete
    in_order = [values[position] for position in spine.positions]
    assert in_order == sorted(in_order, key=lambda value: tuple(map(bytes_of, value)))
    assert spine.times.tolist() == [value[-1] for value in in_order]
    for key, part in zip(keys, zip(*in_order, strict=True), strict=False):
        assert spine.rows[key.spine_column].to_pylist() == list(part)


@given(rows=SPINE, data=st.data())
def test_a_range_of_first_keys_is_a_slice_of_the_sorted_spine(rows, data) -> None:
    query = ViewQuery("v", keys=(CITIES, CARDS), timestamp_field="at")
    spine = sort_spine(query, table_of(rows))
    keys = spine.first_keys.to_pylist()
    low = data.draw(st.integers(0, len(keys)))
    high = data.draw(st.integers(low, len(keys)))

    narrowed = rows_with_first_keys(spine, "town", low, high)

    towns = spine.rows["town"].to_pylist()
    assert keys == sorted(set(towns), key=bytes_of)
    assert narrowed["town"].to_pylist() == [town for town in towns if town in keys[low:high]]
    assert (
        narrowed["card"].to_pylist()
        == spine.rows["card"][spine.rows_between(low, high)].to_pylist()
    )
    for chunk in narrowed["town"].chunks:
        assert chunk.dictionary.to_pylist() == keys[low:high]


def test_views_share_an_order_if_their_key_columns_and_time_column_are_the_same() -> None:
    view = ViewQuery("v", keys=(CARDS,), timestamp_field="at")
    renamed = ViewQuery("w", keys=(KeyBinding("other", "card", Int64),), timestamp_field="at")
    later = ViewQuery("v", keys=(CARDS,), timestamp_field="paid_at")
    payer = ViewQuery("v", keys=(KeyBinding("id", "payer", Int64),), timestamp_field="at")

    assert order_of(view) == order_of(renamed)
    assert order_of(view) not in (order_of(later), order_of(payer))
