"""The runs of what is due: their order, retries after failures, and several callers at once."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from featurestore.errors import ConflictError, RequestError
from featurestore.jobs.materialize.job import Job, RunResult
from featurestore.jobs.materialize.lock import is_locked, view_lock
from featurestore.jobs.materialize.progress import ProgressEvent
from featurestore.jobs.schedule.run import materialize_due
from featurestore.jobs.schedule.states import due
from featurestore.store.ledger.runs import Runs
from tests.jobs.world import NOON, PAYMENTS, SPENDING, World, other

UPSTREAM = other(SPENDING, aggregations=(), schedule="@hourly")
BY_DAY = other(SPENDING, name="by_day", source=UPSTREAM, schedule="@hourly")
OTHER = other(SPENDING, name="other", source=replace(PAYMENTS, name="more", path="more"))


@pytest.fixture
def world(world: World) -> World:
    """A scheduled view, one that derives from it, and one without a schedule."""
    world.views = [BY_DAY, UPSTREAM, OTHER]
    world.pay(("a", 0, 1.0))
    return world


def names(world: World) -> list[str]:
    states = due(world.job.applied(), world.layout, world.now)
    return [state.view for state in states if state.is_due]


def run(world: World, job: Job | None = None, **options: object) -> dict[str, RunResult]:
    """Run what is due, and return the results by view."""
    results = materialize_due(job or world.job, names(world), **options)  # type: ignore[arg-type]  # passed through
    return {result.view: result for result in results}


def recorded(world: World) -> list[tuple[str, str]]:
    return [(run.view, run.status) for run in Runs(world.layout).records()]


def test_views_run_in_the_order_of_their_derivation_and_only_if_they_are_due(world: World) -> None:
    assert [*run(world)] == ["spending", "by_day"]
    assert world.rows(view="by_day") == [("a", 0, 1.0)]
    assert names(world) == []
    world.now += timedelta(hours=1)
    world.pay(("a", 1, 2.0))

    results = run(world)

    assert {name: r.rows_out for name, r in results.items()} == {"spending": 1, "by_day": 1}
    assert recorded(world) == [("spending", "done"), ("by_day", "done")] * 2


def test_a_failed_view_is_run_again_with_its_dependants(world: World) -> None:
    world.views = [BY_DAY, UPSTREAM, replace(OTHER, schedule="@hourly")]
    source, hidden = world.folder / "payments", world.folder / "more"
    source.rename(hidden)
    events: list[ProgressEvent] = []

    def heal(event: ProgressEvent) -> None:
        events.append(event)
        if event.phase == "waiting" and event.message and not source.exists():
            source.symlink_to(hidden)

    results = run(world, replace(world.job, retries=1), progress=heal)

    assert {name: r.status for name, r in results.items()} == dict.fromkeys(
        ("other", "spending", "by_day"), "done"
    )
    assert sorted(recorded(world)) == [
        ("by_day", "done"),
        ("by_day", "skipped"),
        ("other", "done"),
        ("spending", "done"),
        ("spending", "failed"),
    ]
    assert len({run.run_id for run in Runs(world.layout).records()}) == 5
    assert {e.view for e in events if e.message.startswith("attempt 2 of 2")} == {
        "by_day",
        "spending",
    }


def test_the_last_failure_is_the_result_and_the_view_stays_due(world: World) -> None:
    (world.folder / "payments").rename(world.folder / "hidden")

    results = run(world, replace(world.job, retries=2))

    assert {name: r.status for name, r in results.items()} == {
        "spending": "failed",
        "by_day": "skipped",
    }
    assert recorded(world).count(("spending", "failed")) == 3
    assert names(world) == ["spending", "by_day"]


def test_a_definition_that_is_not_applied_fails_its_own_view_only(world: World) -> None:
    edited = other(UPSTREAM, transform="SELECT * FROM {source} WHERE amount > 0")
    third = other(SPENDING, name="third", schedule="@hourly")
    world.views = [BY_DAY, UPSTREAM, third]
    loaded = World(world.folder, world.spark, views=[BY_DAY, edited, third]).job.loaded

    results = run(world, replace(world.job, loaded=loaded, retries=1))

    assert {name: r.status for name, r in results.items()} == {
        "spending": "failed",
        "third": "done",
        "by_day": "skipped",
    }
    assert isinstance(results["spending"].error, RequestError)
    assert sorted(recorded(world)) == [
        ("by_day", "skipped"),
        ("spending", "failed"),
        ("third", "done"),
    ]


def test_who_comes_second_is_refused_with_the_process_of_the_first(world: World) -> None:
    with (
        view_lock(world.layout, "spending", "r1", NOON),
        view_lock(world.layout, "by_day", "r1", NOON),
        pytest.raises(ConflictError) as refused,
    ):
        run(world)

    assert refused.value.exit_code == 5
    assert "pid" in refused.value.found
    assert recorded(world) == []


def test_views_that_others_run_are_left_out_with_their_dependants(world: World) -> None:
    world.views = [BY_DAY, UPSTREAM, other(SPENDING, name="third", schedule="@hourly")]

    with view_lock(world.layout, "spending", "r1", NOON):
        results = run(world)

    assert {name: r.status for name, r in results.items()} == {
        "third": "done",
        "spending": "skipped",
        "by_day": "skipped",
    }
    assert isinstance(results["by_day"].error, ConflictError)
    assert recorded(world) == [("third", "done")]


def test_the_lock_of_a_view_is_free_once_its_run_has_succeeded(world: World) -> None:
    free: dict[str, bool] = {}

    def look(event: ProgressEvent) -> None:
        if (event.view, event.phase) == ("by_day", "reading"):
            free.update(
                {name: not is_locked(world.layout, name) for name in ("spending", "by_day")}
            )

    results = run(world, progress=look)

    assert [result.status for result in results.values()] == ["done", "done"]
    assert free == {"spending": True, "by_day": False}
    assert not is_locked(world.layout, "by_day")


def test_who_waits_runs_nothing_that_the_other_has_done(world: World) -> None:
    waiting, ended, results = threading.Event(), threading.Event(), []

    def wait_for_the_lock(event: ProgressEvent) -> None:
        if event.message.startswith("another process"):
            waiting.set()

    def second() -> None:
        assert names_before == ["spending", "by_day"]
        results.extend(
            materialize_due(world.job, names_before, wait=True, progress=wait_for_the_lock)
        )
        ended.set()

    names_before = names(world)
    thread = threading.Thread(target=second)

    def begin(event: ProgressEvent) -> None:
        if event.phase == "checking" and not thread.is_alive() and not ended.is_set():
            thread.start()
            assert waiting.wait(30)

    first = run(world, progress=begin)
    thread.join(60)

    assert [result.status for result in first.values()] == ["done", "done"]
    assert (ended.is_set(), results) == (True, [])
    assert recorded(world) == [("spending", "done"), ("by_day", "done")]
