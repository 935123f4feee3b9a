"""Checks of what the next run continues from: the stream's checkpoint, the source, the latest."""

from collections.abc import Iterator

from featurestore.definitions.model.source import StoredSource
from featurestore.engines.latest.freshness import staleness
from featurestore.jobs.continuous.state import read_state
from featurestore.jobs.declared_sources import require_declared
from featurestore.jobs.doctor.finding import Finding, Subject
from featurestore.jobs.materialize.evidence import gather
from featurestore.jobs.materialize.refusal import refusal
from featurestore.jobs.materialize.upstream import upstream_of
from featurestore.store.delta.log import is_table
from featurestore.store.integrity import table_damage

STREAM, SOURCE, LATEST = "D401", "D402", "D501"
_LATEST_PROBLEMS = {
    "missing": "there is no latest table {} yet",
    "rows": "the latest table {} is older than the feature table",
    "definition": "the latest table {} has the features of an earlier definition: the view's "
    "features were changed, and no run has written the table since. Its rows are the newest",
}


def streams_continue(subject: Subject) -> Iterator[Finding]:
    """Yield a checkpoint that cannot continue, and a source that no longer continues."""
    view, record = subject.view, subject.record
    if view is None or record is None or view.snapshot:
        return
    if table_damage(subject.uri, subject.own_runs):
        return  # which other checks report
    if isinstance(view.source, StoredSource):
        require_declared(view.source, subject.loaded, f"doctor({view.name!r})")
    upstream = upstream_of(view, subject.layout)
    if upstream.table_id != record.upstream:
        return  # the next run builds the view again
    evidence = gather(subject.layout, record, subject.own_runs, upstream.source, upstream.uri)
    if problem := refusal(view.name, evidence):
        yield subject.finding(SOURCE, problem.found, problem.fix)
    elif evidence.checkpoint_problem:
        resumes = evidence.resumes_at is not None
        fix = (
            f"No repair is needed: the next run goes on at version {evidence.resumes_at}."
            if resumes
            else f"Restore the view's own checkpoint from a copy: otherwise {evidence.lost_files}."
            if evidence.lost_files
            else "No repair is needed: the next run builds the table again."
        )
        yield subject.finding(STREAM, evidence.checkpoint_problem, fix)


def latest_is_fresh(subject: Subject) -> Iterator[Finding]:
    """Yield a latest table that lacks the newest rows or the present definition."""
    view, record = subject.view, subject.record
    if view is None or record is None or not view.latest or not is_table(subject.uri):
        return
    if lacking := staleness(subject.layout, view, record.table_id):
        if lacking == "rows" and read_state(subject.layout, view.name) is not None:
            return  # a continuous process writes it every few minutes
        yield subject.finding(
            LATEST,
            _LATEST_PROBLEMS[lacking].format(subject.layout.latest(view.name)),
            f"Run `featurestore materialize {view.name} --latest`.",
        )
