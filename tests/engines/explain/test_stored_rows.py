"""All stored rows of a key are read, and sampled keys are stored ones."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import Int64, String
from featurestore.engines.explain import stored_rows
from featurestore.engines.explain.stored_rows import rows_of_keys, sample_keys
from featurestore.query.nodes import KeyBinding, ViewQuery
from featurestore.store.delta.snapshot import Snapshot
from tests.tables import feature_table, write_runs

BY_ID = ViewQuery("v", keys=(KeyBinding("id", "card", Int64),), timestamp_field="t")
BY_PAIR = ViewQuery(
    "v", keys=(KeyBinding("a", "a", Int64), KeyBinding("b", "b", String)), timestamp_field="t"
)
NO_KEYS = ViewQuery("v", keys=(), timestamp_field="t")


@pytest.mark.parametrize("rows_per_read", [1, 1_000_000])
def test_a_key_s_rows_are_exactly_the_stored_rows_with_it(tmp_path, monkeypatch, rows_per_read):
    monkeypatch.setattr(stored_rows, "MAX_ROWS_PER_READ", rows_per_read)
    runs = [feature_table({"id": [1, 2, 3, 2]}, [1, 2, 3, n], {"x": [n, n, n, n]}) for n in (5, 6)]
    snapshot = write_runs(tmp_path, runs, row_group=2)

    rows = dict(rows_of_keys(BY_ID, snapshot, [(2,), (7,), (None,), (3,)], most=3))

    assert rows[(2,)] is None
    assert [row["event_timestamp"] for row in rows[(3,)]] == [3, 3]
    assert rows[(7,)] == rows[(None,)] == []


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Snapshot:
    """The keys 0 to 5, each with the texts a, b and c, and two rows for each pair."""
    stored = [(number, text) for number in range(6) for text in "abc" for _ in range(2)]
    keys = {"a": [pair[0] for pair in stored], "b": [pair[1] for pair in stored]}
    table = feature_table(keys, range(len(stored)), {"x": range(len(stored))})
    return write_runs(tmp_path_factory.mktemp("pairs") / "table", [table], 4)


@given(st.sets(st.tuples(st.integers(-1, 6), st.sampled_from("abcd")), max_size=8))
def test_the_parts_of_different_keys_are_not_mixed(pairs, keys):
    rows = dict(rows_of_keys(BY_PAIR, pairs, sorted(keys)))

    assert rows.keys() == keys
    for key, found in rows.items():
        is_stored = 0 <= key[0] < 6 and key[1] != "d"
        assert [(row["a"], row["b"]) for row in found] == [key] * (2 if is_stored else 0)


def test_a_view_without_keys_has_all_rows_unless_these_are_too_many(tmp_path):
    snapshot = write_runs(tmp_path, [feature_table({}, [4, 5], {"x": [1.0, 2.0]})])

    [(key, rows)] = rows_of_keys(NO_KEYS, snapshot, [()], most=2)
    skipped = dict(rows_of_keys(NO_KEYS, snapshot, [()], most=1))

    assert (key, [row["event_timestamp"] for row in rows]) == ((), [4, 5])
    assert skipped == {(): None}


def test_sampled_keys_are_stored_and_come_with_the_time_of_an_event(tmp_path):
    ids = list(range(40))
    table = feature_table({"id": ids}, [number * 1_000 for number in ids], {"x": ids})
    snapshot = write_runs(tmp_path, [table], row_group=7)

    keys = sample_keys(BY_ID, snapshot, 12, Random(0))

    assert len(keys) == 12
    assert {key[0] for key in keys} <= set(ids)
    assert all(event == key[0] * 1_000 for key, event in keys.items())


@pytest.mark.parametrize("seed", range(5))
def test_the_first_and_the_last_row_of_a_row_group_are_sampled(tmp_path, seed):
    ids = list(range(40))
    snapshot = write_runs(tmp_path, [feature_table({"id": ids}, ids, {"x": ids})], row_group=100)

    keys = sample_keys(BY_ID, snapshot, 2, Random(seed))

    assert set(keys) == {(0,), (39,)}
