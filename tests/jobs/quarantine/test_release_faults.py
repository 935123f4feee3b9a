"""After a release that failed at any step, the next run leaves no half of it."""

import pandera.polars as pandera
import polars as pl
import pytest

from featurestore.jobs.doctor.doctor import examine
from featurestore.jobs.materialize.start import materialize
from featurestore.jobs.quarantine.release import release
from featurestore.jobs.quarantine.rows import quarantined_rows
from featurestore.store.fault_points import RELEASE_POINTS, VARIABLE, InjectedError
from featurestore.store.ledger.runs import Runs
from tests.jobs.world import SPENDING, World, other

SMALL = pandera.DataFrameSchema({"amount": pandera.Column(pl.Float64, pandera.Check.le(100))})
CALM = "calm"
VIEWS = {point: f"fails_at_{point.partition('.')[2]}" for point in RELEASE_POINTS}
STORED = ("release.committed", "release.finished")


def states(world: World, view: str) -> list[tuple[object, ...]]:
    rows = quarantined_rows(world.layout, world.job.applied(), view)
    return sorted((row.values["amount"], row.state, row.released_at) for row in rows)


@pytest.mark.slow
def test_the_next_run_completes_or_takes_back_a_release_that_failed_at_any_step(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [CALM, *VIEWS.values()]
    world.views = [other(SPENDING, name=name, expectations=SMALL) for name in names]
    world.pay(("a", 0, 5.0), ("a", 1, 101.0), (None, 2, 6.0))
    materialize(world.job)
    before = states(world, CALM)
    world.views = [other(SPENDING, name=name) for name in names]
    release(world.job, CALM)

    faults = (f"{view}/{point}=raise" for point, view in VIEWS.items())
    monkeypatch.setenv(VARIABLE, ",".join(faults))
    for view in VIEWS.values():
        with pytest.raises(InjectedError):
            release(world.job, view)
    monkeypatch.delenv(VARIABLE)
    materialize(world.job, [*VIEWS.values()])

    for point, view in VIEWS.items():
        if point not in STORED:
            assert states(world, view) == before
            release(world.job, view)
        assert states(world, view) == states(world, CALM)
        assert world.rows(view=view) == world.rows(view=CALM) == [("a", 0, 5.0), ("a", 1, 101.0)]
        kinds = [run.kind for run in Runs(world.layout).records(view) if run.kind == "release"]
        assert kinds == ["release"]
    assert examine(world.job) == []
