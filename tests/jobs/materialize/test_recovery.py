"""After crashes, lost checkpoints and interruptions, each row is stored exactly once."""

import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import DataFrame

from featurestore.definitions.model.source import StoredSource
from featurestore.errors import MaterializationError
from featurestore.jobs.schedule.retry import may_pass
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables
from tests.jobs.faults import FILES, pay
from tests.jobs.world import NOON, PAYMENTS, SPENDING, World, other


def test_a_crash_between_commit_and_ledger_is_completed_without_doubling(world: World) -> None:
    world.pay(("a", 0, 1.0))
    table_id = world.materialize().table_id
    runs = Runs(world.layout)
    (before,) = runs.records()
    # As if the process had died after Delta's commit, before the stream and the ledger had it.
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


def removing(rows: DataFrame) -> DataFrame:
    """A transform that removes all checkpoints while a batch runs, as long as a file exists."""
    if REFUSAL.exists():
        shutil.rmtree(REFUSAL.parent / "store" / "checkpoints")
    return rows


@pytest.mark.parametrize("source", [PAYMENTS, FILES], ids=["table", "files"])
def test_a_batch_whose_checkpoint_is_removed_is_not_committed_without_its_position(
    world: World, monkeypatch: pytest.MonkeyPatch, source: StoredSource
) -> None:
    monkeypatch.setattr("tests.jobs.materialize.test_recovery.REFUSAL", world.folder / "removal")
    world.views = [other(SPENDING, source=source, transform=removing)]
    pay(world, ("a", 0, 1.0))
    built = world.materialize()
    pay(world, ("b", 1, 2.0))
    (world.folder / "removal").touch()
    stopped = world.materialize()
    (world.folder / "removal").unlink()

    resumed = world.materialize()

    assert (stopped.status, type(stopped.error)) == ("failed", MaterializationError)
    assert may_pass(stopped.error)
    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0)]
    is_table = source is PAYMENTS
    assert (resumed.kind, resumed.rows_out) == (("run", 1) if is_table else ("build", 2))
    assert (resumed.table_id == built.table_id) is is_table


def refused(rows: DataFrame) -> DataFrame:
    """A transform that fails on rows, as long as a file exists."""
    if REFUSAL.exists() and not rows.isEmpty():
        raise RuntimeError("refused")
    return rows


REFUSAL = Path("nowhere")


def test_after_a_failed_first_batch_a_new_checkpoint_is_not_read_from_the_beginning(
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

    continued = world.materialize()

    assert [stopped.status, continued.status, continued.kind] == ["failed", "done", "run"]
    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0), ("c", 2, 3.0)]


def test_a_checkpoint_restored_from_an_older_copy_loses_no_row(world: World) -> None:
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


def interrupting(rows: DataFrame) -> DataFrame:
    """A transform that presses Ctrl-C after two batches of a build, as long as a file exists."""
    commits = REFUSAL.parent.glob("store/features/*/*/_delta_log/*.json")
    if REFUSAL.exists() and len(list(commits)) == 2:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    return rows


def test_an_interrupted_build_continues_where_it_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.jobs.materialize.test_recovery.REFUSAL", world.folder / "refusal")
    (world.folder / "refusal").touch()
    world.views, world.files_per_batch = [other(SPENDING, transform=interrupting)], 1
    for hour in range(4):
        world.pay(("a", hour, 1.0))

    with pytest.raises(KeyboardInterrupt):
        world.materialize()

    (run,) = Runs(world.layout).records()
    # The batch that was interrupted may still be committed.
    assert (run.status, run.outcome.batches in (2, 3)) == ("interrupted", True)
    assert f"`featurestore materialize {SPENDING.name}`" in (run.outcome.error or "")
    (building,) = Tables(world.layout).records()
    assert building.state == "building"
    (world.folder / "refusal").unlink()
    result = world.materialize()
    assert (result.kind, result.table_id) == ("build", building.table_id)
    assert result.rows_out == 4 - run.outcome.rows_out
    assert world.rows() == [("a", hour, 1.0) for hour in range(4)]
    assert [run.status for run in Runs(world.layout).records()] == ["interrupted", "done"]
