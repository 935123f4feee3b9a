"""After a repair, the next run reads the rows of the lost commit again, each once."""

from pathlib import Path

import pytest

from featurestore.jobs.doctor.doctor import examine
from featurestore.store.ledger.runs import Runs
from tests.jobs.materialize.test_file_sources import put, source_of
from tests.jobs.world import SPENDING, World, other


def damage(world: World, table_id: str) -> None:
    """Cut the newest commit, as a loss of power does."""
    log = Path(world.layout.features("spending", table_id), "_delta_log")
    newest = max(log.glob("*.json"))
    newest.write_bytes(newest.read_bytes()[:100])


def repaired(world: World) -> list[str]:
    return [finding.code for finding in examine(world.job, repair=True) if finding.is_repaired]


@pytest.mark.slow
def test_of_a_delta_source(world: World) -> None:
    for hour, card in enumerate("abc"):
        world.pay((card, hour, 1.0))
        run = world.materialize()
    damage(world, run.table_id)

    codes = repaired(world)
    again = world.materialize()
    world.pay(("d", 3, 1.0))
    last = world.materialize()

    assert codes == ["D102"]
    assert [(each.status, each.rows_out) for each in (again, last)] == [("done", 1), ("done", 1)]
    assert world.rows() == [(card, hour, 1.0) for hour, card in enumerate("abcd")]
    assert examine(world.job) == []
    statuses = [each.status for each in Runs(world.layout).records()]
    assert statuses == ["done", "done", "failed", "done", "done"]


@pytest.mark.slow
def test_of_files(world: World) -> None:
    world.views = [other(SPENDING, source=source_of("csv"))]
    for hour, card in enumerate("ab"):
        put(world, f"{hour}.csv", (card, hour, 1.0))
        run = world.materialize()
    damage(world, run.table_id)

    codes = repaired(world)
    again = world.materialize()

    assert codes == ["D102"]
    assert again.status == "done"
    assert world.rows() == [("a", 0, 1.0), ("b", 1, 1.0)]
    assert {each.code for each in examine(world.job)} <= {"D401"}
