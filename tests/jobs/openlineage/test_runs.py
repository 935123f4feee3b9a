"""The events of real runs: that succeed, find nothing, fail, are killed, and are repaired."""

from dataclasses import replace
from datetime import timedelta

import pytest

from featurestore.jobs.materialize.job import Job
from featurestore.jobs.materialize.start import materialize
from featurestore.store.fault_points import VARIABLE
from featurestore.store.ledger.runs import RunRecord, Runs
from featurestore.store.ledger.tables import Tables
from tests.jobs.world import World

pytestmark = pytest.mark.spark


def test_each_run_is_observed_from_its_beginning_to_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str, str]] = []

    def observe(view: object, record: RunRecord, beginning: str, /) -> None:
        seen.append((record.kind, record.status, beginning))

    def run() -> list[tuple[str, str, str]]:
        seen.clear()
        job: Job = replace(world.job, on_run=observe)
        materialize(job)
        return [*seen]

    world.pay(("a", 0, 1.0))
    built, idle = run(), run()
    world.pay(("b", 1, 2.0))
    monkeypatch.setenv(VARIABLE, "spending/rows.computed=raise")
    failed = run()
    monkeypatch.delenv(VARIABLE)
    _leave_as_killed(world)
    after = run()

    assert built == [("build", "running", "seen"), ("build", "done", "seen")]
    assert idle == [("run", "nothing", "unseen")]
    assert failed == [("run", "running", "seen"), ("run", "failed", "seen")]
    assert after == [
        ("run", "interrupted", "killed"),
        ("run", "running", "seen"),
        ("run", "done", "seen"),
    ]


def _leave_as_killed(world: World) -> None:
    """Record a run that began and whose process ended, as a kill leaves it."""
    current = Tables(world.layout).current("spending")
    if current is None:
        raise LookupError("spending")
    Runs(world.layout).record(
        RunRecord(
            "killed",
            view="spending",
            table_id=current.table_id,
            kind="run",
            status="running",
            started_at=world.now - timedelta(hours=1),
        )
    )
