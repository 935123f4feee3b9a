"""A ledger whose old runs were summed up says the right thing to runs, `status` and `doctor`."""

import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from featurestore.client.status import view_statuses
from featurestore.jobs.continuous.old_runs import sum_up_old_runs
from featurestore.jobs.doctor.doctor import examine
from featurestore.jobs.doctor.ledger import WRONG_RECORD
from featurestore.jobs.maintain.maintain import maintain
from featurestore.jobs.materialize.lock import view_lock
from featurestore.jobs.materialize.reconcile import reconcile
from featurestore.jobs.monitor.compared import Comparison
from featurestore.jobs.monitor.monitor import monitor
from featurestore.jobs.monitor.observation import Observation
from featurestore.monitoring.columns import profiled
from featurestore.monitoring.drift import distances
from featurestore.monitoring.merge import merged
from featurestore.monitoring.profile import ColumnProfile, Profile
from featurestore.monitoring.records import StoredProfiles, record_of, stored_profiles
from featurestore.monitoring.summary import table_summaries
from featurestore.store.ledger.profiles import Profiles
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs
from featurestore.store.ledger.tables import Tables
from tests.jobs.world import Store, stored_rows

KEEP, BATCHES = 5, 16


@pytest.fixture
def summed(shop: Store) -> Store:
    """A view of which some batches have a record of their own, and the earlier ones a summary."""
    shop.build()
    for hour in range(BATCHES):
        shop.run(stored_rows("a", hour=hour), bad=hour % 2)
    sum_up(shop)
    return shop


def sum_up(shop: Store) -> None:
    sum_up_old_runs(shop.layout, "spending", shop.now, KEEP)


def records(shop: Store) -> tuple[RunRecord, ...]:
    return Runs(shop.layout).records("spending")


def test_what_status_doctor_and_maintain_say_does_not_change(shop: Store) -> None:
    shop.build()
    for hour in range(BATCHES):
        shop.run(stored_rows("a", hour=hour))
    before = view_statuses(shop.job.applied(), shop.layout, now=shop.now)

    sum_up(shop)

    assert [run.runs for run in records(shop)] == [BATCHES - KEEP, *[1] * KEEP]
    assert view_statuses(shop.job.applied(), shop.layout, now=shop.now) == before
    assert examine(shop.job) == []
    assert all(done.error is None for done in maintain(shop.job))
    assert examine(shop.job) == []


def test_what_monitor_says_of_runs_does_not_change(shop: Store) -> None:
    shop.build()
    began = shop.now = shop.now.replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(BATCHES):  # with a pause from 02:00 to 07:00
        shop.now = began + timedelta(hours=number if number < 3 else number + 4)
        shop.run(stored_rows("a", hour=number))
        if not number:
            Runs(shop.layout).record(replace(records(shop)[-1], kind="build"))
    shop.now += timedelta(hours=4)
    idle = replace(records(shop)[-1], run_id="idle", status="nothing", started_at=shop.now)
    Runs(shop.layout).record(replace(idle, outcome=Outcome()))
    before = said(shop)

    sum_up_old_runs(shop.layout, "spending", shop.now, keep=9)

    assert [run.runs for run in records(shop)] == [1, BATCHES - 10, *[1] * 9, 1]
    assert said(shop) == before
    assert {each.state for each in before} == {"ok", "not compared"}


def said(shop: Store) -> list[Observation]:
    """What `monitor` says of a view with a schedule."""
    applied = shop.job.applied()
    return monitor(
        applied,
        shop.layout,
        [replace(applied.views[0], schedule="0 */5 * * *")],
        profiles=StoredProfiles(),
        comparison=Comparison(shop.now),
        training_set=lambda _: None,
    )


def test_the_doctor_leaves_a_summary_of_which_commits_are_gone(shop: Store) -> None:
    shop.build()
    for number in range(BATCHES):
        shop.run(stored_rows("a", hour=number))
        if number == 3:
            Runs(shop.layout).record(replace(records(shop)[-1], kind="release"))
    sum_up(shop)
    summary = next(run for run in records(shop) if run.kind == "summary")
    DeltaTable(shop.uri(), version=3).create_checkpoint()
    for version in range(3):
        Path(shop.uri(), "_delta_log", f"{version:020}.json").unlink()

    found = examine(shop.job, repair=True)

    assert WRONG_RECORD not in {each.code for each in found}
    assert summary in records(shop)


def test_a_killed_run_is_recorded_and_no_run_of_a_summary_a_second_time(summed: Store) -> None:
    run_id = summed.run(stored_rows("b", hour=BATCHES))
    newest = records(summed)[-1]
    killed = replace(newest, status="running", ended_at=None)
    Runs(summed.layout).record(killed)
    past = records(summed)

    added = reconcile(summed.layout, Tables(summed.layout).records(), past, summed.now)

    assert [(run.run_id, run.status) for run in added] == [(run_id, "done")]
    assert len(records(summed)) == len(past)
    assert examine(summed.job) == []


def test_a_lost_ledger_is_made_again_from_the_commits_and_summed_up_again(summed: Store) -> None:
    total = sum(run.outcome.rows_in for run in records(summed))
    shutil.rmtree(summed.layout.runs())
    reconcile(summed.layout, Tables(summed.layout).records(), (), summed.now)

    sum_up(summed)

    # Of the first commit, the reason is taken to be a build.
    assert [run.runs for run in records(summed)] == [1, BATCHES - KEEP - 1, *[1] * KEEP]
    assert sum(run.outcome.rows_in for run in records(summed)) == total
    assert examine(summed.job) == []


def test_the_doctor_compares_a_summary_with_the_commits_of_its_runs(summed: Store) -> None:
    summary = records(summed)[0]
    wrong = replace(summary.outcome, rows_out=summary.outcome.rows_out + 1)
    Runs(summed.layout).record(replace(summary, outcome=wrong))

    found = examine(summed.job)
    repaired = examine(summed.job, repair=True)

    assert [each.code for each in found] == [WRONG_RECORD]
    assert [each.is_repaired for each in repaired] == [True]
    assert examine(summed.job) == []
    assert records(summed)[0].outcome == summary.outcome
    assert [run.runs for run in records(summed)] == [BATCHES - KEEP, *[1] * KEEP]


def test_profiles_of_old_runs_are_joined_by_day_but_the_first(shop: Store) -> None:
    shop.build()
    began = shop.now = shop.now.replace(hour=0, minute=0, second=0, microsecond=0)
    profiles = Profiles(shop.layout)
    for hour in range(BATCHES):
        shop.now = began + timedelta(hours=hour)
        run_id = shop.run(stored_rows("a", hour=hour))
        rows = record_of(profile(run_id, shop.now, *range(hour + 1)))
        table = replace(rows, kind="table")
        profiles.record([rows, table, replace(rows, view="copied")])
    before, week = profiles.heads("spending"), together(shop)

    sum_up(shop)

    old = BATCHES - KEEP - 1
    kept = [f"r-t1-{number}" for number in (0, *range(old, BATCHES))]
    after = profiles.heads("spending")
    assert [head.run_id for head in after if head.kind == "rows"] == kept
    assert [head.run_id for head in after if head.kind == "table"] == kept
    assert {*after} < {*before}
    assert len(profiles.heads("copied")) == BATCHES
    first, day, *_ = [each for each in stored_profiles(shop.layout, "spending") if has_rows(each)]
    assert [each.columns[0].rows for each in (first, day)] == [1, sum(range(2, old + 2))]
    joined = together(shop)
    assert (joined.rows, joined.minimum, joined.maximum) == (week.rows, 0.0, BATCHES - 1)
    assert joined.mean == pytest.approx(week.mean)
    assert joined.stddev == pytest.approx(week.stddev)
    assert {each.measure: each.value for each in distances(week, joined, {"ks": 0.1})}["ks"] < 0.02


def profile(run_id: str, at: datetime, *amounts: float) -> Profile:
    column = pa.table({"amount": pa.array(amounts, pa.float64())})
    columns = table_summaries([profiled("amount", pa.float64())], column)
    return Profile(
        "spending", run_id=run_id, build_id="t1", at=at, kind="rows", columns=tuple(columns)
    )


def has_rows(profile: Profile) -> bool:
    return profile.kind == "rows"


def together(shop: Store) -> ColumnProfile:
    """What a week is compared by: all profiles of the rows of runs, as one."""
    own = filter(has_rows, stored_profiles(shop.layout, "spending"))
    return merged([each.columns[0] for each in own])


def test_a_damaged_profile_stays_and_the_others_of_its_day_are_joined(shop: Store) -> None:
    shop.build()
    shop.now = shop.now.replace(hour=0, minute=0, second=0, microsecond=0)
    profiles = Profiles(shop.layout)
    for number in range(BATCHES):
        run_id = shop.run(stored_rows("a", hour=number))
        whole = record_of(profile(run_id, shop.now, 1.0))
        profiles.record([replace(whole, columns="{") if number == 4 else whole])
        shop.now += timedelta(minutes=1)

    sum_up(shop)

    kept = [f"r-t1-{number}" for number in (0, 4, *range(BATCHES - KEEP - 1, BATCHES))]
    assert [head.run_id for head in profiles.heads("spending")] == kept


def test_summing_up_is_put_off_while_another_process_has_the_lock(shop: Store) -> None:
    shop.build()
    for hour in range(BATCHES):
        shop.run(stored_rows("a", hour=hour))

    with view_lock(shop.layout, "spending", "r1", shop.now):
        sum_up(shop)

    assert len(records(shop)) == BATCHES
