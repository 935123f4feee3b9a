"""Tables are opened at a version; what the local engine would read wrongly is refused."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from featurestore.errors import TableError
from featurestore.store.snapshot import may_hold, open_snapshot

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def files(column: str, low: list[object], high: list[object]) -> pa.Table:
    return pa.table(
        {
            "path": [str(i) for i in range(len(low))],
            "min": pa.array([{column: value} for value in low]),
            "max": pa.array([{column: value} for value in high]),
        }
    )


def test_a_snapshot_is_pinned_to_its_version(tmp_path: Path) -> None:
    uri = str(tmp_path / "table")
    write_deltalake(uri, pa.table({"x": [1, 2]}))
    write_deltalake(uri, pa.table({"x": [3]}), mode="append")

    assert (open_snapshot(uri).version, open_snapshot(uri).rows) == (1, 3)
    assert (open_snapshot(uri, 0).version, open_snapshot(uri, 0).rows) == (0, 2)


def test_a_missing_table_or_version_is_an_error_that_names_it(tmp_path: Path) -> None:
    uri = str(tmp_path / "table")
    with pytest.raises(TableError, match=r"open table .*table: there is no Delta table\."):
        open_snapshot(uri)

    write_deltalake(uri, pa.table({"x": [1]}))

    with pytest.raises(TableError, match="at version 7"):
        open_snapshot(uri, 7)


def test_a_table_that_needs_a_newer_reader_is_refused_with_its_features(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), pa.table({"x": [1]}))
    log = tmp_path / "_delta_log" / f"{0:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        if "protocol" in action:
            action["protocol"] = {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": ["deletionVectors"],
                "writerFeatures": ["deletionVectors"],
            }
    log.write_text("\n".join(json.dumps(action) for action in actions) + "\n")

    with pytest.raises(TableError, match=r"reader version 3 \(deletionVectors\)"):
        open_snapshot(str(tmp_path))


def test_files_are_left_out_only_where_statistics_prove_it() -> None:
    bounds = files("k", [1, 5, None], [4, 9, None])

    assert may_hold(bounds, "k", 5, 6).tolist() == [False, True, True]
    assert may_hold(bounds, "k", None, 4).tolist() == [True, False, True]
    assert may_hold(bounds, "other", 100, 200).tolist() == [True, True, True]
    assert may_hold(bounds.select(["path"]), "k", 100, 200).tolist() == [True, True, True]


def test_long_text_bounds_are_prefixes_and_keep_the_file() -> None:
    bounds = files("k", ["a"], ["m" * 32])

    assert may_hold(bounds, "k", "m" * 40, None).tolist() == [True]
    assert may_hold(files("k", ["a"], ["m"]), "k", "mm", None).tolist() == [False]


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_a_timestamp_bound_cut_to_milliseconds_never_loses_its_file(value, asked) -> None:
    moment = DAY + timedelta(microseconds=value)
    cut = DAY + timedelta(milliseconds=value // 1000)
    low = pa.scalar(DAY + timedelta(microseconds=asked), pa.timestamp("us", tz="UTC"))
    bounds = files("at", [cut], [cut])

    kept = may_hold(bounds, "at", low, None).tolist() == [True]

    assert kept or moment < low.as_py()
