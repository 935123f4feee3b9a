"""The doctor: all checks of a store's tables, and their repairs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from featurestore.definitions.model.view import FeatureView
from featurestore.errors import FeatureStoreError
from featurestore.jobs.doctor import files, ledger, logs, quarantine, repairs, streams
from featurestore.jobs.doctor.finding import Check, Finding, Repair, Subject
from featurestore.jobs.doctor.subjects import (
    has_log,
    ledger_subjects,
    quarantine_subject,
    read_again,
    view_subjects,
)
from featurestore.jobs.materialize.job import Job, new_run_id
from featurestore.jobs.materialize.lock import is_locked, view_lock
from featurestore.query.selection import Selection, selected_views, selection_text
from featurestore.store.failures import failure_text, object_store_error
from featurestore.store.ledger.tables import Tables

UNREADABLE = "D100"
LOG_CHECKS: tuple[Check, ...] = (
    logs.commits_are_whole,
    logs.checkpoints_open,
    logs.protocol_is_plain,
    files.named_files_are_whole,
    files.old_files_are_removed,
)
VIEW_CHECKS: tuple[Check, ...] = (
    ledger.table_is_as_runs_left_it,
    ledger.ledger_is_complete,
    ledger.records_equal_commits,
    ledger.transactions_rise,
    ledger.transactions_are_kept,
    streams.streams_continue,
    streams.latest_is_fresh,
)
REPAIRS: dict[str, Repair] = {
    logs.LOST_COMMIT: repairs.set_commit_aside,
    logs.DAMAGED_COMMIT: repairs.set_commit_aside,
    logs.DAMAGED_CHECKPOINT: repairs.write_checkpoint_again,
    ledger.INCOMPLETE_LEDGER: repairs.complete_ledger,
    ledger.WRONG_RECORD: repairs.correct_records,
}


# An active run changes what these compare one after the other: checkpoint, table, latest table.
_CHANGED_BY_RUNS = (ledger.TRANSACTIONS, streams.STREAM, streams.LATEST)


def examine(job: Job, views: Selection | None = None, *, repair: bool = False) -> list[Finding]:
    """Return what is wrong with a store's tables, without Spark.

    Args:
        job: The project.
        views: Views, or services for all views that they need. None for all views, the ledgers and
            the registry.
        repair: Whether to repair what can be repaired. What was repaired has a ``repair``. The
            ``fix`` of the others says why not, for example that the view is being materialized.

    Raises:
        NotFoundError: A view is not applied.
    """
    found: list[Finding] = []
    if views is None:  # first: views are found by them
        for subject in ledger_subjects(job):
            found += _examined(subject, LOG_CHECKS, repair=repair)
    try:
        chosen = _chosen(job, views)
        subjects = view_subjects(job, chosen)
        for view in chosen:
            found += files.unknown_builds(job.layout, view.name, Tables(job.layout).records())
    except FeatureStoreError:
        if found:  # a ledger or the registry is damaged, which the findings say
            return found
        raise
    for subject in subjects:
        found += _examined(subject, (*LOG_CHECKS, *VIEW_CHECKS), repair=repair)
        rows = quarantine_subject(subject)
        checks = LOG_CHECKS if has_log(rows) else ()
        found += _examined(rows, (*checks, quarantine.rows_are_as_counted), repair=repair)
    return without_consequences(found, chosen)


def without_consequences(found: Sequence[Finding], views: Sequence[FeatureView]) -> list[Finding]:
    """Leave out that a derived view cannot be checked where its upstream view has the damage.

    Args:
        found: The findings of all views.
        views: The views.
    """
    damaged = {each.table for each in found if each.code != UNREADABLE}
    upstream = {view.name: {each.name for each in view.lineage} for view in views}
    return [
        each
        for each in found
        if each.code != UNREADABLE or not damaged & upstream.get(each.table, set())
    ]


def _chosen(job: Job, views: Selection | None) -> list[FeatureView]:
    applied = job.applied()
    if views is None:
        return list(applied.views)
    chosen = selected_views(applied, views, f"doctor({selection_text(views)})")
    return [view for view in chosen if isinstance(view, FeatureView)]


def _examined(subject: Subject, checks: Sequence[Check], *, repair: bool) -> list[Finding]:
    found = list(findings(subject, checks))
    if not repair or not any(finding.repairable for finding in found):
        return found
    codes = dict.fromkeys(each.code for each in found if each.repairable)
    done, failure = _repaired(subject, list(codes))
    return [_with_repair(each, done, failure) if each.repairable else each for each in found]


def _repaired(subject: Subject, codes: Sequence[str]) -> tuple[dict[str, str], str]:
    """Return what the repair of each code has done, and why no more was repaired."""
    done: dict[str, str] = {}
    try:
        with ExitStack() as lock:
            if subject.view is not None:
                now = subject.clock()
                name, run_id = subject.view.name, new_run_id()
                lock.enter_context(view_lock(subject.layout, name, run_id, now))
            for code in codes:
                done[code] = REPAIRS[code](read_again(subject))
    except FeatureStoreError as error:
        return done, f"It was not repaired: {error.found}. {error.fix}"
    except (OSError, ValueError) as error:
        return done, f"It was not repaired: {failure_text(error)}."
    return done, ""


def _with_repair(finding: Finding, done: Mapping[str, str], failure: str) -> Finding:
    if finding.code in done:
        return replace(finding, repair=done[finding.code])
    return replace(finding, fix=f"{finding.fix} {failure}")


def findings(subject: Subject, checks: Sequence[Check]) -> Iterator[Finding]:
    """Yield what checks find. What a run in between explains is no finding.

    Args:
        subject: The table.
        checks: The checks.
    """
    is_reported = False
    for check in checks:
        found = list(_of_check(subject, check))
        if found:  # perhaps because a run has committed between two readings
            found = list(_of_check(read_again(subject), check))
        for finding in found:
            # A damaged log stops the checks that open the table; it has a code of its own.
            if finding.code == UNREADABLE and is_reported:
                continue
            if finding.code in _CHANGED_BY_RUNS and is_locked(subject.layout, subject.name):
                continue
            is_reported = True
            yield finding


def _of_check(subject: Subject, check: Check) -> Iterator[Finding]:
    try:
        yield from check(subject)
    except FeatureStoreError as error:
        yield subject.finding(UNREADABLE, error.found, error.fix)
    except (OSError, ValueError) as error:  # a file that cannot be read, or is no JSON
        if (refused := object_store_error(error, "doctor")) is not None:
            yield subject.finding(UNREADABLE, refused.found, refused.fix)
            return
        fix = "Restore the file from a copy."
        fix += f" Or build the view again: {subject.rebuild}." if subject.view else ""
        yield subject.finding(UNREADABLE, failure_text(error), fix)
