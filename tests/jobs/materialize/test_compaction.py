"""A run joins the small files of its table, beside readers and the streams of derived views."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.materialize.start import materialize
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.ledger.runs import Runs
from tests.jobs.world import SPENDING, World, other

DERIVED = other(SPENDING, name="copied", source=SPENDING, aggregations=())
WITH_LATEST = other(SPENDING, latest=True)


def runs(world: World, limit: int, *views: str) -> dict[str, RunResult]:
    results = materialize(replace(world.job, compact_small_files=limit), [*views] or None)
    return {result.view: result for result in results}


def files_of(world: World, view: str = "spending") -> int:
    return int(open_snapshot(world.table(view).table_uri.removeprefix("file://")).files.num_rows)


@pytest.mark.slow
def test_runs_join_their_files_and_a_derived_stream_reads_each_row_once(world: World) -> None:
    world.views = [WITH_LATEST, replace(DERIVED, source=WITH_LATEST)]
    for hour in range(3):
        world.pay((f"card-{hour}", hour, 1.0), ("a", hour, 2.0))
        runs(world, 0)
    pinned = world.table()

    world.pay(("b", 9, 5.0))
    joined = runs(world, 2)["spending"]  # the derived view reads on, below the compaction
    nothing = runs(world, 2)
    world.pay(("c", 10, 6.0))
    last = runs(world, 2)

    assert joined.message.endswith("; joined 4 files to 1")
    assert [run.status for run in nothing.values()] == ["nothing", "nothing"]
    assert [(run.status, run.rows_out) for run in last.values()] == [("done", 1), ("done", 1)]
    assert (files_of(world), files_of(world, "copied")) == (2, 2)
    assert world.rows() == world.rows(view="copied")
    assert len(world.rows()) == 8
    assert pa.table(pinned.scan()).num_rows == 6
    assert [row["card_id"] for row in world.latest()] == [
        "a",
        "b",
        "c",
        "card-0",
        "card-1",
        "card-2",
    ]


@pytest.mark.slow
def test_a_derived_view_that_lags_behind_reads_the_files_that_were_joined(world: World) -> None:
    world.views = [SPENDING, DERIVED]
    world.pay(("a", 0, 1.0))
    runs(world, 0)
    for hour in range(1, 4):
        world.pay((f"card-{hour}", hour, 1.0))
        runs(world, 2, "spending")

    derived = runs(world, 2)["copied"]

    assert derived.rows_out == 3
    assert world.rows() == world.rows(view="copied")


@pytest.mark.slow
def test_a_compaction_that_fails_leaves_the_run_as_it_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.pay(("a", 0, 1.0))
    runs(world, 0)
    world.pay(("b", 1, 1.0))
    (first,) = world.table().file_uris()
    damaged = Path(first.removeprefix("file://"))
    damaged.write_bytes(damaged.read_bytes()[:20])

    run = runs(world, 1)["spending"]

    assert run.status == "done"
    assert "were not joined" in run.message
    assert Runs(world.layout).records("spending")[-1].status == "done"
