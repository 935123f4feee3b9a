"""The loop with Spark: batches of new rows, failures, changed definitions, and its end."""

import time
from dataclasses import replace

import pytest
from deltalake import write_deltalake

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import ConflictError, RequestError
from featurestore.jobs.continuous.loop import materialize_continuously
from featurestore.jobs.continuous.old_runs import KEPT_RUNS
from featurestore.jobs.continuous.state import continuous_lock, read_state
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs
from tests.jobs.continuous.running import QUICK, continuously, live
from tests.jobs.faults import FILES, pay
from tests.jobs.world import (
    DERIVED,
    NOON,
    PAYMENTS,
    SPENDING,
    Store,
    World,
    other,
    payments_table,
)

PAST = RunRecord("old", view="spending", table_id="t0", kind="run", status="done", started_at=NOON)
"""A run on a table that was replaced since."""
OF_FILES = other(SPENDING, name="of_files", source=FILES)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([], id="tables"),
        pytest.param([OF_FILES], marks=pytest.mark.integration, id="files_too"),
    ],
)
def test_new_rows_are_stored_batch_by_batch_and_nothing_is_recorded_in_between(
    world: World, others: list[FeatureView]
) -> None:
    world.views = [SPENDING, DERIVED, *others]
    names = [view.name for view in world.views]
    past = [replace(PAST, run_id=f"old-{n}", outcome=Outcome(version=n)) for n in range(1600)]
    Runs(world.layout).record(*past)
    pay(world, ("a", 1, 1.0))

    with continuously(live(world)) as running:
        running.wait_for(lambda: all(running.ended(name) == 1 for name in names))
        pay(world, ("a", 2, 2.0), ("b", 2, 3.0))
        running.wait_for(lambda: running.ended("spending") == 2)
        state = read_state(world.layout, "spending")  # while the derived view still runs
        running.wait_for(lambda: all(running.ended(name) == 2 for name in names))
        time.sleep(0.5)  # triggers without new rows
        results = running.end()

    for name in names:
        assert world.rows(view=name) == [("a", 1, 1.0), ("a", 2, 2.0), ("b", 2, 3.0)]
    assert [(result.view, result.status, result.rows_out) for result in results] == [
        (name, "done", 2) for name in sorted(names)
    ]
    assert state is not None
    assert (state.batches, state.rows, state.last_batch_rows, state.failures) == (2, 3, 2, 0)
    assert state.last_run_at == state.last_batch_at is not None
    runs = Runs(world.layout).records("spending")
    assert [run.runs for run in runs if run.table_id == "t0"] == [1600 - KEPT_RUNS] + [
        1
    ] * KEPT_RUNS
    assert [run.status for run in runs if run.table_id != "t0"] == ["done", "done"]
    assert read_state(world.layout, "spending") is None


def test_a_view_that_fails_is_tried_again_until_it_succeeds_while_others_go_on(
    world: World,
) -> None:
    late = other(SPENDING, name="late", source=replace(PAYMENTS, path="late"))
    world.views = [SPENDING, late]
    world.pay(("a", 1, 1.0))

    with continuously(live(world)) as running:
        running.wait_for(lambda: running.ended("late", "failed") == 1)
        states = [read_state(world.layout, "late")]
        running.wait_for(lambda: running.ended("late", "failed") == 3)
        states.append(read_state(world.layout, "late"))
        write_deltalake(world.folder / "late", payments_table([("b", 1, 2.0)]))
        running.wait_for(lambda: running.ended("late") == 1)
        results = {result.view: result.status for result in running.end()}

    assert results == {"spending": "done", "late": "done"}
    failures = [0 if state is None else state.failures for state in states]
    assert 1 <= failures[0] <= failures[1] and failures[1] >= 3
    runs = Runs(world.layout).records("late")
    assert {run.status for run in runs[:-1]} == {"failed"}
    assert (runs[-1].status, world.rows(view="late")) == ("done", [("b", 1, 2.0)])


def test_the_loop_ends_when_no_view_is_tried_again(world: World) -> None:
    broken = other(SPENDING, transform="SELECT card_id, at, nothing AS amount FROM {source}")
    world.views = [broken, other(DERIVED, source=broken)]
    world.pay(("a", 1, 1.0))

    results = materialize_continuously(live(world), pace=QUICK)

    assert {result.view: result.status for result in results} == {
        "spending": "failed",
        "copied": "skipped",
    }


def test_another_definition_is_taken_up_when_it_is_applied(world: World) -> None:
    world.pay(("a", 1, 1.0))
    job, views = live(world), [[SPENDING]]
    changed = replace(
        job, applied=lambda: Manifest.of(views[-1]), loaded=lambda: Manifest.of(views[-1])
    )

    with continuously(changed) as running:
        running.wait_for(lambda: running.ended("spending") == 1)
        views.append(
            [other(SPENDING, transform="SELECT card_id, at, amount * 2 AS amount FROM {source}")]
        )
        running.wait_for(lambda: running.ended("spending") == 2)
        running.end()

    assert [run.kind for run in Runs(world.layout).records("spending")] == ["build", "build"]


def test_one_process_at_a_time_materializes_a_view_continuously(shop: Store) -> None:
    with continuous_lock(shop.layout, "spending"), pytest.raises(ConflictError) as caught:
        materialize_continuously(shop.job)

    assert caught.value.exit_code == 5


def test_a_snapshot_view_is_refused_by_name(shop: Store) -> None:
    shop.views = [other(SPENDING, snapshot=True, aggregations=())]

    with pytest.raises(RequestError):
        materialize_continuously(shop.job, ["spending"])
