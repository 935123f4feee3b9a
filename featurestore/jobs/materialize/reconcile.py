"""What a crashed run or release did not record, completed from the commits of the tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from featurestore.errors import TableError
from featurestore.jobs.materialize.lock import is_free
from featurestore.store.commit import BatchCommit, batch_commits
from featurestore.store.integrity import lost_commit
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import Outcome, RunKind, RunRecord, Runs, RunStatus
from featurestore.store.ledger.tables import TableRecord
from featurestore.store.quarantine import mark_released, pending_releases, unmark_rows
from featurestore.times import from_micros

_UNFINISHED = ("building", "repairing")
_KILLED = "the process ended before the run did"


def outcome(commits: Sequence[BatchCommit]) -> Outcome:
    """Return what a run did, from the commits of its batches.

    Example:
        >>> outcome([]).rows_out
        0
    """
    if not commits:
        return Outcome()
    notes = [commit.notes for commit in commits]
    copied, repair = sum(note.rows_copied for note in notes), notes[-1].repair
    bad_copied = sum(note.bad_rows_copied for note in notes)
    newest = [n.max_event_timestamp for n in notes if n.max_event_timestamp is not None]
    return Outcome(
        version=commits[-1].version,
        batches=len(commits),
        rows_in=sum(note.rows_in for note in notes) - copied - bad_copied,
        rows_out=sum(note.rows_out for note in notes) - copied,
        null_rows=sum(note.null_rows for note in notes),
        null_unique_rows=sum(note.null_unique_rows for note in notes),
        rows_quarantined=sum(note.rows_quarantined for note in notes) - bad_copied,
        failures=dict(sum((Counter(note.failures) for note in notes), Counter())),
        max_event_timestamp=_moment(max(newest)) if newest else None,
        source_offset=notes[-1].source_offset,
        range_start=datetime.fromisoformat(repair[0]) if repair else None,
        range_end=datetime.fromisoformat(repair[1]) if repair else None,
    )


def _moment(micros: int) -> datetime | None:
    """Return a moment; None outside of Python's years 1 to 9999, which older tables may have."""
    try:
        return from_micros(micros)
    except OverflowError:
        return None


def of_run(commits: Sequence[BatchCommit], run_id: str) -> list[BatchCommit]:
    """Return those commits that a run made.

    Example:
        >>> of_run([], "r1")
        []
    """
    return [commit for commit in commits if commit.notes.run_id == run_id]


def reconcile(
    layout: Layout, tables: Sequence[TableRecord], past: Sequence[RunRecord], now: datetime
) -> list[RunRecord]:
    """Add the records that crashed runs did not write, and return them.

    A process that was killed leaves its run as ``running``. If the ledger itself was lost, there
    are commits of runs that are not in it. The caller holds the view's lock, so no run is active.

    Args:
        layout: The addresses of the tables.
        tables: The newest records of one view's builds.
        past: The recorded runs of the view, read under its lock.
        now: The present time.
    """
    recorded = {run.run_id: run for run in past}
    added = [record for table in tables for record in _missing(layout, table, recorded, now)]
    if added:
        Runs(layout).record(*added)
    return added


def with_interrupted(layout: Layout, runs: Sequence[RunRecord]) -> tuple[RunRecord, ...]:
    """Return runs, with those as ``interrupted`` whose process was killed. Nothing is recorded.

    The ledger has them as ``running`` until the view's next run.

    Args:
        layout: The addresses of the tables.
        runs: The records of runs, oldest first.
    """
    unended = {run.run_id: run.view for run in runs if run.status == "running"}
    free = {view for view in {*unended.values()} if is_free(layout, view)}
    killed = {run_id for run_id, view in unended.items() if view in free}
    if not killed:
        return tuple(runs)
    # Read after the look at the locks: a run records its end before it releases its lock. A run
    # that began after the first reading is not among the killed ones.
    return tuple(
        _interrupted(run) if run.status == "running" and run.run_id in killed else run
        for run in Runs(layout).records()
    )


def _interrupted(run: RunRecord) -> RunRecord:
    again = f"Run `featurestore materialize {run.view}`"
    what_to_do = {
        "repair": f"Nothing was replaced, unless {run.view} has the corrected rows. Run the same "
        "command again.",
        "release": f"{again}: it completes the release, or takes it back.",
    }
    fix = what_to_do.get(run.kind, f"{again}: it goes on after the last commit.")
    return replace(
        run, status="interrupted", outcome=replace(run.outcome, error=f"{_KILLED}. {fix}")
    )


def finish_releases(layout: Layout, table: TableRecord) -> None:
    """Complete the marks of releases that crashed: their rows are stored, or are not.

    Each run does so before it removes rows from the quarantine. The caller holds the view's lock.

    Args:
        layout: The addresses of the tables.
        table: The build whose quarantine has the marks.
    """
    uri = layout.quarantine(table.view, table.table_id)
    for run_id in pending_releases(uri):
        commits = batch_commits(layout.features(table.view, table.table_id))
        if stored := of_run(commits, run_id):
            mark_released(uri, run_id, stored[0].notes.started_at)
        else:
            unmark_rows(uri, run_id)


def _missing(
    layout: Layout, table: TableRecord, recorded: Mapping[str, RunRecord], now: datetime
) -> list[RunRecord]:
    runs = [run for run in recorded.values() if run.table_id == table.table_id]
    unended = [run for run in runs if run.status == "running"]
    # All commits up to a summary are of recorded runs, or of runs that it stands for.
    ended = [run for run in runs if run.kind == "summary"] if unended else runs
    versions = [run.outcome.version for run in ended if run.outcome.version is not None]
    after = max(versions, default=-1)
    commits = _readable_commits(layout.features(table.view, table.table_id), after)
    found = dict.fromkeys(commit.notes.run_id for commit in commits)
    return [
        *(_ended(run, table, of_run(commits, run.run_id), now) for run in unended),
        *(
            _rebuilt(run_id, table, of_run(commits, run_id))
            for run_id in found
            if run_id not in recorded
        ),
    ]


def _readable_commits(uri: str, after: int) -> tuple[BatchCommit, ...]:
    """Return a build's commits; none if its log is damaged, which `gather` reports if it matters.

    delta-rs numbers the commits wrongly where one of them is an empty file.
    """
    if lost_commit(uri) is not None:
        return ()
    try:
        return batch_commits(uri, after=after)
    except TableError:
        return ()


def _ended(
    run: RunRecord, table: TableRecord, commits: Sequence[BatchCommit], now: datetime
) -> RunRecord:
    # A build is done once its table is the current one, a run once it has committed.
    is_done = bool(commits) and (run.kind == "run" or table.state not in _UNFINISHED)
    status, did = _end(commits, is_done=is_done)
    return replace(run, status=status, ended_at=now, outcome=did)


def _end(commits: Sequence[BatchCommit], *, is_done: bool) -> tuple[RunStatus, Outcome]:
    did = outcome(commits)
    if is_done:
        return "done", did
    return "interrupted", replace(did, error=_KILLED)


def _rebuilt(run_id: str, table: TableRecord, commits: Sequence[BatchCommit]) -> RunRecord:
    # Readers never had a table of which no build or repair has ended.
    status, did = _end(commits, is_done=table.state not in _UNFINISHED)
    return RunRecord(
        run_id,
        view=table.view,
        table_id=table.table_id,
        kind=_kind(commits[0]),
        status=status,
        started_at=commits[0].notes.started_at,
        ended_at=commits[-1].at,
        outcome=did,
    )


def _kind(first: BatchCommit) -> RunKind:
    if first.notes.release:
        return "release"
    if first.notes.repair:
        return "repair"
    return "build" if first.version == 0 else "run"
