"""The ledger of runs completed from the tables' commits, which are the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from featurestore.store.commit import BatchCommit, batch_commits
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs, RunStatus
from featurestore.store.ledger.tables import TableRecord
from featurestore.times import from_micros


def outcome(commits: Sequence[BatchCommit]) -> Outcome:
    """Return what a run did, from the commits of its batches.

    Example:
        >>> outcome([]).rows_out
        0
    """
    if not commits:
        return Outcome()
    notes = [commit.notes for commit in commits]
    newest = [n.max_event_timestamp for n in notes if n.max_event_timestamp is not None]
    return Outcome(
        version=commits[-1].version,
        batches=len(commits),
        rows_in=sum(note.rows_in for note in notes),
        rows_out=sum(note.rows_out for note in notes),
        null_rows=sum(note.null_rows for note in notes),
        null_unique_rows=sum(note.null_unique_rows for note in notes),
        max_event_timestamp=from_micros(max(newest)) if newest else None,
        source_offset=notes[-1].source_offset,
    )


def of_run(commits: Sequence[BatchCommit], run_id: str) -> list[BatchCommit]:
    """Return those commits that a run made.

    Example:
        >>> of_run([], "r1")
        []
    """
    return [commit for commit in commits if commit.notes.run_id == run_id]


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


def _completed(
    layout: Layout, table: TableRecord, known: Mapping[str, RunRecord], now: datetime
) -> list[RunRecord]:
    own = [run for run in known.values() if run.table_id == table.table_id]
    dangling = [run for run in own if run.status == "running"]
    versions = [run.outcome.version for run in own if run.outcome.version is not None]
    found = batch_commits(
        layout.features(table.view, table.table_id),
        after=-1 if dangling else max(versions, default=-1),
    )
    unknown = {commit.notes.run_id for commit in found} - set(known)
    return [
        *(_ended(run, table, of_run(found, run.run_id), now) for run in dangling),
        *(_rebuilt(run_id, table, of_run(found, run_id)) for run_id in sorted(unknown)),
    ]


def _ended(
    run: RunRecord, table: TableRecord, found: Sequence[BatchCommit], now: datetime
) -> RunRecord:
    # A build is done when the pointer has moved to it, a run when it has committed.
    complete = bool(found) and (run.kind == "run" or table.state != "building")
    did = outcome(found)
    if not complete:
        did = replace(did, error="the process ended before the run did")
    status: RunStatus = "done" if complete else "interrupted"
    return replace(run, status=status, ended_at=now, outcome=did)


def _rebuilt(run_id: str, table: TableRecord, found: Sequence[BatchCommit]) -> RunRecord:
    return RunRecord(
        run_id,
        view=table.view,
        table_id=table.table_id,
        kind="build" if found[0].version == 0 else "run",
        status="done",
        started_at=found[0].notes.started_at,
        ended_at=found[-1].at,
        outcome=outcome(found),
    )
