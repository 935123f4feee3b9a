"""The doctor: all checks of a store's tables, and their repairs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from featurestore.definitions.model.view import FeatureView
from featurestore.errors import FeatureStoreError
from featurestore.jobs.doctor import files, ledger, logs, repairs, streams
from featurestore.jobs.doctor.finding import Check, Finding, Repair, Subject
from featurestore.jobs.materialize.job import Job, new_run_id
from featurestore.jobs.materialize.lock import view_lock
from featurestore.query.selection import Selection, selected_views, selection_text
from featurestore.store.failures import failure_text
from featurestore.store.file_system import list_names
from featurestore.store.ledger.runs import Runs
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
        for subject in _ledgers(job):
            found += _examined(subject, LOG_CHECKS, repair=repair)
    try:
        subjects, extra = _views(job, views)
    except FeatureStoreError:
        if found:  # a ledger or the registry is damaged, which the findings say
            return found
        raise
    found += extra
    for subject in subjects:
        found += _examined(subject, (*LOG_CHECKS, *VIEW_CHECKS), repair=repair)
    return found


def _ledgers(job: Job) -> list[Subject]:
    layout = job.layout
    named = {
        "registry": layout.registry(),
        "ledger of builds": layout.tables(),
        "ledger of runs": layout.runs(),
        "ledger of files": layout.files(),
    }
    return [
        Subject(name, uri, layout=layout, clock=job.clock)
        for name, uri in named.items()
        if list_names(f"{uri}/_delta_log")
    ]


def _views(job: Job, views: Selection | None) -> tuple[list[Subject], list[Finding]]:
    applied, layout = job.applied(), job.layout
    chosen = (
        applied.views
        if views is None
        else selected_views(applied, views, f"doctor({selection_text(views)})")
    )
    names = [view for view in chosen if isinstance(view, FeatureView)]
    builds, runs = Tables(layout).records(), Runs(layout).records()
    current = {build.view: build for build in builds if build.state == "current"}
    unknown = [each for view in names for each in files.unknown_builds(layout, view.name, builds)]
    subjects = [
        Subject(
            view.name,
            layout.features(view.name, current[view.name].table_id),
            layout=layout,
            clock=job.clock,
            view=view,
            record=current[view.name],
            builds=builds,
            runs=tuple(run for run in runs if run.view == view.name),
        )
        for view in names
        if view.name in current
    ]
    return subjects, unknown


def _examined(subject: Subject, checks: Sequence[Check], *, repair: bool) -> list[Finding]:
    found = list(_found(subject, checks))
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
                lock.enter_context(view_lock(subject.layout, subject.name, new_run_id(), now))
            for code in codes:
                done[code] = REPAIRS[code](replace(subject))  # which reads the table again
    except FeatureStoreError as error:
        return done, f"It was not repaired: {error.found}. {error.fix}"
    except (OSError, ValueError) as error:
        return done, f"It was not repaired: {failure_text(error)}."
    return done, ""


def _with_repair(finding: Finding, done: Mapping[str, str], failure: str) -> Finding:
    if finding.code in done:
        return replace(finding, repair=done[finding.code])
    return replace(finding, fix=f"{finding.fix} {failure}")


def _found(subject: Subject, checks: Sequence[Check]) -> Iterator[Finding]:
    is_reported = False
    for check in checks:
        try:
            for finding in check(subject):
                is_reported = True
                yield finding
        except FeatureStoreError as error:
            # A damaged log stops the checks that open the table; it has a code of its own.
            if not is_reported:
                is_reported = True
                yield subject.finding(UNREADABLE, error.found, error.fix)
        except (OSError, ValueError) as error:  # a file that cannot be read, or is no JSON
            if not is_reported:
                is_reported = True
                fix = "Restore the file from a copy."
                fix += f" Or build the view again: {subject.rebuild}." if subject.view else ""
                yield subject.finding(UNREADABLE, failure_text(error), fix)
