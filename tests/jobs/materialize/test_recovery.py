"""Crashes, lost checkpoints and interruptions: the same rows, each once."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import DataFrame

from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables
from tests.jobs.killed import killed_world
from tests.jobs.world import NOON, SPENDING, World, other


def test_a_crash_between_commit_and_ledger_is_completed_without_doubling(world: World) -> None:
    world.pay(("a", 0, 1.0))
    table_id = world.materialize().table_id
    runs = Runs(world.layout)
    (before,) = runs.records()
    # As if the process had died after Delta's commit: the stream and the ledger know nothing.
    shutil.rmtree(world.folder / "store" / "checkpoints" / table_id / "0" / "commits")
    shutil.rmtree(world.layout.runs())
    runs.record(replace(before, status="running", kind="run", ended_at=None))

    result = world.materialize()

    assert (result.status, result.version) == ("nothing", 0)
    assert "recorded 1 earlier run" in result.message
    assert world.rows() == [("a", 0, 1.0)]
    completed, _ = runs.records()
    assert (completed.run_id, completed.status) == (before.run_id, "done")
    assert completed.outcome == before.outcome


def test_a_lost_ledger_of_runs_is_rebuilt_from_the_commits(world: World) -> None:
    world.pay(("a", 0, 1.0))
    world.materialize()
    world.pay(("b", 0, 1.0))
    world.materialize()
    before = Runs(world.layout).records()
    shutil.rmtree(world.layout.runs())

    world.materialize()

    rebuilt = Runs(world.layout).records()[:2]
    assert [run.outcome for run in rebuilt] == [run.outcome for run in before]
    assert {run.run_id for run in rebuilt} == {run.run_id for run in before}


def test_a_lost_checkpoint_is_resumed_where_the_last_commit_ended(world: World) -> None:
    world.pay(("a", 0, 1.0))
    built = world.materialize()
    checkpoints = world.folder / "store" / "checkpoints"
    shutil.rmtree(checkpoints)

    assert world.materialize().status == "nothing"

    world.pay(("b", 1, 2.0))
    resumed = world.materialize()
    shutil.rmtree(checkpoints)
    world.pay(("c", 2, 3.0))
    again = world.materialize()

    assert [resumed.kind, again.kind] == ["run", "run"]
    assert resumed.table_id == again.table_id == built.table_id
    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0), ("c", 2, 3.0)]
    assert [r.generation for r in Tables(world.layout).records()] == [2]


def refused(rows: DataFrame) -> DataFrame:
    """A transform that fails on rows, while a file says so."""
    if REFUSAL.exists() and not rows.isEmpty():
        raise RuntimeError("refused")
    return rows


REFUSAL = Path("nowhere")


def test_a_lost_checkpoints_first_batch_that_stops_on_the_way_is_not_read_from_the_beginning(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.jobs.materialize.test_recovery.REFUSAL", world.folder / "refusal")
    world.views = [other(SPENDING, transform=refused)]
    world.pay(("a", 0, 1.0))
    world.materialize()
    shutil.rmtree(world.folder / "store" / "checkpoints")
    world.pay(("b", 1, 2.0))
    (world.folder / "refusal").touch()
    stopped = world.materialize()
    (world.folder / "refusal").unlink()
    world.pay(("c", 2, 3.0))

    went_on = world.materialize()

    assert [stopped.status, went_on.status, went_on.kind] == ["failed", "done", "run"]
    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0), ("c", 2, 3.0)]


def test_an_older_checkpoint_put_back_loses_nothing(world: World) -> None:
    world.pay(("a", 0, 1.0))
    world.materialize()
    checkpoints = world.folder / "store" / "checkpoints"
    shutil.copytree(checkpoints, world.folder / "copy")
    world.pay(("b", 1, 2.0))
    world.materialize()
    shutil.rmtree(checkpoints)
    shutil.copytree(world.folder / "copy", checkpoints)
    world.pay(("c", 2, 3.0))

    world.materialize()

    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0), ("c", 2, 3.0)]


def test_a_lost_table_is_built_anew_with_its_start(world: World) -> None:
    world.pay(("a", -1, 1.0), ("a", 0, 2.0))
    world.materialize(start=NOON)
    shutil.rmtree(world.folder / "store" / "features")

    result = world.materialize()

    assert result.kind == "build"
    assert world.rows() == [("a", 0, 2.0)]


@pytest.mark.parametrize("how", ["crash", "interrupt"])
def test_a_killed_build_goes_on_where_it_stopped(world: World, how: str) -> None:
    killed = killed_world(world.folder, world.spark)
    for hour in range(4):
        killed.pay(("a", hour, 1.0))
    command = [sys.executable, "-m", "tests.jobs.killed", str(world.folder), how]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[3], start_new_session=True)
    if how == "interrupt":
        _wait_for_commits(world.folder, 1)
        os.kill(process.pid, signal.SIGINT)

    assert process.wait(timeout=240) != 0

    statuses = [run.status for run in Runs(killed.layout).records()]
    assert statuses == (["running"] if how == "crash" else ["interrupted"])
    (building,) = Tables(killed.layout).records()
    assert building.state == "building"
    result = killed.materialize()
    assert (result.kind, result.table_id) == ("build", building.table_id)
    assert result.rows_out < 4
    assert killed.rows() == [("a", hour, 1.0) for hour in range(4)]
    assert [run.status for run in Runs(killed.layout).records()] == ["interrupted", "done"]


def _wait_for_commits(folder: Path, count: int) -> None:
    give_up = time.monotonic() + 200
    while len(list(folder.glob("store/features/*/*/_delta_log/*.json"))) < count:
        if time.monotonic() > give_up:
            raise TimeoutError
        time.sleep(0.05)
