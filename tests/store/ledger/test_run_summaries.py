"""Old runs are summed up day by day: the counts stay, and the ledger of runs stays short."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from featurestore.store.layout import Layout
from featurestore.store.ledger.run_summaries import sum_up
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEEP = 1000


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path / "demo"))


def batch(number: int, view: str = "v", seconds: int = 60) -> list[RunRecord]:
    """The two records of a run that stored rows."""
    at = NOON + timedelta(seconds=number * seconds)
    begun = RunRecord(
        f"{view}{number}", view=view, table_id="t1", kind="run", status="running", started_at=at
    )
    did = Outcome(
        version=number,
        batches=1,
        rows_in=number % 7 + 2,
        rows_out=number % 7 + 1,
        rows_quarantined=1,
        failures={"amount": number % 2},
        max_event_timestamp=at,
        source_offset=str(number),
    )
    return [begun, replace(begun, status="done", ended_at=at, outcome=did)]


def failure(number: int) -> list[RunRecord]:
    begun, done = batch(number)
    return [begun, replace(done, status="failed", outcome=Outcome(error="no broker"))]


def counts(runs: tuple[RunRecord, ...]) -> Counter[str]:
    total = Counter[str]()
    for run in runs:
        did = run.outcome
        total += Counter(did.failures)
        total += Counter(
            rows_in=did.rows_in,
            rows_out=did.rows_out,
            quarantined=did.rows_quarantined,
            batches=did.batches,
            runs=run.runs,
        )
    return total


def rows_of(layout: Layout) -> int:
    return DeltaTable(layout.runs()).count()


def test_a_ledger_of_thousands_of_batches_has_their_counts_in_a_record_a_day(
    layout: Layout,
) -> None:
    ledger = Runs(layout)
    build, *others = [record for number in range(5000) for record in batch(number)]
    ledger.record(replace(build, kind="build"), *failure(5000))
    ledger.record(replace(others[0], kind="build"), *others[1:])
    ledger.record(*batch(0, "w"))
    before = ledger.records("v")

    oldest = sum_up(ledger, "v", KEEP)

    after = ledger.records("v")
    days = (4999 - KEEP) // (24 * 60) + 1  # one a minute
    kinds = Counter((run.kind, run.status) for run in after)
    assert kinds == {
        ("build", "done"): 1,
        ("summary", "done"): days + 1,  # the first day begins at noon
        ("run", "done"): KEEP,
        ("run", "failed"): 1,
    }
    assert rows_of(layout) == 2 + days + 1 + 2 * KEEP + 2 + 2
    assert counts(after) == counts(before)
    assert after[-KEEP:] == before[-KEEP:]
    assert oldest == before[-KEEP:][0].started_at
    assert [run.run_id for run in ledger.records("w")] == ["w0"]


def test_later_runs_of_a_day_are_added_to_its_summary(layout: Layout) -> None:
    ledger = Runs(layout)
    for first in range(0, 60, 10):
        runs = [record for number in range(first, first + 10) for record in batch(number)]
        ledger.record(*runs, *failure(1000 + first))
        sum_up(ledger, "v", 4)

    runs = ledger.records("v")
    summary, *others = [run for run in runs if run.status == "done"]
    assert (summary.kind, summary.runs, summary.started_at) == ("summary", 56, NOON)
    assert summary.outcome.rows_out == sum(number % 7 + 1 for number in range(56))
    assert summary.outcome.max_event_timestamp == NOON + timedelta(minutes=55)
    assert (summary.outcome.version, summary.outcome.source_offset) == (55, "55")
    assert [run.run_id for run in others] == ["v56", "v57", "v58", "v59"]
    assert runs[-1].status == "failed"
    assert sum_up(ledger, "v", 4) is None


def test_summaries_alone_are_not_summed_up_again(layout: Layout) -> None:
    ledger = Runs(layout)
    day = 24 * 3600
    ledger.record(*(record for number in range(12) for record in batch(number, seconds=day)))
    assert sum_up(ledger, "v", 4) is not None
    ledger.record(*batch(12, seconds=day))

    assert sum_up(ledger, "v", 4) is None


def test_a_summary_has_the_longest_pause_between_its_runs(layout: Layout) -> None:
    ledger = Runs(layout)
    for numbers in ((0, 1, 2, 302, 303, 304), (305, 306, 307, 308)):
        ledger.record(*(record for number in numbers for record in batch(number)))
        sum_up(ledger, "v", 2)

    summary, *others = ledger.records("v")

    assert (summary.runs, summary.longest_pause) == (8, 300 * 60.0)
    assert [run.longest_pause for run in others] == [0.0, 0.0]


def test_records_of_an_older_release_stay_as_they_are(layout: Layout) -> None:
    begun, done = batch(0)
    row = {"run_id": "old", "view": "v", "table_id": "t1", "kind": "run", "status": "done"}
    row |= {"started_at": begun.started_at, "version": 0, "rows_in": 3, "rows_out": 2}
    write_deltalake(layout.runs(), pa.Table.from_pylist([row]))
    ledger = Runs(layout)
    ledger.record(*(record for number in range(1, 5) for record in batch(number)))

    sum_up(ledger, "v", 1)

    old, summary, newest = ledger.records("v")
    assert (old.run_id, old.runs, old.outcome.rows_out) == ("old", 1, 2)
    assert (summary.kind, summary.runs, newest.run_id) == ("summary", 3, "v4")
    assert done.runs == 1


def test_a_ledger_is_summed_up_beside_a_process_that_appends(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Runs(layout)
    ledger.record(*(record for number in range(6) for record in batch(number)))
    write, appended = write_deltalake, []

    def write_late(*arguments: object, **options: object) -> None:
        if options.get("predicate") and not appended:
            appended.append(1)
            ledger.record(*batch(0, "w"))
        write(*arguments, **options)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr("featurestore.store.ledger.append.write_deltalake", write_late)

    sum_up(ledger, "v", 2)

    assert [run.runs for run in ledger.records("v")] == [4, 1, 1]
    assert [run.run_id for run in ledger.records("w")] == ["w0"]
