"""Only what can matter is read, and nothing that matters is left out."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines.retrieval.scan import Bounds, read_rows
from featurestore.store.delta.snapshot import Snapshot
from tests.tables import feature_table, write_runs

COLUMNS = ["id", "event_timestamp", "x"]
MS = 1000


def run(ids: range, start: int = 0):
    """A hundred events a key, one a millisecond and some microseconds."""
    keys = [key for key in ids for _ in range(100)]
    events = [start + step * MS + 7 for _ in ids for step in range(100)]
    return feature_table({"id": keys}, events, {"x": [float(event) for event in events]})


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory) -> Snapshot:
    folder: Path = tmp_path_factory.mktemp("scan") / "table"
    return write_runs(folder, [run(range(10)), run(range(10, 20)), run(range(5), 200 * MS)], 250)


def test_whole_files_are_left_out_by_key_and_by_time(snapshot) -> None:
    by_key = read_rows(snapshot, COLUMNS, Bounds("id", 12, 12))
    by_time = read_rows(snapshot, COLUMNS, Bounds("id", 0, 3, time_low=150 * MS))

    assert by_key["id"].to_pylist().count(12) == 100
    assert set(by_key["id"].to_pylist()) <= set(range(10, 20))
    assert {0, 1, 2, 3} <= set(by_time["id"].to_pylist())
    assert min(by_time["x"].to_pylist()) >= 200 * MS


def test_row_groups_are_left_out_within_a_file(snapshot) -> None:
    rows = read_rows(snapshot, COLUMNS, Bounds("id", 12, 12))

    assert rows.num_rows < 1_000
    assert rows["id"].to_pylist().count(12) == 100


def test_columns_come_in_the_order_of_their_names(snapshot) -> None:
    assert read_rows(snapshot, ["x", "id"], Bounds(None)).column_names == ["x", "id"]


def test_no_matching_file_gives_no_rows_with_the_full_schema(snapshot) -> None:
    rows = read_rows(snapshot, COLUMNS, Bounds("id", 99, 99))

    assert (rows.num_rows, rows.column_names) == (0, COLUMNS)


@given(
    keys=st.tuples(st.integers(-1, 21), st.integers(-1, 21)),
    times=st.tuples(st.integers(-5, 310_000), st.integers(-5, 310_000)),
)
def test_no_row_within_the_bounds_is_ever_lost(snapshot, keys, times) -> None:
    (low, high), (early, late) = sorted(keys), sorted(times)
    everything = read_rows(snapshot, COLUMNS, Bounds(None))

    read = read_rows(snapshot, COLUMNS, Bounds("id", low, high, early, late))

    def in_bounds(table):
        rows = zip(table["id"].to_pylist(), table["x"].to_pylist(), strict=True)
        return sorted(row for row in rows if low <= row[0] <= high and early <= row[1] <= late)

    assert in_bounds(read) == in_bounds(everything)


@pytest.mark.parametrize("low", [-(2**62), -62_135_596_800_000_001])
def test_a_bound_outside_of_python_s_dates_leaves_out_nothing(snapshot, low: int) -> None:
    rows = read_rows(snapshot, COLUMNS, Bounds(None, time_low=low, time_high=2**62))

    assert rows.num_rows == snapshot.rows
