"""Change feeds and derived views that are killed have the same rows as views that never were."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from featurestore.jobs.materialize.start import materialize
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables
from tests.effort import is_soak
from tests.jobs.changing import LAST, Orders
from tests.jobs.dying import BANDED, BANDS, LASTS, TWINS, Deaths, dying_world
from tests.jobs.materialize.test_change_feed import assert_true
from tests.jobs.world import World

IN_BUILDS: Deaths = {
    "last_1": ("commits", 1),
    "last_2": ("begins a batch", 2),
    "bands_1": ("has committed", 1),
}
IN_RUNS: Deaths = {
    "last_1": ("commits", 1),
    "last_2": ("records its end", 1),
    "bands_1": ("has committed", 1),
}


def killed(folder: Path, deaths: Deaths, by: signal.Signals) -> int:
    """Run a process until its views are killed, and return its exit code."""
    command = [sys.executable, "-m", "tests.jobs.dying", str(folder), str(int(by))]
    root = Path(__file__).parents[3]
    return subprocess.run([*command, json.dumps(deaths)], cwd=root, timeout=200).returncode


def stored(world: World, view: str) -> list[tuple[object, ...]]:
    """All stored rows of a view, as text."""
    rows = pa.table(world.table(view).scan()).to_pylist()
    return sorted(tuple(map(str, row.values())) for row in rows)


def assert_same_as_twins(world: World) -> None:
    """Assert that each killed view has the same rows as its twin."""
    for views, twin in ((LASTS, LAST), (BANDED, BANDS)):
        expected = stored(world, twin.name)
        assert {view.name: stored(world, view.name) for view in views} == {
            view.name: expected for view in views
        }


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.skipif(not is_soak(), reason="`make soak` runs it; test_faults.py kills two views")
def test_views_killed_in_builds_and_in_runs_have_the_rows_of_views_that_never_were(
    tmp_path: Path, spark: SparkSession
) -> None:
    world, orders = dying_world(tmp_path, spark), Orders(tmp_path)
    tables, runs = Tables(world.layout), Runs(world.layout)
    twins = [twin.name for twin in TWINS]
    orders.insert(10, ("o1", "a", 1, 1.0), ("o2", "a", 2, 20.0))
    orders.insert(11, ("o3", "b", 3, 3.0), ("o4", "b", 4, 40.0))

    materialize(world.job, twins)
    assert killed(tmp_path, IN_BUILDS, signal.SIGKILL) == -signal.SIGKILL
    begun = {record.view: record for record in tables.records()}
    assert {begun[name].state for name in IN_BUILDS} == {"building"}
    assert {runs.records(name)[-1].status for name in IN_BUILDS} == {"running"}
    # Before the next run, orders move to other cards and bands, and one is deleted.
    orders.update(20, ("o1", "a", 1, 11.0), ("o5", "c", 30, 5.0))
    orders.update(21, ("o2", "c", 2, 2.0))
    orders.delete(22, "o3")
    recovered = {result.view: result for result in materialize(world.job)}

    for name in IN_BUILDS:
        continued = (recovered[name].kind, recovered[name].status, recovered[name].table_id)
        assert continued == ("build", "done", begun[name].table_id)
        assert [run.status for run in runs.records(name)] == ["interrupted", "done"]
    stored_before = runs.records("last_2")[0].outcome.rows_out
    assert stored_before > 0
    assert stored_before + recovered["last_2"].rows_out == len(stored(world, "last_2"))
    assert_same_as_twins(world)
    kill_runs(world, orders, recovered["last_1"].table_id)

    for view in (LAST, *LASTS):
        assert_true(orders, view, world.table(view.name), snapshot=11)
    now = {row["card_id"]: row["amount"] for row in world.latest("last_2")}
    assert now == {card: orders.truth(card, 100, snapshot=11, below=1e9) for card in "abc"}


def kill_runs(world: World, orders: Orders, table_id: str) -> None:
    """Kill views in runs with new rows, and assert that the next runs leave the twins' rows."""
    orders.update(30, ("o4", "a", 4, 4.0), ("o1", "a", 1, 99.0))
    orders.insert(31, ("o3", "b", 3.5, 33.0))
    materialize(world.job, [twin.name for twin in TWINS])
    # The first batch of last_1 with a new checkpoint is killed too.
    shutil.rmtree(world.layout.checkpoint(table_id, 0))
    assert killed(world.folder, IN_RUNS, signal.SIGTERM) == -signal.SIGTERM
    orders.update(40, ("o5", "b", 30, 55.0))
    orders.delete(41, "o2")
    last = {result.view: result for result in materialize(world.job)}

    assert {(result.kind, result.status) for result in last.values()} == {("run", "done")}
    statuses = {run.status for run in Runs(world.layout).records()}
    assert statuses == {"done", "interrupted"}
    assert_same_as_twins(world)
