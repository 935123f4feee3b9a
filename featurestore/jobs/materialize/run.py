"""The run of one view: decide what to do, record it, read the new rows, record the result."""

import time
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING
from uuid import uuid4

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.source import FileSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.unexpected import own_error
from featurestore.engines.spark.source.checkpoint_owner import record_owner
from featurestore.engines.spark.source.readers import Reading
from featurestore.engines.spark.write.batch import Target
from featurestore.engines.spark.write.checks import (
    ViewInput,
    check_view,
    create_table,
)
from featurestore.engines.spark.write.file_batches import run_file_batches
from featurestore.engines.spark.write.latest import refresh_if_stale
from featurestore.engines.spark.write.snapshot import run_snapshot
from featurestore.engines.spark.write.stream import InterruptedRunError, Stream, run_stream
from featurestore.errors import FeatureStoreError
from featurestore.jobs.contract.check import Accepted, check_schema
from featurestore.jobs.contract.record import record_columns
from featurestore.jobs.materialize.compaction import compact_after_run
from featurestore.jobs.materialize.decide import Situation, Step, decide, ended
from featurestore.jobs.materialize.evidence import files_read, gather, snapshot_evidence
from featurestore.jobs.materialize.job import Job, Request, RunResult
from featurestore.jobs.materialize.messages import recovery_note, skip_reason, upstream_note
from featurestore.jobs.materialize.progress import Phase, Progress, ProgressEvent
from featurestore.jobs.materialize.reconcile import finish_releases, reconcile
from featurestore.jobs.materialize.record import RunLog
from featurestore.jobs.materialize.upstream import Upstream, upstream_of
from featurestore.jobs.profiles.batches import BatchSketches
from featurestore.jobs.profiles.record import ProfiledRun, record_profiles
from featurestore.quality.validation import validation_of
from featurestore.store.commit import newest_batch
from featurestore.store.current import unrecorded_builds
from featurestore.store.delta.log import is_table, latest_version
from featurestore.store.delta.protocol import check_plain
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.fault_points import fault_point
from featurestore.store.integrity import damaged, lost_commit
from featurestore.store.lease import confirm_lease, held_lock
from featurestore.store.ledger.files import Files
from featurestore.store.ledger.runs import RunRecord, Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.store.quarantine import drop_unfinished
from featurestore.store.source_files import SourceFile
from featurestore.store.source_rows import row_count

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class ViewRun:
    """One materialization of one view.

    Args:
        job: The project.
        view: The view, as loaded.
        request: The options of the call.
        spark: A session of ours, by `session.child.own_session`.
        stop: Set by the caller to end the run early.
        progress: Called at each step of the run.
        run_id: The run's name in the ledger and in commits.
        files: The files of the source whose columns the contract looks at; None for those that no
            run has read.
    """

    job: Job
    _: KW_ONLY
    view: FeatureView
    request: Request
    spark: "SparkSession"
    stop: Event
    progress: Progress
    run_id: str
    files: tuple[SourceFile, ...] | None = None

    @cached_property
    def upstream(self) -> Upstream:
        """The table or files that the view is read from; looked up once for the whole run."""
        return upstream_of(self.view, self.job.layout)

    @cached_property
    def accepted(self) -> Accepted:
        """The columns of the source that the view's contract takes."""
        accept = self.request.accept_schema
        return check_schema(self.job.layout, self.view, accept=accept, files=self.files)

    @cached_property
    def reads_again(self) -> bool:
        """Whether a batch is read each time that its rows are needed; see `check_view`."""
        return check_view(self.view_input, self.spark)

    @cached_property
    def batches(self) -> BatchSketches:
        """The sketches of the rows that the run has committed so far."""
        return BatchSketches(self.view)

    @property
    def has_profile(self) -> bool:
        """Whether profiles of the run are recorded."""
        return self.job.profile and self.view.profile

    def explained(self, error: FeatureStoreError) -> FeatureStoreError:
        """Return a failure of the run, with the changed columns of its source."""
        accepted = self.__dict__.get("accepted")  # None before the check, or if it failed
        return error if accepted is None else accepted.explain(error)

    @property
    def view_input(self) -> ViewInput:
        """The view and its source, for the checks."""
        return ViewInput(self.view, self.upstream.source, self.upstream.uri)

    @property
    def log(self) -> RunLog:
        """The run's records in the ledger."""
        return RunLog(self.job, view=self.view, run_id=self.run_id)

    def table(self, record: TableRecord) -> str:
        """Return the address of a build of the view's table."""
        return self.job.layout.features(record.view, record.table_id)

    def report(self, phase: Phase, message: str = "", **numbers: int | None) -> None:
        """Report the run's progress."""
        self.progress(ProgressEvent(self.view.name, phase, message=message, **numbers))  # type: ignore[arg-type]  # rows and batches


def run_view(run: ViewRun, work: Callable[["ViewRun"], RunResult] | None = None) -> RunResult:
    """Bring one view's table up to date, and return the result; a failure is a result too.

    Committed batches stay after a failure, and the next run continues after them. The caller holds
    the view's lock.

    Args:
        run: The run.
        work: What to do instead, such as the repair of a range.
    """
    begun = time.monotonic()
    try:
        result = (work or _run)(run)
    except InterruptedRunError as error:
        result = run.log.fail(error, "interrupted")
    except Exception as error:  # noqa: BLE001  # whatever happens to one view, the others go on
        failure = own_error(error, run.view.name, _call(run.view))
        result = run.log.fail(run.explained(failure), "failed")
    result = replace(result, seconds=round(time.monotonic() - begun, 3))
    _report_end(run, result)
    return result


def skip_view(run: ViewRun, upstream: RunResult) -> RunResult:
    """Record that a view was not run because the run of its upstream view did not succeed."""
    result = run.log.skip(skip_reason(upstream))
    _report_end(run, result)
    return result


def _report_end(run: ViewRun, result: RunResult) -> None:
    end: Phase = result.status  # type: ignore[assignment]  # an ended run's status is a phase
    run.progress(
        ProgressEvent(
            *(run.view.name, end),
            rows=result.rows_out,
            message=result.message,
            seconds=result.seconds,
            error=result.error,
        )
    )


def _run(run: ViewRun) -> RunResult:
    run.report("checking")
    tables = Tables(run.job.layout)
    builds = builds_of(tables, run.view.name)
    past = Runs(run.job.layout).records(run.view.name)
    recovered = reconcile(run.job.layout, builds, past, run.job.clock())
    if recovered:
        past = Runs(run.job.layout).records(run.view.name)
    for killed in recovered:
        run.job.on_run(run.view, killed, "killed")
    accepted, _ = run.accepted, run.reads_again  # before anything is read or written
    situation = _situation(run, tables, past)
    step = decide(situation, run.request)
    if step.records:
        tables.record(*step.records)
    record = run.log.begin(step.table, step.kind)
    fault_point("ledger.reserved", run.view.name)
    finish_releases(run.job.layout, step.table)
    drop_unfinished(run.job.layout, step.table)
    before = latest_version(run.table(step.table))
    _read_source(run, step)
    record_columns(run.job.layout, run.view, step.table, run.run_id, accepted)
    if step.kind == "build":
        tables.record(*ended(step, situation))
        fault_point("table.switched", run.view.name)
    # Before the run's end: if the latest table fails, the run is recorded as failed, so that
    # `status` shows it. The rows are stored all the same.
    refreshed = refresh_latest_of(run, step)
    result = run.log.end(record, before)
    fault_point("ledger.completed", run.view.name)
    notes = upstream_note(run.upstream.source.name, run.upstream.version)
    notes += recovery_note(len(recovered)) + (step.note and f"; {step.note}") + accepted.note
    notes += refreshed + profile_of(run, step.table) + _compact(run, step)
    return replace(result, message=result.message + notes)


def profile_of(run: ViewRun, table: TableRecord, *, is_repair: bool = False) -> str:
    """Record the profiles of a run that has ended, and return a note for its message."""
    if not run.has_profile:
        return ""
    ended_run = ProfiledRun(
        run.job.layout,
        view=run.view,
        run_id=run.run_id,
        table_id=table.table_id,
        now=run.job.clock(),
        is_repair=is_repair,
    )
    return record_profiles(ended_run, run.batches)


def _compact(run: ViewRun, step: Step) -> str:
    def begin() -> None:
        run.report("compacting")

    uri, limit = run.table(step.table), run.job.compact_small_files
    return compact_after_run(run.view, uri, limit, begin)


def _situation(run: ViewRun, tables: Tables, past: Sequence[RunRecord]) -> Situation:
    upstream, layout = run.upstream, run.job.layout
    return Situation(
        run.view.name,
        fingerprint=table_fingerprint(run.view),
        current=tables.current(run.view.name),
        building=tables.building(run.view.name),
        evidence=lambda record: (
            snapshot_evidence(layout, record, past)
            if run.view.snapshot
            else gather(layout, record, past, upstream.source, upstream.uri)
        ),
        interrupted=bool(past) and past[-1].status == "interrupted",
        table_id=uuid4().hex[:16],
        now=run.job.clock(),
        upstream=upstream.table_id,
        unrecorded=unrecorded_builds(layout, run.view.name, tables.records()),
        # An earlier table of a snapshot view lacks the history that came after it.
        retired=tuple(
            build
            for build in builds_of(tables, run.view.name)
            if build.state == "retired" and not run.view.snapshot
        ),
    )


def builds_of(tables: Tables, view: str) -> list[TableRecord]:
    """Return the records of all builds of a view, the oldest first."""
    return [record for record in tables.records() if record.view == view]


def _call(view: FeatureView) -> str:
    return f"materialize view {view.name!r} ({view.origin})"


def _read_source(run: ViewRun, step: Step) -> None:
    """Store the source's new rows.

    No stream is started for a source that has no version after the one to resume from.
    """
    layout, table = run.job.layout, step.table
    first = step.starts_at if isinstance(step.starts_at, int) else None
    newest = None if first is None else latest_version(run.upstream.uri)
    if first is None or newest is None or newest >= first:
        _store_rows(run, step)
        fault_point("source.read", run.view.name)
    if not is_table(run.table(table)):
        # The source has no row yet, or the view left out all of them: an empty table has nulls
        # for every question.
        confirm_lease(
            held_lock(run.job.layout.view_lock(table.view)), f"create view {table.view!r}"
        )
        create_table(run.view_input, run.spark, run.table(table))
    check_plain(run.table(table))
    fault_point("table.ready", run.view.name)
    if isinstance(run.upstream.source, FileSource) and not run.view.snapshot:  # those may change
        Files(layout).record(files_read(layout, table, run.upstream.uri, run.run_id))
    fault_point("files.recorded", run.view.name)


def _store_rows(run: ViewRun, step: Step) -> None:
    source, stream = run.upstream.source, stream_of(run, step)
    if run.view.snapshot:
        run_snapshot(run.spark, stream)
        return
    record_owner(stream.target.checkpoint, run.view.name)
    if isinstance(source, FileSource):
        run_file_batches(run.spark, stream, source)
    else:
        run_stream(run.spark, stream)


def stream_of(run: ViewRun, step: Step) -> Stream:
    """Return what the engine needs for a step of the run: the source and the destination."""
    table = step.table
    # What is left of an update or of a resumed build is not known before it is read.
    is_new = step.kind == "build" and not is_table(run.table(table))
    total = row_count(run.upstream.source, run.upstream.uri) if is_new else None
    return Stream(
        run.view,
        source=run.upstream.source,
        target=Target(
            run.run_id,
            table_id=table.table_id,
            generation=table.generation,
            table=run.table(table),
            checkpoint=run.job.layout.checkpoint(table.table_id, table.generation),
            source=run.upstream.uri,
            quarantine=run.job.layout.quarantine(table.view, table.table_id),
            staging=run.job.layout.staging(table.table_id),
            validation=validation_of(run.view),
            profiling=run.batches.profiling if run.has_profile else None,
            started_at=run.job.clock(),
            start=table.start,
            columns=run.accepted.recorded,
            reads_again=run.reads_again,
            lock=held_lock(run.job.layout.view_lock(table.view)),
        ),
        reading=Reading(
            run.upstream.uri,
            files_per_batch=run.job.files_per_batch if step.kind == "build" else None,
            starts_at=step.starts_at,
        ),
        stop=run.stop,
        watch=lambda batches, rows, what="": run.report(
            "reading", what, batches=batches, rows=rows, total=total
        ),
        history=_history(run) if run.view.snapshot and is_new else None,
        full=run.request.full,
    )


def _history(run: ViewRun) -> str | None:
    """Return the present table of a snapshot view, whose rows its new table begins with.

    The source has only the present rows. A table of a time when the view was no snapshot view has
    no history to begin with.

    Raises:
        TableError: The table is damaged. A full build begins without its history.
    """
    current = Tables(run.job.layout).current(run.view.name)
    table = None if current is None else run.table(current)
    if table is None or not is_table(table):
        return None
    if damage := lost_commit(table):
        if run.request.full:
            return None
        raise damaged(_call(run.view), run.view.name, damage)
    batch = newest_batch(table)
    if batch is None:  # the log was cleaned up, and the rows are still there
        return table if open_snapshot(table).rows else None
    return table if batch.notes.snapshot else None


def refresh_latest_of(run: ViewRun, step: Step) -> str:
    """Refresh the view's ``latest`` table if it has one and it is stale.

    Returns:
        What was done, for the run's message; ``""`` if nothing was.
    """
    wanted = run.request.latest
    if not run.view.latest or (wanted is not None and run.view.name not in wanted):
        return ""
    run.report("latest")
    layout, table_id = run.job.layout, step.table.table_id
    done = refresh_if_stale(run.spark, layout, run.view, table_id, run.job.clock())
    return "" if done is None else f"; {done.note}"
