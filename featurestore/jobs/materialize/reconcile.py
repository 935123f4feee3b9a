"""The ledger of runs completed from the tables' commits, which are the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from featurestore.engines.spark.write.batch import COMMIT_SCHEMA
from featurestore.store.delta.log import Commit, commits
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs, RunStatus
from featurestore.store.ledger.tables import TableRecord
from featurestore.times import from_micros


def outcome(found: Sequence[Commit]) -> Outcome:
    """Return what a run did, from the commits that it made.

    Example:
        >>> outcome([]).rows_out
        0
    """
    if not found:
        return Outcome()
    notes = [commit.notes for commit in found]
    newest = [n["max_event_timestamp"] for n in notes if n["max_event_timestamp"] is not None]
    return Outcome(
        version=found[-1].version,
        batches=len(found),
        rows_in=_total(notes, "rows_in"),
        rows_out=_total(notes, "rows_out"),
        null_rows=_total(notes, "null_rows"),
        null_unique_rows=_total(notes, "null_unique_rows"),
        max_event_timestamp=from_micros(max(int(str(n)) for n in newest)) if newest else None,
        source_offset=str(notes[-1]["source_offset"]),
    )


def of_run(found: Sequence[Commit], run_id: str) -> list[Commit]:
    """Return those commits that a run made.

    Example:
        >>> of_run([], "r1")
        []
    """
    return [
        commit
        for commit in found
        if commit.notes.get("schema") == COMMIT_SCHEMA and commit.notes.get("run_id") == run_id
    ]


def reconcile(layout: Layout, tables: Sequence[TableRecord], now: datetime) -> list[RunRecord]:
    """Complete the ledger by what crashed runs left behind, and return the records added.

    A process that was killed leaves its run as running, or, if the ledger itself was lost, commits
    that no run is known of. The caller holds the view's lock, so nobody is running now.

    Args:
        layout: Where the tables lie.
        tables: The newest records of one view's builds.
        now: The present moment.
    """
    if not tables:
        return []
    runs = Runs(layout)
    known = {run.run_id: run for run in runs.records(tables[0].view)}
    added = [record for table in tables for record in _completed(layout, table, known, now)]
    if added:
        runs.record(*added)
    return added


def _total(notes: Sequence[Mapping[str, object]], name: str) -> int:
    return sum(int(str(note.get(name, 0))) for note in notes)


def _completed(
    layout: Layout, table: TableRecord, known: Mapping[str, RunRecord], now: datetime
) -> list[RunRecord]:
    own = [run for run in known.values() if run.table_id == table.table_id]
    dangling = [run for run in own if run.status == "running"]
    versions = [run.outcome.version for run in own if run.outcome.version is not None]
    found = commits(
        layout.features(table.view, table.table_id),
        after=-1 if dangling else max(versions, default=-1),
    )
    unknown = {
        str(commit.notes["run_id"])
        for commit in found
        if commit.notes.get("schema") == COMMIT_SCHEMA and commit.notes["run_id"] not in known
    }
    return [
        *(_ended(run, table, of_run(found, run.run_id), now) for run in dangling),
        *(_rebuilt(run_id, table, of_run(found, run_id)) for run_id in sorted(unknown)),
    ]


def _ended(
    run: RunRecord, table: TableRecord, found: Sequence[Commit], now: datetime
) -> RunRecord:
    # A build is done when the pointer has moved to it, a run when it has committed.
    complete = bool(found) and (run.kind == "run" or table.state != "building")
    did = outcome(found)
    if not complete:
        did = replace(did, error="the process ended before the run did")
    status: RunStatus = "done" if complete else "interrupted"
    return replace(run, status=status, ended_at=now, outcome=did)


def _rebuilt(run_id: str, table: TableRecord, found: Sequence[Commit]) -> RunRecord:
    return RunRecord(
        run_id,
        view=table.view,
        table_id=table.table_id,
        kind="build" if found[0].version == 0 else "run",
        status="done",
        started_at=datetime.fromisoformat(str(found[0].notes["started_at"])),
        ended_at=found[-1].at,
        outcome=outcome(found),
    )
