"""The benchmarks' tables: their shapes, and which of them have equal rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import featurestore as fs
from benchmarks import hundred_million
from benchmarks.build import build, write_project
from benchmarks.cases import CASES
from benchmarks.contestants import duckdb_sql
from benchmarks.contestants.task import Task, summary
from benchmarks.generate import write_parquet
from benchmarks.workload import WORKLOADS, Workload, is_written, mark_written, read_workload

SMALL = Workload("small", keys=50, rows=1_000, spine=200, views=2, features=3)
EVENTS = Workload("events", keys=20, rows=2_000, spine=300, events=True)
BIG = replace(WORKLOADS["hundred_million"], keys=1_000, rows=20_000, spine=500)


def test_a_workload_has_its_numbers_of_rows_keys_and_features(tmp_path: Path) -> None:
    write_parquet(SMALL, tmp_path)

    view, spine = pq.read_table(tmp_path / "v1"), pq.read_table(tmp_path / "spine.parquet")

    assert view.column_names == ["id", "ts", "v1_f0", "v1_f1", "v1_f2"]
    assert (view.num_rows, spine.num_rows) == (1_000, 200)
    assert pc.min_max(view["id"]).as_py() == {"min": 0, "max": 49}
    assert spine["row"].to_pylist() == list(range(200))


def test_keys_of_another_type_have_the_same_rows(tmp_path: Path) -> None:
    for key in ("int", "string", "pair"):
        write_parquet(replace(SMALL, key=key), tmp_path / key)

    plain, strings, pairs = (pq.read_table(tmp_path / k / "v0") for k in ("int", "string", "pair"))

    assert strings.drop("id") == plain.drop("id")
    assert pairs.drop(["shop", "id"]) == plain.drop("id")
    assert strings["id"][0].as_py() == f"customer-{plain['id'][0].as_py():06d}"


def test_a_hot_key_has_its_share_of_rows_and_spine(tmp_path: Path) -> None:
    write_parquet(replace(SMALL, hot=0.5), tmp_path)

    for file in (tmp_path / "v0", tmp_path / "spine.parquet"):
        keys = pq.read_table(file)["id"].to_numpy()
        assert 0.4 < np.mean(keys == 0) < 0.6


def test_late_rows_are_available_after_their_event_and_others_at_it(tmp_path: Path) -> None:
    write_parquet(replace(SMALL, late=0.05), tmp_path)

    view = pq.read_table(tmp_path / "v0")
    lag = pc.subtract(view["known_at"].cast(pa.int64()), view["ts"].cast(pa.int64())).to_numpy()

    assert lag.min() == 0
    assert 0.01 < np.mean(lag > 0) < 0.1


def test_each_of_few_keys_is_in_the_spine_once(tmp_path: Path) -> None:
    write_parquet(SMALL, tmp_path)

    few = pq.read_table(tmp_path / "spine_one.parquet")

    assert len(pc.unique(few["id"])) == few.num_rows <= 50


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_definitions_of_a_workload_load(name: str, tmp_path: Path) -> None:
    workload = WORKLOADS[name]

    write_project(workload, tmp_path)
    manifest = fs.FeatureStore(tmp_path).load()

    stored = {field.name for view in manifest.views for field in view.schema}
    assert stored == {name for names in workload.view_features.values() for name in names}
    assert manifest.service("bench") is not None


def test_a_folder_with_another_workload_is_not_used(tmp_path: Path) -> None:
    mark_written(SMALL, tmp_path)

    assert is_written(SMALL, tmp_path)
    assert read_workload(tmp_path) == SMALL
    assert not is_written(replace(SMALL, rows=2_000), tmp_path)


def test_every_workload_is_used_by_a_case_and_exists() -> None:
    used = {way.workload for case in CASES.values() for way in case.ways}

    assert used == set(WORKLOADS)


def test_the_generated_table_is_sorted_and_has_the_computed_answers(tmp_path: Path) -> None:
    folder = build(BIG, tmp_path)

    store, spine = fs.FeatureStore(folder), pq.read_table(folder / "spine.parquet")
    answers = store.get_historical_features("bench", spine, timestamp_field="ts").to_arrow()
    rows = store.sql("select id, event_timestamp from v0")

    assert answers == hundred_million.answers(BIG, spine)
    assert rows.num_rows == 20_000
    assert rows == rows.sort_by([("id", "ascending"), ("event_timestamp", "ascending")])


def test_the_queries_of_duckdb_for_windows_agree(tmp_path: Path) -> None:
    write_parquet(EVENTS, tmp_path)
    task = Task(tmp_path, EVENTS, "spine", "bench")
    queries = (duckdb_sql.range_join, duckdb_sql.running_sums, duckdb_sql.frames)

    joined, sums, frames = (summary(duckdb_sql.way(query)(task)(), EVENTS) for query in queries)

    assert len(joined) == 20
    assert joined["amount_count_30d"][0] == 300
    for name, expected in joined.items():
        assert sums[name] == pytest.approx(expected)
        assert frames[name] == pytest.approx(expected)
