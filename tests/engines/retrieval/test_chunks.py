"""Chunks share the spine out among them, and end where files begin if that is near."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import Int64, String
from featurestore.engines.retrieval.chunks import cut, halved
from featurestore.engines.retrieval.spine_order import arrange
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
def test_every_row_with_a_key_is_in_one_chunk_that_wants_its_key(snapshot, ids, size) -> None:
    asked = spine(ids)

    chunks = cut(QUERY, arrange(QUERY, asked), snapshot, size)

    places = [place for chunk in chunks for place in chunk.places.tolist()]
    assert sorted(places) == [place for place, key in enumerate(ids) if key is not None]
    for chunk in chunks:
        mine = [ids[place] for place in chunk.places]
        assert chunk.spine["id"].to_pylist() == mine == sorted(mine)
        assert chunk.wanted.to_pylist() == sorted(set(mine))
        assert (chunk.bounds.key_low, chunk.bounds.key_high) == (mine[0], mine[-1])


def test_a_cut_is_moved_to_where_a_file_begins_if_that_is_near(snapshot) -> None:
    arranged = arrange(QUERY, spine(list(range(100))))

    halves = cut(QUERY, arranged, snapshot, 500)
    quarters = cut(QUERY, arranged, snapshot, 250)

    assert [chunk.wanted[0].as_py() for chunk in halves] == [0, 40]
    assert [chunk.wanted[0].as_py() for chunk in quarters] == [0, 25, 40, 75]


def test_a_spine_far_larger_than_the_table_is_cut_too(snapshot) -> None:
    arranged = arrange(QUERY, spine([key for key in range(10) for _ in range(400)]))

    chunks = cut(QUERY, arranged, snapshot, 1000)

    assert [len(chunk.places) for chunk in chunks] == [800, 1200, 800, 1200]


def test_few_spine_rows_are_answered_in_two_parts_however_large_the_table(snapshot) -> None:
    arranged = arrange(QUERY, spine([10, 60, 90]))

    assert len(cut(QUERY, arranged, snapshot, 100)) == 3
    assert len(cut(QUERY, arranged, replace(snapshot, files=ten_times(snapshot)), 400)) == 2


def ten_times(snapshot: Snapshot) -> pa.Table:
    """Return files of which the log says that they have ten times as many rows."""
    place = snapshot.files.column_names.index("num_records")
    counts = pc.multiply(snapshot.files["num_records"], 10)
    return snapshot.files.set_column(place, "num_records", counts)


def test_text_keys_come_as_the_chunks_own_words(tmp_path) -> None:
    query = ViewQuery("v", keys=(KeyBinding("id", "id", String),), timestamp_field="at")
    table = feature_table({"id": ["a", "b", "c", "d"]}, range(4), {"x": [0.0] * 4})
    asked = pa.table({"id": ["d", "a", "c", "a"], "at": pa.array([5] * 4, UTC_MICROS)})

    chunks = cut(query, arrange(query, asked), write_runs(tmp_path, [table]), 2)

    words = [chunk.spine["id"].chunk(0).dictionary.to_pylist() for chunk in chunks]
    assert [word for each in words for word in each] == ["a", "c", "d"]
    assert [chunk.spine["id"].to_pylist() for chunk in chunks] == [["a", "a"], ["c", "d"]]


def test_a_spine_without_any_known_key_needs_no_chunk(snapshot) -> None:
    assert cut(QUERY, arrange(QUERY, spine([None])), snapshot, 10) == []


@given(ids=st.lists(st.integers(-5, 105), min_size=2, max_size=60))
def test_halves_of_a_chunk_are_chunks_that_share_its_keys_out(snapshot, ids) -> None:
    arranged = arrange(QUERY, spine(ids))
    [whole] = cut(QUERY, arranged, snapshot, 10_000)

    halves = halved(QUERY, arranged, whole) or [whole]
    quarters = [part for half in halves for part in halved(QUERY, arranged, half) or [half]]

    places = [place for chunk in quarters for place in chunk.places.tolist()]
    assert places == whole.places.tolist()
    assert [key for chunk in quarters for key in chunk.wanted.to_pylist()] == sorted(set(ids))
    for chunk in quarters:
        mine = [ids[place] for place in chunk.places]
        assert chunk.spine["id"].to_pylist() == mine
        assert chunk.wanted.to_pylist() == sorted(set(mine))
        assert (chunk.bounds.key_low, chunk.bounds.key_high) == (mine[0], mine[-1])
        assert chunk.bounds.time_high == whole.bounds.time_high
