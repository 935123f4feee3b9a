"""Columns are read on access, for the needed keys only, and no needed row is lost."""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines.retrieval.scan import Bounds, max_rows_per_read, open_rows
from featurestore.errors import TableError
from tests.tables import feature_table, write_runs

KEYS = {
    "numbers": st.integers(-5, 20),
    "text": st.sampled_from(["", "a", "ab", "b", "é", "𝄞"]),
    "dates": st.dates(date(1969, 12, 30), date(1970, 1, 9)),
    "booleans": st.booleans(),
}


@pytest.mark.parametrize("kind", KEYS)
@given(data=st.data())
def test_every_row_of_a_needed_key_is_read_in_any_order_of_the_file(kind, data, tmp_path_factory):
    runs = data.draw(st.lists(st.lists(KEYS[kind], min_size=1, max_size=30), max_size=3), "runs")
    needed = data.draw(st.sets(KEYS[kind], min_size=1), "needed")
    if data.draw(st.booleans(), "sorted"):
        runs = [sorted(run) for run in runs]
    tables = [
        feature_table({"key": run}, range(len(run)), {"x": [float(i) for i in range(len(run))]})
        for run in runs
    ]
    snapshot = write_runs(Path(tmp_path_factory.mktemp("rows")), tables or [EMPTY[kind]], 4)
    keys = pa.array(sorted(needed), tables[0]["key"].type if tables else EMPTY[kind]["key"].type)

    bounds = Bounds("key", min(needed), max(needed))
    cached = data.draw(st.none() | st.integers(0, 60), "cached key rows")
    rows = open_rows(snapshot, bounds, keys, ("key",), max_cached_key_rows=cached)

    read = pa.table({name: decoded(rows[name]) for name in ("key", "x")})
    matching = read.filter(pc.is_in(read["key"], keys)).to_pylist()
    stored = [row for table in tables for row in table.select(["key", "x"]).to_pylist()]
    assert sorted(matching, key=str) == sorted((r for r in stored if r["key"] in needed), key=str)
    assert rows.num_rows == read.num_rows


def test_few_needed_rows_come_alone_and_many_as_a_slice(tmp_path) -> None:
    keys = [key for key in range(100) for _ in range(10)]
    table = feature_table({"id": keys}, range(1000), {"x": [0.0] * 1000})
    snapshot = write_runs(tmp_path, [table])

    few = open_rows(snapshot, Bounds("id", 3, 90), pa.array([3, 90]))
    most = open_rows(snapshot, Bounds("id", 3, 8), pa.array([3, 5, 6, 8]))

    assert few["id"].to_pylist() == [3] * 10 + [90] * 10
    assert set(most["id"].to_pylist()) == {3, 4, 5, 6, 7, 8}


def test_the_keys_of_too_many_rows_are_not_cached_but_read_again(tmp_path) -> None:
    names = ["a"] * 50_000 + ["b"] * 50_000
    table = feature_table({"id": names}, range(100_000), {"x": [0.0] * 100_000})
    snapshot = write_runs(tmp_path, [table, table])
    bounds, keys = Bounds("id", "a", "b"), pa.array(["a", "b"], pa.large_string())

    for cached, least, most in ((200_000, 800_000, 10**9), (99_999, 0, 400_000)):
        before = pa.total_allocated_bytes()
        rows = open_rows(snapshot, bounds, keys, ("id",), max_cached_key_rows=cached)
        assert least <= pa.total_allocated_bytes() - before <= most
        assert decoded(rows["id"]).to_pylist() == names * 2
        del rows


def test_a_column_without_access_is_not_read(tmp_path) -> None:
    table = feature_table({"id": [1, 1]}, [5, 6], {"x": [0.5, 0.7]})
    snapshot = write_runs(tmp_path, [table])
    file = tmp_path / snapshot.files["path"][0].as_py()
    pa.parquet.write_table(table.drop_columns(["_row_hash"]), file)

    rows = open_rows(snapshot, Bounds("id", 1, 1), pa.array([1]))

    assert rows["x"].to_pylist() == [0.5, 0.7]
    assert "_row_hash" in rows.column_names
    with pytest.raises(TableError) as error:
        rows["_row_hash"]
    assert file.name in error.value.found


def test_a_file_without_a_needed_key_gives_no_row(tmp_path) -> None:
    snapshot = write_runs(tmp_path, [feature_table({"id": ["a", "z"]}, [1, 2], {"x": [1.0, 2.0]})])

    rows = open_rows(snapshot, Bounds("id", "b", "c"), pa.array(["b", "c"]), ("id",))

    assert (rows.num_rows, rows["x"].to_pylist(), rows["id"].type) == (0, [], pa.string())


EMPTY = {
    kind: feature_table({"key": pa.array([], dtype)}, [], {"x": pa.array([], pa.float64())})
    for kind, dtype in {
        "numbers": pa.int64(),
        "text": pa.string(),
        "dates": pa.date32(),
        "booleans": pa.bool_(),
    }.items()
}


def decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def test_a_small_slice_of_a_row_group_holds_no_more_than_itself_in_memory(tmp_path) -> None:
    table = feature_table({"id": range(1000)}, range(1000), {"x": [0.5] * 1000})
    snapshot = write_runs(tmp_path, [table])

    few = open_rows(snapshot, Bounds("id", 3, 12), pa.array(range(3, 13)))

    assert few["id"].to_pylist() == list(range(3, 13))
    assert few["id"].chunk(0).buffers()[1].size == 10 * 8


def test_a_large_file_is_read_in_parts(tmp_path) -> None:
    rows = 1_100_000
    table = feature_table({"id": np.arange(rows)}, np.arange(rows), {"x": np.arange(rows)})
    snapshot = write_runs(tmp_path, [table], row_group=100_000)

    dense = open_rows(snapshot, Bounds("id", 0, rows), pa.array(range(0, rows, 2)))

    assert max_rows_per_read(snapshot) == 1_000_000
    assert dense["x"].to_numpy().tolist() == list(range(rows - 1))
