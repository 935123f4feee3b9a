"""Which views are due, decided from the registry and the ledgers alone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.jobs.schedule.cron import last_tick
from featurestore.store.ledger.runs import RunStatus
from tests.effort import examples
from tests.jobs.schedule.ledger import QUARTERLY, Ledger, at
from tests.jobs.world import SPENDING, other

DAILY = other(QUARTERLY, name="daily", source=QUARTERLY, aggregations=(), schedule="@daily")


@pytest.fixture
def ledger() -> Ledger:
    """A view of a 15-minute schedule whose table is built."""
    made = Ledger()
    made.build()
    return made


def test_a_view_is_due_at_its_tick_and_late_from_then_on(ledger: Ledger) -> None:
    ledger.run("12:00:05")

    states = [ledger.schedule(text) for text in ("12:14:59", "12:15", "12:16:30", "14:00")]

    assert [(s.is_due, s.due_since, s.late_seconds) for s in states] == [
        (False, None, None),
        (True, at("12:15"), 0),
        (True, at("12:15"), 90),
        (True, at("12:15"), 6_300),  # since the first tick that was missed
    ]
    assert [s.next_tick for s in states] == [at(t) for t in ("12:15", "12:30", "12:30", "14:15")]
    assert {s.last_success for s in states} == {at("12:00:05")}


def test_a_run_covers_the_tick_at_which_it_starts(ledger: Ledger) -> None:
    ledger.run("12:15")

    assert not ledger.schedule("12:15").is_due
    assert not ledger.schedule("12:29:59").is_due


def test_a_run_that_starts_late_covers_all_ticks_before(ledger: Ledger) -> None:
    ledger.run("11:00")
    ledger.run("12:31")

    assert not ledger.schedule("12:44").is_due


@pytest.mark.parametrize("status", ["failed", "interrupted", "skipped", "running"])
def test_only_a_success_covers_a_tick(ledger: Ledger, status: RunStatus) -> None:
    ledger.run("12:00")
    ledger.run("12:15", status)

    state = ledger.schedule("12:20")

    assert (state.reason, state.due_since) == ("scheduled", at("12:15"))


def test_a_release_covers_no_tick(ledger: Ledger) -> None:
    ledger.run("12:00")
    ledger.run("12:16", kind="release")

    state = ledger.schedule("12:20")

    assert (state.reason, state.last_success) == ("scheduled", at("12:00"))


def test_a_run_without_new_data_covers_its_tick(ledger: Ledger) -> None:
    ledger.run("12:15", "nothing")

    assert not ledger.schedule("12:20").is_due


def test_a_view_without_a_schedule_is_never_listed(ledger: Ledger) -> None:
    ledger.views = [SPENDING]

    assert ledger.schedules("12:00") == {}


def test_the_runs_of_other_views_do_not_count(ledger: Ledger) -> None:
    ledger.run("12:00")
    ledger.run("12:16", view="another")

    assert ledger.schedule("12:20").is_due


def test_a_view_that_was_never_materialized_is_due_at_once() -> None:
    state = Ledger().schedule("12:01")

    assert (state.reason, state.due_since, state.late_seconds) == (
        "never materialized",
        None,
        None,
    )


def test_a_build_that_has_not_ended_is_due_at_once() -> None:
    ledger = Ledger()
    ledger.build(state="building")
    ledger.run("12:00", "interrupted")

    assert ledger.schedule("12:01").reason == "building"


def test_a_changed_definition_is_due_at_once(ledger: Ledger) -> None:
    ledger.run("12:00")
    ledger.views = [other(QUARTERLY, transform="SELECT * FROM {source} WHERE amount > 0")]

    assert ledger.schedule("12:01").reason == "changed"


def test_a_changed_schedule_moves_the_tick_and_builds_nothing(ledger: Ledger) -> None:
    ledger.run("12:00")
    ledger.views = [other(QUARTERLY, schedule="0 * * * *")]

    assert not ledger.schedule("12:20").is_due
    assert ledger.schedule("13:00").reason == "scheduled"


def test_a_lost_ledger_of_runs_makes_its_views_due(ledger: Ledger) -> None:
    assert ledger.schedule("12:01").reason == "never materialized"


def test_a_clock_that_went_back_makes_a_view_due_once(ledger: Ledger) -> None:
    ledger.run("18:00")  # by a clock that was six hours ahead

    assert ledger.schedule("12:01").reason == "clock went back"
    ledger.run("12:01:10")

    assert not ledger.schedule("12:02").is_due
    assert ledger.schedule("12:15").due_since == at("12:15")


def test_clocks_that_differ_by_seconds_make_no_view_due(ledger: Ledger) -> None:
    ledger.run("12:15:30")

    assert not ledger.schedule("12:15:10").is_due


def test_derived_views_come_after_their_upstream_views_and_are_due_by_themselves() -> None:
    ledger = Ledger(views=[DAILY, QUARTERLY])
    ledger.build(QUARTERLY)
    ledger.build(DAILY, upstream="spending0")
    ledger.run("00:00", view="daily")
    ledger.run("12:00")

    states = ledger.schedules("12:15")

    assert [(name, s.is_due) for name, s in states.items()] == [
        ("spending", True),
        ("daily", False),
    ]


def test_a_new_table_of_the_upstream_view_makes_a_derived_view_due_in_the_same_call() -> None:
    ledger = Ledger(views=[DAILY, QUARTERLY])
    ledger.build(DAILY, upstream="spending0")
    ledger.run("00:00", view="daily")

    states = ledger.schedules("12:15")

    assert states["spending"].reason == "never materialized"
    assert states["daily"].reason == "outdated"


def test_a_damaged_ledger_of_builds_is_the_matter_of_its_own_view(ledger: Ledger) -> None:
    ledger.views.append(other(QUARTERLY, name="damaged"))
    ledger.build(ledger.views[1])
    ledger.tables[-1] = replace(ledger.tables[-1], table_id="../../elsewhere")
    ledger.run("12:00")

    states = ledger.schedules("12:01")

    assert (states["spending"].reason, states["damaged"].reason) == (None, "damaged")


def test_a_source_with_the_name_of_a_view_is_no_upstream_view() -> None:
    source = other(QUARTERLY.source, name="spending")  # type: ignore[arg-type]  # a source
    named = other(QUARTERLY, name="named", source=source)
    ledger = Ledger(views=[QUARTERLY, named])
    ledger.build(named)
    ledger.run("12:00", view="named")

    assert ledger.schedules("12:01")["named"].reason is None


@given(st.lists(st.tuples(st.integers(0, 1439), st.sampled_from(["done", "failed"])), max_size=6))
@examples(100)
def test_a_view_is_due_until_a_run_after_its_tick_succeeds(runs: list[tuple[int, str]]) -> None:
    ledger, now = Ledger(), "23:59"
    ledger.build()
    for minute, status in sorted(runs):
        ledger.run(f"{minute // 60:02}:{minute % 60:02}", status)  # type: ignore[arg-type]  # drawn

    state = ledger.schedule(now)

    tick = last_tick("*/15 * * * *", at(now))
    done = [at("00:00") + timedelta(minutes=m) for m, status in runs if status == "done"]
    assert state.is_due == (not any(moment >= tick for moment in done))
