"""A repair that failed at any step has changed nothing, or all; the next one completes it."""

import os
import signal
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from deltalake import DeltaTable

from featurestore.engines.spark.session.session import session
from featurestore.jobs.doctor.doctor import examine
from featurestore.jobs.materialize.start import materialize
from featurestore.jobs.repair.repair import repair
from featurestore.store.fault_points import REPAIR_POINTS, RUN_POINTS, VARIABLE
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables
from tests.effort import is_soak
from tests.jobs.repair.test_repair import COLUMNS, hours
from tests.jobs.soak_figures import FIGURES
from tests.jobs.world import SPENDING, World, other

OUTSIDE = ("lock.acquired", "lock.released", "table.compacted")
"""The points that a repair does not pass, or passes outside of the view's run."""
SWITCHED = ("table.switched", "latest.published", "ledger.completed")
# In this order: only the last one changes what readers see.
POINTS = (*(name for name in RUN_POINTS if name not in OUTSIDE), *REPAIR_POINTS)
SAMPLE = (
    ("quarantine.copied", "enospc"),
    ("checkpoint.copied", "raise"),
    ("data.committed", "enospc"),
    ("table.switched", "raise"),
)
FAULTS = (*product(POINTS, ("raise", "enospc")),) if is_soak() else SAMPLE
CALM = other(SPENDING, name="calm", latest=True)
KILLED = {point: f"killed_at_{point.replace('.', '_')}" for point in POINTS}
VIEWS = [CALM, *(other(CALM, name=name) for name in KILLED.values())]


def fails(world: World, point: str, action: str, view: str) -> str:
    """Let a repair fail at a point, and return its status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, f"{view}/{point}={action}")
        (result,) = repair(world.job, [view], hours(0, 4))
    return result.status


@pytest.mark.slow
@pytest.mark.soak
def test_a_repair_that_failed_at_any_step_is_completed_by_the_next_one(world: World) -> None:
    # In the sample one view, at one point after the other; the last one switches its table.
    names = {point: f"fails_at_{point.replace('.', '_')}" for point in POINTS if is_soak()}
    failing = [*names.values()] or ["fails"]
    world.views = [CALM, *(other(CALM, name=name) for name in failing)]
    world.pay(("a", 0, 1.0), ("b", 2, 2.0), (None, 3, 9.0), ("b", 9, 4.0))
    materialize(world.job)
    DeltaTable(world.folder / "payments").update({"amount": "20.0"}, predicate="amount = 2.0")
    rows = world.rows(*COLUMNS, view=CALM.name)
    repair(world.job, [CALM.name], hours(0, 4))
    corrected = world.rows(*COLUMNS, view=CALM.name)

    for point, action in FAULTS:
        view = names.get(point, "fails")
        assert fails(world, point, action, view) == "failed"
        assert world.rows(*COLUMNS, view=view) == (corrected if point in SWITCHED else rows)
    repair(world.job, failing, hours(0, 4))
    world.pay(("d", 1, 5.0))
    later = materialize(world.job)

    assert {result.status for result in later} == {"done"}
    rows = world.rows(*COLUMNS, view=CALM.name)
    for view in failing:
        FIGURES.compare(rows, world.rows(*COLUMNS, view=view))
        assert world.rows(*COLUMNS, view=view) == rows
        assert world.latest(view) == world.latest(CALM.name)
        states = [each.state for each in Tables(world.layout).records() if each.view == view]
        assert states.count("current") == 1
        assert "building" not in states
    assert "running" not in {run.status for run in Runs(world.layout).records()}
    assert examine(world.job) == []


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.skipif(not is_soak(), reason="`make soak` runs it")
def test_a_repair_that_was_killed_is_completed_by_the_next_one(world: World) -> None:
    world.views = VIEWS
    world.pay(("a", 0, 1.0), ("b", 2, 2.0), (None, 3, 9.0), ("b", 9, 4.0))
    materialize(world.job)
    DeltaTable(world.folder / "payments").update({"amount": "20.0"}, predicate="amount = 2.0")

    for point, name in KILLED.items():
        child = subprocess.run(
            [sys.executable, "-m", __name__, str(world.folder), name],
            env=os.environ | {VARIABLE: f"{name}/{point}=kill"},
            cwd=Path(__file__).parents[3],
            check=False,
        )
        FIGURES.faults[point] += 1
        assert child.returncode == -signal.SIGKILL
    results = repair(world.job, [view.name for view in VIEWS], hours(0, 4))
    world.pay(("d", 1, 5.0))
    later = materialize(world.job)

    assert {result.status for result in (*results, *later)} == {"done"}
    rows = world.rows(*COLUMNS, view=CALM.name)
    for name in KILLED.values():
        FIGURES.compare(rows, world.rows(*COLUMNS, view=name))
        assert world.rows(*COLUMNS, view=name) == rows
    assert "running" not in {run.status for run in Runs(world.layout).records()}
    assert examine(world.job) == []


def main(folder: str, view: str) -> None:
    """Repair a view until the process is killed."""
    conf = Path(__file__).parents[3] / "spark-conf" / "test.conf"
    spark = session(conf, warehouse=Path(folder) / "spark")
    world = World(Path(folder), spark, views=VIEWS)
    repair(world.job, [view], hours(0, 4))


if __name__ == "__main__":
    main(*sys.argv[1:])
