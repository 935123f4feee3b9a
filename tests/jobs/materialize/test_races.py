"""Two processes that materialize at the same time lose no row, and store none twice."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables
from tests.effort import rounds
from tests.jobs.racing import BUSY, VIEWS, race, racing_world, rival
from tests.jobs.soak_figures import FIGURES

ENDED = {"done", "nothing"}


@pytest.mark.slow
@pytest.mark.soak
def test_two_processes_store_each_row_once(tmp_path: Path, spark: SparkSession) -> None:
    world = racing_world(tmp_path, spark)
    one, other = (view.name for view in VIEWS)
    paid: list[tuple[str, float, float]] = []
    runs = {one: 0, other: 0}

    with rival(tmp_path) as second:
        for number in range(rounds(3, soak=200)):
            paid.append(("a", float(number), 1.0))
            world.pay(("a", number, 1.0))
            # By turns: both want one view and one is refused or waits; then each has its own.
            wait = number % 2 == 0
            for theirs in (one, other):
                second.start(theirs, wait=wait)
                mine = race(world, one, wait=wait)
                statuses = [(one, mine), (theirs, second.status())]
                is_refusable = theirs == one and not wait
                for view, status in statuses:
                    assert status in ENDED | ({BUSY} if is_refusable else set())
                    runs[view] += status != BUSY
                assert any(status != BUSY for _, status in statuses)
            for view in runs:
                FIGURES.compare(paid, world.rows(view=view))
            assert world.rows(view=one) == world.rows(view=other) == paid

    records = Runs(world.layout).records()
    assert {view: sum(run.view == view for run in records) for view in runs} == runs
    assert {run.status for run in records} <= ENDED
    assert sum(run.outcome.rows_out for run in records) == 2 * len(paid)
    assert {build.state for build in Tables(world.layout).records()} == {"current"}
    assert len(Tables(world.layout).records()) == 2
