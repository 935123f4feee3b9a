"""Chunks divide the spine among them, and end where a file begins if one is near."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import Int64, String
from featurestore.engines.retrieval.chunks import halve, split_into_chunks
from featurestore.engines.retrieval.spine_order import sort_spine
from featurestore.query.nodes import KeyBinding, ViewQuery
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta.snapshot import Snapshot
from tests.tables import feature_table, write_runs

QUERY = ViewQuery("v", keys=(KeyBinding("id", "id", Int64),), timestamp_field="at")


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory) -> Snapshot:
    """Files of the keys 0 to 39 and 40 to 99, ten rows a key."""
    folder: Path = tmp_path_factory.mktemp("chunks") / "table"
    return write_runs(folder, [rows(range(40)), rows(range(40, 100))])


def rows(ids: range) -> pa.Table:
    keys = [key for key in ids for _ in range(10)]
    return feature_table({"id": keys}, range(len(keys)), {"x": [0.0] * len(keys)})


def spine(ids: list[int | None]) -> pa.Table:
    return pa.table({"id": pa.array(ids, pa.int64()), "at": pa.array([5] * len(ids), UTC_MICROS)})


@given(ids=st.lists(st.none() | st.integers(-5, 105), max_size=60), size=st.integers(1, 2000))
def test_every_row_with_a_key_is_in_one_chunk_that_reads_its_key(snapshot, ids, size) -> None:
    chunks = split_into_chunks(QUERY, sort_spine(QUERY, spine(ids)), snapshot, size)

    positions = [position for chunk in chunks for position in chunk.positions.tolist()]
    assert sorted(positions) == [number for number, key in enumerate(ids) if key is not None]
    for chunk in chunks:
        keys = [ids[position] for position in chunk.positions]
        assert chunk.spine["id"].to_pylist() == keys == sorted(keys)
        assert chunk.keys.to_pylist() == sorted(set(keys))
        assert (chunk.bounds.key_low, chunk.bounds.key_high) == (keys[0], keys[-1])


def test_an_edge_is_moved_to_the_start_of_a_file_if_one_is_near(snapshot) -> None:
    in_order = sort_spine(QUERY, spine(list(range(100))))

    halves = split_into_chunks(QUERY, in_order, snapshot, 500)
    quarters = split_into_chunks(QUERY, in_order, snapshot, 250)

    assert [chunk.keys[0].as_py() for chunk in halves] == [0, 40]
    assert [chunk.keys[0].as_py() for chunk in quarters] == [0, 25, 40, 75]


def test_a_spine_far_larger_than_the_table_is_divided_too(snapshot) -> None:
    in_order = sort_spine(QUERY, spine([key for key in range(10) for _ in range(400)]))

    chunks = split_into_chunks(QUERY, in_order, snapshot, 1000)

    assert [len(chunk.positions) for chunk in chunks] == [800, 1200, 800, 1200]


def test_few_spine_rows_are_answered_in_two_parts_however_large_the_table(snapshot) -> None:
    in_order = sort_spine(QUERY, spine([10, 60, 90]))
    large = replace(snapshot, files=ten_times(snapshot))

    assert len(split_into_chunks(QUERY, in_order, snapshot, 100)) == 3
    assert len(split_into_chunks(QUERY, in_order, large, 400)) == 2


def ten_times(snapshot: Snapshot) -> pa.Table:
    """Return the files of a log that lists ten times as many rows in each."""
    column = snapshot.files.column_names.index("num_records")
    counts = pc.multiply(snapshot.files["num_records"], 10)
    return snapshot.files.set_column(column, "num_records", counts)


def test_the_dictionary_of_text_keys_holds_the_chunk_s_own_keys(tmp_path) -> None:
    query = ViewQuery("v", keys=(KeyBinding("id", "id", String),), timestamp_field="at")
    table = feature_table({"id": ["a", "b", "c", "d"]}, range(4), {"x": [0.0] * 4})
    rows = pa.table({"id": ["d", "a", "c", "a"], "at": pa.array([5] * 4, UTC_MICROS)})
    snapshot = write_runs(tmp_path, [table])

    chunks = split_into_chunks(query, sort_spine(query, rows), snapshot, 2)

    keys = [chunk.spine["id"].chunk(0).dictionary.to_pylist() for chunk in chunks]
    assert keys == [["a"], ["c", "d"]]
    assert [chunk.spine["id"].to_pylist() for chunk in chunks] == [["a", "a"], ["c", "d"]]


def test_a_spine_of_null_keys_needs_no_chunk(snapshot) -> None:
    assert split_into_chunks(QUERY, sort_spine(QUERY, spine([None])), snapshot, 10) == []


@given(ids=st.lists(st.integers(-5, 105), min_size=2, max_size=60))
def test_the_halves_of_a_chunk_are_chunks_that_divide_its_keys(snapshot, ids) -> None:
    in_order = sort_spine(QUERY, spine(ids))
    [whole] = split_into_chunks(QUERY, in_order, snapshot, 10_000)

    halves = halve(QUERY, in_order, whole) or [whole]
    quarters = [part for half in halves for part in halve(QUERY, in_order, half) or [half]]

    assert len(quarters) == min(4, len(set(ids)))
    positions = [position for chunk in quarters for position in chunk.positions.tolist()]
    assert positions == whole.positions.tolist()
    assert [key for chunk in quarters for key in chunk.keys.to_pylist()] == sorted(set(ids))
    for chunk in quarters:
        keys = [ids[position] for position in chunk.positions]
        assert chunk.spine["id"].to_pylist() == keys
        assert chunk.keys.to_pylist() == sorted(set(keys))
        assert (chunk.bounds.key_low, chunk.bounds.key_high) == (keys[0], keys[-1])
        assert chunk.bounds.time_high == whole.bounds.time_high
