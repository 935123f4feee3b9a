"""After a run that failed at any step, the next one leaves what a run without a fault leaves."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from itertools import permutations
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from featurestore.errors import FeatureStoreError, StorageError
from featurestore.jobs.doctor.doctor import examine
from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.materialize.start import materialize
from featurestore.store.fault_points import RUN_POINTS, VARIABLE, InjectedError
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables
from tests.effort import is_soak
from tests.jobs.faults import (
    BUILDS_ONLY,
    CALM,
    DELTA,
    IN_BATCHES,
    OF_FILES,
    POINTS,
    Outcomes,
    armed,
    faulty_world,
    pay,
    run_each,
    totals,
)
from tests.jobs.materialize.test_snapshots import SHOPS, State, deliver
from tests.jobs.soak_figures import FIGURES
from tests.jobs.world import World, other

OF_DELTA = [view.name for view in DELTA.values()]
ALL = [*OF_DELTA, *(view.name for view in OF_FILES.values())]
FIRST = (("a", 0, 1.0), ("b", 1, 2.0), (None, 2, 9.0))
SECOND = (("a", 3, 3.0), ("a", 3, 3.0), ("c", None, 9.0))
LATE_AND_FUTURE = (("b", -40, 4.0), ("a", 400, 5.0))
THIRD = (("c", 5, 6.0), ("a", 0, 1.0), (None, None, 9.0))
LAST = (("b", 6, 7.0),)
KILLED = [*ALL] if is_soak() else [DELTA["data.committed"].name, OF_FILES["commit.verified"].name]
SNAPSHOT_SAMPLE = ("data.committed",)
ERRORS = {"raise": FeatureStoreError, "enospc": StorageError}
"""The actions that are errors, and the error that each must become."""
ACTION_AT = {
    "lock.acquired": "enospc",
    "ledger.reserved": "raise",
    "source.pinned": "enospc",
    "rows.computed": "raise",
    "quarantine.committed": "enospc",
    "data.committed": "enospc",
    "commit.verified": "raise",
    "source.read": "raise",
    "table.ready": "enospc",
    "files.recorded": "raise",
    "table.switched": "raise",
    "latest.published": "enospc",
    "ledger.completed": "enospc",
    "table.compacted": "raise",
    "lock.released": "enospc",
}
"""The action at each fault point, in the order of a build, where there is no time for both."""
ONLY_IN_SOAK = pytest.mark.skipif(not is_soak(), reason="`make soak` runs it")


def assert_as_undisturbed(world: World, views: list[str]) -> None:
    """Assert that the failing views have the rows, ledgers and positions of the calm one."""
    rows, done = world.rows(view=CALM.name), totals(world, CALM.name)
    for view in views:
        FIGURES.compare(rows, world.rows(view=view))

    assert {view: world.rows(view=view) for view in views} == dict.fromkeys(views, rows)
    assert {view: totals(world, view) for view in views} == dict.fromkeys(views, done)
    states = [(build.view, build.state) for build in Tables(world.layout).records()]
    assert sorted(states) == sorted((view, "current") for view in (*views, CALM.name))
    assert "running" not in {run.status for run in Runs(world.layout).records()}
    assert examine(world.job, [*views, CALM.name]) == []
    latest = world.latest(CALM.name)
    for view in DELTA.values():
        if view.latest and view.name in views:
            assert world.latest(view.name) == latest


def complete(world: World, views: list[str]) -> None:
    """Materialize the views and the calm one, and assert that each run has succeeded."""
    outcomes = run_each(world, [*views, CALM.name])
    failed = {
        view: outcome
        for view, outcome in outcomes.items()
        if not (isinstance(outcome, RunResult) and outcome.status in ("done", "nothing"))
    }
    assert failed == {}


def assert_failed(
    outcomes: Outcomes, error: type[FeatureStoreError], points: Mapping[str, str] = POINTS
) -> None:
    """Assert that each view failed by its fault.

    Only the lock is outside of the view's run. If it is not released, the run is done.
    """
    for view, outcome in outcomes.items():
        if points[view] == "lock.released":
            assert isinstance(outcome, RunResult), (view, outcome)
            assert outcome.status == "done", (view, outcome)
        elif isinstance(outcome, RunResult):
            assert outcome.status == "failed", (view, outcome)
            assert isinstance(outcome.error, error), (view, outcome.error)
        else:
            assert isinstance(outcome, error | InjectedError), (view, outcome)
        assert isinstance(outcome, RunResult) is (points[view] != "lock.acquired")


@pytest.mark.slow
def test_a_view_whose_runs_fail_at_one_step_after_the_other_is_completed_in_the_end(
    tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each name with one error. The soak has both errors, and a view for each name."""
    view = DELTA["table.switched"]  # it has a latest table, so its runs pass all points
    world = World(tmp_path, spark, views=[CALM, view], files_per_batch=1)
    assert (*ACTION_AT,) == RUN_POINTS

    for number, (point, action) in enumerate(ACTION_AT.items()):
        pay(world, *FIRST[number % 3 :], ("a", number, 1.0))
        monkeypatch.setenv(VARIABLE, f"{view.name}/{point}={action}")
        outcomes = run_each(world, [view.name])
        monkeypatch.delenv(VARIABLE)
        assert_failed(outcomes, ERRORS[action], {view.name: point})
    world.files_per_batch = len(ACTION_AT)  # the calm view needs no batches
    complete(world, [view.name])

    assert_as_undisturbed(world, [view.name])


@pytest.mark.slow
@pytest.mark.soak
@ONLY_IN_SOAK
@pytest.mark.parametrize(("in_builds", "in_runs_later"), [*permutations(ERRORS)])
def test_a_run_that_fails_at_any_step_is_completed_by_the_next_one(
    tmp_path: Path,
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    in_builds: str,
    in_runs_later: str,
) -> None:
    world = faulty_world(tmp_path, spark)
    in_runs = [view for view in OF_DELTA if POINTS[view] not in BUILDS_ONLY]
    pay(world, *FIRST)
    pay(world, *SECOND)

    monkeypatch.setenv(VARIABLE, armed(OF_DELTA, in_builds, in_build=True))
    builds = run_each(world, OF_DELTA)
    monkeypatch.delenv(VARIABLE)
    pay(world, *LATE_AND_FUTURE)
    complete(world, OF_DELTA)

    assert_failed(builds, ERRORS[in_builds])
    assert_as_undisturbed(world, OF_DELTA)

    pay(world, *THIRD)
    monkeypatch.setenv(VARIABLE, armed(in_runs, in_runs_later, in_build=False))
    runs = run_each(world, in_runs)
    monkeypatch.delenv(VARIABLE)
    pay(world, *LAST)
    complete(world, OF_DELTA)

    assert_failed(runs, ERRORS[in_runs_later])
    assert_as_undisturbed(world, OF_DELTA)


@pytest.mark.slow
@pytest.mark.soak
def test_a_run_of_a_snapshot_view_that_fails_at_a_step_of_its_batch_is_completed_by_the_next_one(
    tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = (*IN_BATCHES, "source.read") if is_soak() else SNAPSHOT_SAMPLE
    names = {point: f"shops_{point.replace('.', '_')}" for point in points}
    faults = ",".join(f"{name}/{point}=raise" for point, name in names.items())
    world = World(tmp_path, spark)
    world.views = [SHOPS, *(other(SHOPS, name=name) for name in names.values())]
    states: list[State] = [
        {"a": ("Rome", 1.0), "b": ("Oslo", None), None: ("Nice", 2.0)},
        {"a": ("Bern", 1.0), "c": ("Oslo", 3.0)},
    ]

    for state in states:
        deliver(world, state)
        monkeypatch.setenv(VARIABLE, faults)
        failed = {result.view: result.status for result in materialize(world.job)}
        monkeypatch.delenv(VARIABLE)
        completed = {result.status for result in materialize(world.job)}

        assert failed == {SHOPS.name: "done"} | dict.fromkeys(names.values(), "failed")
        assert completed <= {"done", "nothing"}
        columns = ("event_timestamp", "shop", "city", "size", "_deleted")
        rows = world.rows(*columns, view=SHOPS.name)
        stored = {name: world.rows(*columns, view=name) for name in names.values()}
        assert stored == dict.fromkeys(names.values(), rows)
        assert examine(world.job) == []


def waiting_child(
    world: World, views: list[str], faults: str, end: Callable[["subprocess.Popen[str]"], None]
) -> int:
    """Materialize views in a process, end it once each waits, and return its exit code."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.faults", str(world.folder), *views],
        env=os.environ | {VARIABLE: faults},
        cwd=Path(__file__).parents[3],
        stderr=subprocess.PIPE,
        text=True,
    )
    waiting: set[str] = set()
    assert child.stderr is not None
    with child:
        for line in child.stderr:
            if line.startswith("fault: sleep at "):
                waiting.add(line.split()[-1])
                FIGURES.faults[line.split()[3]] += 1
                if waiting == set(views):
                    end(child)
    assert waiting == set(views)
    return child.returncode


@pytest.mark.slow
@pytest.mark.soak
def test_a_run_that_is_killed_at_any_step_is_completed_by_the_next_one(
    tmp_path: Path, spark: SparkSession
) -> None:
    world = faulty_world(tmp_path, spark)
    pay(world, *FIRST)
    pay(world, *SECOND)

    faults = armed(KILLED, "sleep:600", in_build=True)
    code = waiting_child(world, KILLED, faults, subprocess.Popen.kill)
    assert code == -signal.SIGKILL
    pay(world, *LATE_AND_FUTURE)
    complete(world, KILLED)

    assert_as_undisturbed(world, KILLED)


@pytest.mark.slow
@pytest.mark.soak
@ONLY_IN_SOAK
def test_an_update_that_is_killed_at_any_step_is_completed_by_the_next_one(
    tmp_path: Path, spark: SparkSession
) -> None:
    world = faulty_world(tmp_path, spark)
    views = [view for view in ALL if POINTS[view] not in BUILDS_ONLY]
    pay(world, *FIRST)
    pay(world, *SECOND)
    complete(world, views)
    pay(world, *THIRD)

    faults = armed(views, "sleep:600", in_build=False)
    code = waiting_child(world, views, faults, subprocess.Popen.kill)
    assert code == -signal.SIGKILL
    pay(world, *LAST)
    complete(world, views)

    assert_as_undisturbed(world, views)


@pytest.mark.slow
@pytest.mark.soak
@ONLY_IN_SOAK
def test_a_run_that_loses_the_process_of_spark_is_recorded_and_completed_by_the_next_one(
    tmp_path: Path, spark: SparkSession
) -> None:
    world, view = faulty_world(tmp_path, spark), DELTA["rows.computed"].name
    pay(world, *FIRST)
    pay(world, *SECOND)

    def kill_java(child: "subprocess.Popen[str]") -> None:
        found = subprocess.run(
            ["pgrep", "-P", str(child.pid), "java"], capture_output=True, text=True, check=True
        )
        os.kill(int(found.stdout), signal.SIGKILL)

    faults = armed([view], "sleep:5", in_build=True)
    assert waiting_child(world, [view], faults, kill_java) == 0
    (failed,) = Runs(world.layout).records(view)
    complete(world, [view])

    assert (failed.status, failed.outcome.rows_out) == ("failed", 2)
    assert "Please report" not in (failed.outcome.error or "")
    assert_as_undisturbed(world, [view])
