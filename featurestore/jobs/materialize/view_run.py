"""One view brought up to date: decided, recorded, streamed, and recorded again."""

import time
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING
from uuid import uuid4

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.readers import Reading
from featurestore.engines.spark.write.batch import Target
from featurestore.engines.spark.write.checks import Input, check_view, create_table, require_rows
from featurestore.engines.spark.write.latest import refresh_if_stale
from featurestore.engines.spark.write.stream import InterruptedRunError, Stream, run_stream
from featurestore.errors import FeatureStoreError, SourceError
from featurestore.jobs.materialize.decide import Situation, Step, decide, ended
from featurestore.jobs.materialize.evidence import files_read, gather
from featurestore.jobs.materialize.job import Job, Request, RunResult
from featurestore.jobs.materialize.messages import run_summary
from featurestore.jobs.materialize.progress import Phase, Progress, ProgressEvent
from featurestore.jobs.materialize.reconcile import of_run, outcome, reconcile
from featurestore.jobs.materialize.upstream import Upstream, upstream_of
from featurestore.store.delta.log import commits, is_table, latest_version
from featurestore.store.delta.protocol import check_plain
from featurestore.store.ledger.files import Files
from featurestore.store.ledger.runs import Outcome, RunKind, RunRecord, Runs, RunStatus
from featurestore.store.ledger.tables import TableRecord, Tables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class ViewRun:
    """One materialization of one view.

    Args:
        job: The project.
        view: The view, as loaded.
        request: What is asked.
        spark: A session of ours.
        stop: Set from outside to end it early.
        progress: Told how far it is.
        run_id: Its name in the ledger and in commits.
    """

    job: Job
    _: KW_ONLY
    view: FeatureView
    request: Request
    spark: "SparkSession"
    stop: Event
    progress: Progress
    run_id: str

    @cached_property
    def upstream(self) -> Upstream:
        """What its rows are read from; the same from the run's beginning to its end."""
        return upstream_of(self.view, self.job.layout)

    @property
    def given(self) -> Input:
        """The view and what it is made of."""
        return Input(self.view, self.upstream.source, self.upstream.uri)

    def tell(self, phase: Phase, **numbers: int) -> None:
        """Report how far it is."""
        self.progress(ProgressEvent(self.view.name, phase, **numbers))  # type: ignore[arg-type]  # no message


def run_view(run: ViewRun) -> RunResult:
    """Bring one view's table up to date; a failure is told in the result, not raised.

    Nothing is half-written then: what is committed stays, the next call goes on from there.
    The caller holds the view's lock.
    """
    begun = time.monotonic()
    try:
        result = _run(run)
    except FeatureStoreError as error:
        result = _failed(run, error)
    result = replace(result, seconds=round(time.monotonic() - begun, 3))
    run.progress(
        ProgressEvent(run.view.name, result.status, rows=result.rows_out, message=result.message)  # type: ignore[arg-type]  # an ended run's status is a phase
    )
    return result


def skip_view(run: ViewRun, upstream: RunResult) -> RunResult:
    """Record that a view was not run because the one that it is derived from did not succeed."""
    text = f"view {upstream.view!r}, which it is derived from, {upstream.status}"
    did = Outcome(error=f"skipped: {text}: {upstream.message}")
    record = _not_begun(run)
    _record_end(run, record, "skipped", did)
    result = replace(_result(run, record, "skipped", did, None), message=str(did.error))
    run.progress(ProgressEvent(run.view.name, "skipped", message=result.message))
    return result


def _run(run: ViewRun) -> RunResult:
    run.tell("checking")
    layout, tables = run.job.layout, Tables(run.job.layout)
    own = [record for record in tables.records() if record.view == run.view.name]
    recovered = reconcile(layout, own, run.job.clock())
    check_view(run.given, run.spark)
    situation = _situation(run, tables)
    step = decide(situation, run.request)
    if step.records:
        tables.record(*step.records)
    record = _begin(run, step)
    before = _version(run, record)
    _stream(run, step)
    if step.kind == "build":
        tables.record(*ended(step, situation))
    # A run whose latest table failed has failed, which `status` tells; its rows are stored.
    _refresh_latest(run, step)
    result = _end(run, record, before)
    return _recovering(_standing(result, run.upstream), len(recovered))


def _situation(run: ViewRun, tables: Tables) -> Situation:
    upstream, layout = run.upstream, run.job.layout
    past = Runs(layout).records(run.view.name)
    return Situation(
        run.view.name,
        fingerprint=table_fingerprint(run.view),
        current=tables.current(run.view.name),
        building=tables.building(run.view.name),
        evidence=lambda record: gather(layout, record, upstream.source, upstream.uri),
        interrupted=bool(past) and past[-1].status == "interrupted",
        table_id=uuid4().hex[:16],
        now=run.job.clock(),
        upstream=upstream.table_id,
    )


def _begin(run: ViewRun, step: Step) -> RunRecord:
    record = RunRecord(
        run.run_id,
        view=run.view.name,
        table_id=step.table.table_id,
        kind=step.kind,
        status="running",
        started_at=run.job.clock(),
    )
    Runs(run.job.layout).record(record)
    return record


def _stream(run: ViewRun, step: Step) -> None:
    """Read what is new; where a resumed source has nothing new, there is nothing to start."""
    layout, table = run.job.layout, step.table
    place = layout.features(table.view, table.table_id)
    newest = latest_version(run.upstream.uri) if step.starting_version is not None else None
    if newest is None or newest >= (step.starting_version or 0):
        run_stream(run.spark, _stream_of(run, step, place))
    if not is_table(place):
        _create(run, table, place)
    check_plain(place)
    Files(layout).record(files_read(layout, table, run.upstream.uri, run.run_id))


def _create(run: ViewRun, table: TableRecord, place: str) -> None:
    """A build stored no row: either the source has none, or the view keeps none of them."""
    try:
        require_rows(run.given, run.spark)
    except SourceError:
        retired = replace(table, state="retired", at=run.job.clock())
        Tables(run.job.layout).record(retired)
        raise
    create_table(run.given, run.spark, place)


def _stream_of(run: ViewRun, step: Step, place: str) -> Stream:
    table = step.table
    return Stream(
        run.view,
        source=run.upstream.source,
        target=Target(
            run.run_id,
            table_id=table.table_id,
            generation=table.generation,
            table=place,
            checkpoint=run.job.layout.checkpoint(table.table_id, table.generation),
            started_at=run.job.clock(),
            start=table.start,
        ),
        reading=Reading(
            run.upstream.uri,
            files_per_batch=run.job.files_per_batch if step.kind == "build" else None,
            starting_version=step.starting_version,
        ),
        stop=run.stop,
        watch=lambda batches, rows: run.tell("reading", batches=batches, rows=rows),
    )


def _end(run: ViewRun, record: RunRecord, before: int | None) -> RunResult:
    place = run.job.layout.features(record.view, record.table_id)
    after = -1 if before is None else before
    did = outcome(of_run(commits(place, after=after), run.run_id))
    status: RunStatus = "done" if did.batches or record.kind == "build" else "nothing"
    _record_end(run, record, status, did)
    version = _version(run, record) if did.version is None else did.version
    return _result(run, record, status, did, version)


def _version(run: ViewRun, record: RunRecord) -> int | None:
    return latest_version(run.job.layout.features(record.view, record.table_id))


def _record_end(run: ViewRun, record: RunRecord, status: RunStatus, did: Outcome) -> None:
    Runs(run.job.layout).record(
        replace(record, status=status, ended_at=run.job.clock(), outcome=did)
    )


def _result(
    run: ViewRun, record: RunRecord, status: RunStatus, did: Outcome, version: int | None
) -> RunResult:
    return RunResult(
        run.view.name,
        run_id=run.run_id,
        status=status,
        kind=record.kind,
        version=version,
        rows_in=did.rows_in,
        rows_out=did.rows_out,
        null_rows=did.null_rows,
        null_unique_rows=did.null_unique_rows,
        message="no new data: nothing was committed"
        if status == "nothing"
        else run_summary(did, version, run.view.unique_columns),
        table_id=record.table_id,
    )


def _refresh_latest(run: ViewRun, step: Step) -> None:
    if run.view.latest:
        run.tell("latest")
        refresh_if_stale(run.spark, run.job.layout, run.view, step.table.table_id, run.job.clock())


def _standing(result: RunResult, upstream: Upstream) -> RunResult:
    if upstream.table_id is None:
        return result
    told = (
        f"{result.message}; it stands on {upstream.source.name} as of version {upstream.version}"
    )
    return replace(result, message=told)


def _recovering(result: RunResult, recovered: int) -> RunResult:
    if not recovered:
        return result
    told = f"{result.message}; recorded {recovered} earlier run(s) that had crashed"
    return replace(result, message=told)


def _failed(run: ViewRun, error: FeatureStoreError) -> RunResult:
    runs = Runs(run.job.layout)
    mine = [record for record in runs.records(run.view.name) if record.run_id == run.run_id]
    record = mine[0] if mine else _not_begun(run)
    status: RunStatus = "interrupted" if isinstance(error, InterruptedRunError) else "failed"
    if record.status == "running":
        place = run.job.layout.features(record.view, record.table_id)
        did = replace(outcome(of_run(commits(place), run.run_id)), error=str(error))
        _record_end(run, record, status, did)
    else:
        did = record.outcome
    found = _result(run, record, status, did, did.version)
    return replace(found, message=str(error))


def _not_begun(run: ViewRun) -> RunRecord:
    current = Tables(run.job.layout).current(run.view.name)
    kind: RunKind = "run" if current is not None else "build"
    return RunRecord(
        run.run_id,
        view=run.view.name,
        table_id="" if current is None else current.table_id,
        kind=kind,
        status="running",
        started_at=run.job.clock(),
    )
