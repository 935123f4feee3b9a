"""Checks of the ledger of runs against the commits, which are the truth."""

from collections.abc import Iterator, Sequence

from featurestore.jobs.doctor.finding import Finding, Subject
from featurestore.jobs.materialize.lock import is_locked
from featurestore.jobs.materialize.reconcile import outcome
from featurestore.quoting import spark_name
from featurestore.store.commit import BatchCommit, batch_commits
from featurestore.store.delta.log import last_transaction, table_properties
from featurestore.store.integrity import lost_commit, table_damage
from featurestore.store.ledger.run_summaries import summed
from featurestore.store.ledger.runs import Outcome, RunRecord

UNLIKE_RUNS, INCOMPLETE_LEDGER, WRONG_RECORD = "D301", "D302", "D303"
TRANSACTIONS, TRANSACTION_RETENTION = "D304", "D305"
_RETENTION = "delta.setTransactionRetentionDuration"


def table_is_as_runs_left_it(subject: Subject) -> Iterator[Finding]:
    """Yield that a table is older than its ledger, or that another program changed its rows."""
    if lost_commit(subject.uri):
        return
    if damage := table_damage(subject.uri, subject.own_runs):
        fix = f"Build the view again: {subject.rebuild}. Or restore the table from a copy."
        yield subject.finding(UNLIKE_RUNS, damage, fix)


def ledger_is_complete(subject: Subject) -> Iterator[Finding]:
    """Yield runs that were killed before they recorded their end, and runs without a record."""
    if is_locked(subject.layout, subject.name):
        return  # a run is active
    open_runs = [run.run_id for run in subject.own_runs if run.status == "running"]
    if open_runs:
        yield _incomplete(subject, f"{len(open_runs)} runs have no end: they were killed")
    recorded = {run.run_id for run in subject.runs}
    newest = max((run.outcome.version or -1 for run in subject.own_runs), default=-1)
    lacking = {
        commit.notes.run_id for commit in _commits(subject) if commit.version > newest
    } - recorded
    if lacking:
        yield _incomplete(subject, f"{len(lacking)} runs are in the table's commits only")


def _incomplete(subject: Subject, found: str) -> Finding:
    fix = f"Run `featurestore doctor --repair`, or `featurestore materialize {subject.name}`."
    return subject.finding(INCOMPLETE_LEDGER, found, fix, repairable=True)


def records_equal_commits(subject: Subject) -> Iterator[Finding]:
    """Yield runs whose record says something else than their commits: rows, times or offsets."""
    for run, _ in wrong_records(subject):
        what = (
            f"the summary of {run.runs} runs until" if run.kind == "summary" else "the record of"
        )
        yield subject.finding(
            WRONG_RECORD,
            f"{what} run {run.run_id} ({run.outcome.rows_out:,} rows, version "
            f"{run.outcome.version}) is not what its commits say",
            "Run `featurestore doctor --repair`, which records what the commits say.",
            repairable=True,
        )


def wrong_records(subject: Subject) -> list[tuple[RunRecord, Outcome]]:
    """Return the records that differ from the commits that are still there, and what these say."""
    commits = _commits(subject)
    oldest = commits[0].version if commits else 0
    wrong = []
    for run, own in _with_commits(subject.own_runs, commits):
        # Delta removes old commits. Of a build, some may be gone, and of a summary some runs.
        is_whole = len(own) >= run.runs and (oldest == 0 or own[0][0].version > oldest)
        if run.status != "done" or not is_whole:
            continue
        did = summed([outcome(each) for each in own]) if run.kind == "summary" else outcome(own[0])
        if did != run.outcome:
            wrong.append((run, did))
    return wrong


def _with_commits(
    runs: Sequence[RunRecord], commits: Sequence[BatchCommit]
) -> Iterator[tuple[RunRecord, list[list[BatchCommit]]]]:
    """Yield each record with the commits of its run; a summary, with those of each of its runs.

    These are the runs without a record of their own, since the summary before it.
    """
    by_run: dict[str, list[BatchCommit]] = {}
    for commit in commits:
        by_run.setdefault(commit.notes.run_id, []).append(commit)
    recorded = {run.run_id for run in runs if run.kind != "summary"}
    others = [own for run_id, own in by_run.items() if run_id not in recorded]
    before = -1
    for run in runs:
        if run.kind == "summary" and run.outcome.version is not None:
            last = run.outcome.version
            yield run, [own for own in others if before < own[-1].version <= last]
            before = last
        else:
            yield run, [by_run[run.run_id]] if run.run_id in by_run else []


def transactions_rise(subject: Subject) -> Iterator[Finding]:
    """Yield batches whose numbers fall: Delta would ignore a later batch of that number."""
    commits = [commit for commit in _commits(subject) if commit.notes.is_batch]
    numbers = [(commit.notes.generation, commit.notes.batch_id) for commit in commits]
    falls = [
        commit
        for commit, before, number in zip(commits[1:], numbers, numbers[1:], strict=False)
        if number <= before
    ]
    fix = f"Build the view again: {subject.rebuild}."
    for commit in falls:
        found = f"the number of the batch in version {commit.version} is not greater than before"
        yield subject.finding(TRANSACTIONS, found, fix)
    if commits and not falls:
        notes = commits[-1].notes
        application = f"{notes.table_id}/{notes.generation}"
        last = last_transaction(subject.uri, application)
        if last != notes.batch_id:
            found = (
                f"the last transaction of application {application!r} is {last}, and the last "
                f"batch is {notes.batch_id}: another program has committed in its name"
            )
            again = "No repair is needed: the next run goes on under another name."
            yield subject.finding(TRANSACTIONS, found, again)


def transactions_are_kept(subject: Subject) -> Iterator[Finding]:
    """Yield that a table forgets transactions, so that a repeated batch would be stored twice."""
    duration = table_properties(subject.uri).get(_RETENTION)
    if duration:
        yield subject.finding(
            TRANSACTION_RETENTION,
            f"the table has the property {_RETENTION} = {duration}",
            f"Remove it: ALTER TABLE delta.{spark_name(subject.uri)} "
            f"UNSET TBLPROPERTIES ({_RETENTION}).",
        )


def _commits(subject: Subject) -> tuple[BatchCommit, ...]:
    return () if lost_commit(subject.uri) else batch_commits(subject.uri)
