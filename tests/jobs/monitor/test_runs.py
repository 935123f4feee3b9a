"""The checks of a view's runs, on runs written by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from featurestore.definitions.model.view import FeatureView
from featurestore.jobs.monitor.observation import Observation
from featurestore.jobs.monitor.runs import ViewRuns, run_observations
from featurestore.store.ledger.runs import Outcome, RunRecord
from tests.definitions.rules.cases import view

NOW = datetime(2026, 5, 10, 12, 30, tzinfo=UTC)
HOURLY = view(schedule="0 * * * *")
HOUR = timedelta(hours=1)


def run(ago: timedelta, rows: int = 100, bad: int = 0, **changes: object) -> RunRecord:
    """Return a run that read rows so long before now."""
    begun = NOW - ago
    record = RunRecord(
        f"r{begun:%d%H%M}",
        view="activity",
        table_id="t1",
        kind="run",
        status="done",
        started_at=begun,
        ended_at=begun,
        outcome=Outcome(rows_in=rows + bad, rows_out=rows, rows_quarantined=bad),
    )
    return replace(record, **changes)


def found(
    runs: Sequence[RunRecord], of: FeatureView = HOURLY, since: timedelta = 24 * HOUR
) -> dict[str, Observation]:
    """Return the observation of each check."""
    own = ViewRuns(of, runs=runs, now=NOW, since=NOW - since)
    return {each.check: each for each in run_observations(own)}


def hours(*ago: float) -> list[RunRecord]:
    return [run(HOUR * each) for each in ago]


def test_a_view_that_keeps_its_schedule_is_ok() -> None:
    runs = hours(*(23.5 - hour for hour in range(24)))

    states = {check: each.state for check, each in found(runs).items()}

    assert states == dict.fromkeys(("run", "late", "missing", "rows", "quarantine"), "ok")


def test_a_view_is_late_once_a_whole_interval_has_passed() -> None:
    # The tick at 12:00 is 30 minutes ago: it may still be at work.
    due, late = found(hours(1))["late"], found(hours(2))["late"]

    assert (due.state, due.value, due.threshold) == ("ok", 1800.0, 3600.0)
    assert (late.state, late.value) == ("breach", 5400.0)
    assert late.fix


def test_a_view_without_any_success_is_late() -> None:
    assert found([])["late"].state == "breach"
    assert found([run(HOUR, status="failed")])["late"].state == "breach"


def test_a_view_without_a_schedule_is_never_late() -> None:
    assert {*found(hours(900), view())} == {"run", "rows", "quarantine"}


def test_missing_runs_are_counted_within_the_period() -> None:
    runs = hours(5.5, 1.5, 0.5)

    assert (found(runs)["missing"].state, found(runs)["missing"].value) == ("breach", 3.0)
    assert found(runs, since=HOUR)["missing"].state == "ok"


def test_a_gap_that_began_before_the_period_counts_from_its_start() -> None:
    assert found(hours(100.5, 0.5), since=3 * HOUR)["missing"].value == 2.0


def test_a_run_that_found_nothing_new_covers_its_tick() -> None:
    runs = [*hours(2.5), run(1.5 * HOUR, 0, status="nothing"), *hours(0.5)]

    assert found(runs)["missing"].state == "ok"


@pytest.mark.parametrize("status", ["failed", "interrupted", "skipped"])
def test_a_run_that_did_not_succeed_is_a_breach(status: str) -> None:
    last = run(HOUR, status=status, outcome=Outcome(error="the disk is full"))

    observed = found([*hours(2), last])["run"]

    assert observed.state == "breach"
    assert "the disk is full" in observed.found


def test_a_run_that_is_at_work_does_not_count() -> None:
    assert found([*hours(2), run(HOUR, status="running")])["run"].state == "ok"


def test_a_view_that_was_never_materialized_is_not_compared() -> None:
    observed = found([], view())

    assert {each.state for each in observed.values()} == {"not compared"}


@pytest.mark.parametrize(
    ("rows", "state"), [(100, "ok"), (110, "ok"), (0, "breach"), (10, "breach"), (900, "breach")]
)
def test_the_newest_run_stores_the_usual_number_of_rows(rows: int, state: str) -> None:
    earlier = [run(HOUR * (20 - each), 95 + each) for each in range(10)]

    observed = found([*earlier, run(HOUR, rows, bad=1)])["rows"]

    assert (observed.state, observed.value) == (state, rows)


def test_builds_and_runs_without_rows_say_nothing_about_the_usual_number() -> None:
    others = [run(30 * HOUR, 90_000, kind="build"), run(20 * HOUR, 0, status="nothing")]

    observed = found([*others, *hours(7, 6, 5, 4, 3, 2, 1)])["rows"]

    assert observed.state == "not compared"


@pytest.mark.parametrize(("bad", "state"), [(5, "ok"), (6, "breach")])
def test_few_rows_are_bad(bad: int, state: str) -> None:
    observed = found([run(HOUR, 100 - bad, bad)])["quarantine"]

    assert (observed.state, observed.value) == (state, bad / 100)


def test_a_source_that_became_silent_is_a_breach() -> None:
    hourly = [run(HOUR * (30 - each), 95 + each) for each in range(10)]

    def rows(*later: float) -> tuple[str, float | None]:
        empty = [run(HOUR * each, 0, status="nothing") for each in later]
        observed = found([*hourly, *empty], view())["rows"]
        return observed.state, observed.value

    assert rows() == rows(20) == ("ok", 104.0)  # one run without rows is nothing unusual
    assert rows(20, 10) == ("breach", 0.0)


def test_a_summary_covers_the_ticks_of_its_runs() -> None:
    build = run(22.9 * HOUR, kind="build")
    idle = run(15 * HOUR, 0, status="nothing")
    summary = run(22.8 * HOUR, kind="summary", ended_at=NOW - 2 * HOUR, runs=2000)

    runs = [build, idle, summary, *hours(1.5, 0.5)]

    assert (found(runs)["missing"].state, found(runs)["missing"].value) == ("ok", 0.0)
    assert found([*runs[:3], *hours(0.4)])["missing"].value == 1.0
    assert found(runs[:3])["late"].value == 1.5 * 3600


def test_a_pause_within_a_summary_is_a_usual_one() -> None:
    night = run(40 * HOUR, kind="summary", ended_at=NOW - 31 * HOUR, runs=20)
    runs = [
        *(run(HOUR * (30 - each), 95 + each) for each in range(10)),
        run(HOUR * 12, 0, status="nothing"),
    ]

    assert found([night, *runs])["rows"].state == "breach"
    assert found([replace(night, longest_pause=9 * 3600.0), *runs])["rows"].state == "ok"
