"""The repair of a range: a new table, in which the rows of the range are computed again.

Nothing reads the new table before it is complete; then it replaces the present one at once. What a
crash leaves is a table that no run goes on with, and that `maintain` removes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Event
from uuid import uuid4

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.source.file_log import FileLog
from featurestore.engines.spark.write.repair import Repair, run_repair
from featurestore.jobs.materialize.decide import Step
from featurestore.jobs.materialize.evidence import files_read
from featurestore.jobs.materialize.job import Job, Request, RunResult, new_run_id
from featurestore.jobs.materialize.order import run_in_order
from featurestore.jobs.materialize.progress import Progress, ignore_progress, logging_errors
from featurestore.jobs.materialize.reconcile import finish_releases, reconcile
from featurestore.jobs.materialize.run import (
    ViewRun,
    builds_of,
    profile_of,
    refresh_latest_of,
    stream_of,
)
from featurestore.jobs.materialize.start import all_locked, loaded_views
from featurestore.jobs.repair.checkpoint import continue_checkpoint
from featurestore.jobs.repair.plan import (
    PreparedRepair,
    RepairPlan,
    prepare_repair,
    repaired_names,
    require_same_table,
)
from featurestore.query.selection import Selection
from featurestore.store.delta.log import is_table
from featurestore.store.delta.protocol import check_plain
from featurestore.store.fault_points import fault_point
from featurestore.store.interval import Interval
from featurestore.store.ledger.files import Files
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.store.quarantine import drop_unfinished

NOTHING_IN_RANGE = "the range has no row, neither in the table nor in the source"


_CHANGED = {
    True: "the source had changed",
    None: "commits of the source cannot be read here, so all its rows were compared",
}


def repair(
    job: Job,
    views: Selection | None,
    interval: Interval,
    *,
    accept_schema: bool = False,
    wait: bool = False,
    progress: Progress | None = None,
) -> list[RunResult]:
    """Compute the rows of a range of event time again, and replace the stored ones.

    Args:
        job: The project.
        views: The views.
        interval: The range.
        accept_schema: Take changes of a source's columns that a view's contract refuses.
        wait: Wait for another process that materializes one of the views.
        progress: Called with the progress of each view. Its errors are logged only.

    Returns:
        One result for each view, in the order of ``views``. A view that fails does not stop the
        others.

    Raises:
        NotFoundError: A view is not applied.
        RequestError: No view is named, or a view cannot be repaired. Nothing was done.
        SourceError: A source cannot be read again. Nothing was done.
        ConflictError: Another process materializes one of the views; nothing was done.
        KeyboardInterrupt: The run was recorded as interrupted.
    """
    names = repaired_names(job, views)
    report = logging_errors(progress or ignore_progress)
    run_ids = {name: new_run_id() for name in names}
    with all_locked(job, run_ids, report, wait=wait):
        targets = loaded_views(job, names)
        for view in targets:
            _record_killed_runs(job, view)
        # The decisions for all views, before anything is computed. They hold until the end.
        prepared = {view.name: prepare_repair(job, view, interval) for view in targets}
        spark, stop = own_session(job.spark()), Event()
        runs = [
            ViewRun(
                job,
                view=view,
                request=Request(accept_schema=accept_schema),
                spark=spark,
                stop=stop,
                progress=report,
                run_id=run_ids[view.name],
                files=prepared[view.name].position.changed,
            )
            for view in targets
        ]
        return run_in_order(runs, stop, _Work(interval, prepared))


def _record_killed_runs(job: Job, view: FeatureView) -> None:
    builds, past = builds_of(Tables(job.layout), view.name), Runs(job.layout).records(view.name)
    for killed in reconcile(job.layout, builds, past, job.clock()):
        job.on_run(view, killed, "killed")


@dataclass(frozen=True)
class _Work:
    """The repair of one view, in place of its run."""

    interval: Interval
    prepared: Mapping[str, PreparedRepair]

    def __call__(self, run: ViewRun) -> RunResult:
        run.report("checking")
        layout, tables = run.job.layout, Tables(run.job.layout)
        accepted, _ = run.accepted, run.reads_again  # before anything is read or written
        prepared = self.prepared[run.view.name]
        finish_releases(layout, prepared.record)
        drop_unfinished(layout, prepared.record)
        table = _new_table(run, prepared)
        tables.record(table)
        record = run.log.begin(table, "repair")
        fault_point("ledger.reserved", run.view.name)
        run_repair(run.spark, _repair_of(run, self.interval, prepared, table))
        fault_point("source.read", run.view.name)
        if not is_table(run.table(table)):
            tables.record(_changed(run, table, state="removed"))
            return replace(run.log.end(record, None), message=NOTHING_IN_RANGE)
        _continue(run, prepared, table)
        require_same_table(run.job, prepared)
        tables.record(
            _changed(run, table, state="current"), _changed(run, prepared.record, state="retired")
        )
        fault_point("table.switched", run.view.name)
        refresh_latest_of(run, Step("repair", table=table))
        result = run.log.end(record, None)
        fault_point("ledger.completed", run.view.name)
        message = _message(result, prepared.plan, self.interval)
        notes = accepted.note + profile_of(run, table, is_repair=True)
        return replace(result, message=message + notes)


def _new_table(run: ViewRun, prepared: PreparedRepair) -> TableRecord:
    return _changed(run, prepared.record, state="repairing", table_id=uuid4().hex[:16])


def _changed(run: ViewRun, record: TableRecord, **changes: str) -> TableRecord:
    return replace(record, at=run.job.clock(), **changes)  # type: ignore[arg-type]  # a state or an id


def _repair_of(
    run: ViewRun, interval: Interval, prepared: PreparedRepair, table: TableRecord
) -> Repair:
    position, before = prepared.position, prepared.record
    return Repair(
        stream_of(run, Step("repair", table=table)),
        interval=interval,
        table=run.table(before),
        table_version=prepared.version,
        quarantine=run.job.layout.quarantine(before.view, before.table_id),
        last_batch=(prepared.newest.generation, prepared.newest.batch_id),
        batch_id=position.batch_id,
        source_offset=position.source_offset,
        source_commit=position.source_commit,
        version=position.version,
        files=position.files,
        is_changed=position.is_changed,
        rows_before=prepared.plan.rows,
    )


def _continue(run: ViewRun, prepared: PreparedRepair, table: TableRecord) -> None:
    """Let the view's stream go on with the new table, from where it is."""
    layout, before = run.job.layout, prepared.record
    check_plain(run.table(table))
    fault_point("table.ready", run.view.name)
    new = layout.checkpoint(table.table_id, table.generation)
    continue_checkpoint(
        layout.checkpoint(before.table_id, before.generation),
        new,
        prepared.position,
        prepared.newest,
        FileLog(new, run.run_id),
        run.upstream.uri,
    )
    fault_point("checkpoint.copied", run.view.name)
    Files(layout).record(files_read(layout, table, run.upstream.uri, run.run_id))
    fault_point("files.recorded", run.view.name)


def _message(result: RunResult, plan: RepairPlan, interval: Interval) -> str:
    quarantined = f", quarantined {result.rows_quarantined:,}" * bool(result.rows_quarantined)
    text = (
        f"computed {interval} again: {result.rows_out:,} rows in place of {plan.rows:,}"
        f"{quarantined}; copied {plan.rows_kept:,} other rows"
    )
    if plan.source_changed is not False:
        text += (
            f"; {_CHANGED[plan.source_changed]}, and new rows outside of the range are stored too"
        )
    if plan.rebuilt:
        text += f"; the next runs build the tables of {', '.join(plan.rebuilt)} again"
    return text
