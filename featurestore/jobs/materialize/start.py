"""Materialization: update the feature tables of several views from their sources, side by side."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from featurestore.definitions.code.expectations import declared_expectations
from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import NotFoundError, RequestError, TableError
from featurestore.jobs.materialize.job import Job, Request, RunResult, new_run_id
from featurestore.jobs.materialize.lock import OnWait, ViewLocks, view_lock, view_locks
from featurestore.jobs.materialize.progress import (
    ENDS,
    Progress,
    ProgressEvent,
    ignore_progress,
    logging_errors,
)
from featurestore.jobs.materialize.without_spark.contract import refused_runs
from featurestore.jobs.materialize.without_spark.nothing_new import nothing_new
from featurestore.optional import spark_extra
from featurestore.query.compile import compile_view
from featurestore.query.selection import (
    Selection,
    selected_views,
    selection_names,
    selection_text,
)
from featurestore.store.current import CurrentTables, NoTable
from featurestore.store.ledger.tables import Tables

if TYPE_CHECKING:
    from featurestore.engines.latest.refreshed import Refreshed

__all__ = ["Job", "RunResult", "materialize", "refresh_latest"]


def materialize(  # noqa: PLR0913 - the options of a run
    job: Job,
    views: Selection | None = None,
    *,
    start: datetime | None = None,
    full: bool = False,
    accept_schema: bool = False,
    wait: bool = False,
    progress: Progress | None = None,
) -> list[RunResult]:
    """Update views' feature tables from their sources.

    A derived view runs after its upstream view. If the upstream view is not among ``views``, its
    present table is used.

    Args:
        job: The project.
        views: Views, or services for all views that they need; None for all applied views.
        start: A build leaves out events before this time.
        full: Build new tables from all rows of the sources.
        accept_schema: Take changes of a source's columns that a view's contract refuses.
        wait: Wait for another process that materializes one of the views.
        progress: Called with the progress of each view. Its errors are logged only.

    Returns:
        One result for each view, in the order of ``views``. A view that fails does not stop the
        others, but the views derived from it are skipped.

    Raises:
        NotFoundError: A view is not applied.
        RequestError: A view's definition differs from the applied one.
        ConflictError: Another process materializes one of the views; nothing was done.
        KeyboardInterrupt: The streams were stopped, and the runs were recorded as interrupted.
    """
    names = selected_names(job, views)
    report = logging_errors(progress or ignore_progress)
    run_ids = {name: new_run_id() for name in names}
    # Before the definitions are loaded, which may take seconds: another process may be at work.
    with all_locked(job, run_ids, report, wait=wait) as locks:
        targets = loaded_views(job, names, is_selected=views is not None)
        report = releasing(report, locks, ENDS)
        return run_views(job, targets, run_ids, Request(start, full, accept_schema), report)


@contextmanager
def all_locked(
    job: Job, run_ids: Mapping[str, str], report: Progress, *, wait: bool
) -> Iterator[ViewLocks]:
    """Hold the locks of all views for the block.

    Args:
        job: The project.
        run_ids: The run of each view, by the view's name.
        report: Called when a view waits for another process.
        wait: Wait for another process that materializes one of the views.

    Raises:
        ConflictError: Another process materializes one of the views.
    """
    on_wait = wait_reporter(report) if wait else None
    with view_locks(job.layout, run_ids, job.clock(), on_wait) as locks:
        for conflict in locks.busy.values():
            raise conflict
        yield locks


def releasing(report: Progress, locks: ViewLocks, ends: Sequence[str]) -> Progress:
    """Return a progress that also releases the lock of each view whose run has ended.

    Otherwise a long run of one view would keep others from running the other views.

    Args:
        report: The progress.
        locks: The locks of the views.
        ends: The phases with which the runs of a view end for good.
    """

    def release(event: ProgressEvent, /) -> None:
        if event.phase in ends:
            locks.release(event.view)

    # A lock that is not released here ends with the process; it fails no other view.
    release_or_log = logging_errors(release)

    def report_and_release(event: ProgressEvent, /) -> None:
        release_or_log(event)
        report(event)

    return report_and_release


def wait_reporter(report: Progress) -> OnWait:
    """Return what reports that a view waits for another process.

    Example:
        >>> wait_reporter(ignore_progress)("activity", "another process materializes it")
    """
    return lambda view, found: report(ProgressEvent(view, "waiting", message=found))


def run_views(
    job: Job,
    targets: Sequence[FeatureView],
    run_ids: Mapping[str, str],
    request: Request,
    report: Progress,
) -> list[RunResult]:
    """Run views, each after its upstream view, and return their results in the same order.

    A session is started only for views whose sources have something new.

    Args:
        job: The project.
        targets: The views, as loaded. The caller holds their locks.
        run_ids: The name of each view's run.
        request: The options of the call.
        report: Called with the progress of each view.

    Raises:
        KeyboardInterrupt: The streams were stopped, and the runs were recorded as interrupted.
    """
    results = _idle(job, targets, request, report, run_ids)
    rest = [view for view in targets if view.name not in results]
    results |= refused_runs(job, rest, run_ids, request, report)
    rest = [view for view in rest if view.name not in results]
    if rest:
        with spark_extra("materialize"):
            # Local import: pyspark takes 0.5 s, which calls with nothing new save.
            from featurestore.jobs.materialize.order import (  # noqa: PLC0415 - see above
                run_with_spark,
            )

        runs = run_with_spark(job, rest, run_ids, request, report)
        results |= {result.view: result for result in runs}
    return [results[view.name] for view in targets]


def _idle(
    job: Job,
    targets: Sequence[FeatureView],
    request: Request,
    report: Progress,
    run_ids: Mapping[str, str],
) -> dict[str, RunResult]:
    """Return the results of views that have nothing new, for which no session is started."""
    if request != Request():
        return {}
    results = nothing_new(job, targets, run_ids)
    for result in results.values():
        report(ProgressEvent(result.view, "nothing", message=result.message))
    return results


def refresh_latest(job: Job, views: Selection | None = None) -> "dict[str, Refreshed]":
    """Bring views' ``latest`` tables to the present time.

    Args:
        job: The project.
        views: Views, or services for all views that they need; None for all views that have such
            a table.

    Returns:
        What was done to each view's ``latest`` table.

    Raises:
        NotFoundError: A view is not applied.
        TableError: A view was never materialized, or was changed since its table was built.
        ConflictError: Another process materializes one of the views.
    """
    applied = job.applied()
    targets = (
        [view for view in applied.views if view.latest]
        if views is None
        else _selected(applied, views, "refresh_latest")
    )
    current = CurrentTables(job.layout, Tables(job.layout).records())
    tables = {view.name: _table_id(current, view) for view in targets}
    with ExitStack() as locks:
        for name in sorted(tables):
            locks.enter_context(view_lock(job.layout, name, new_run_id(), job.clock()))
        with spark_extra("refresh_latest"):
            # Local imports: as in `materialize`.
            from featurestore.engines.spark.session.child import (  # noqa: PLC0415 - see above
                own_session,
            )
            from featurestore.engines.spark.write.latest import (  # noqa: PLC0415 - see above
                refresh,
            )

        spark = own_session(job.spark())
        return {
            view.name: refresh(spark, job.layout, view, tables[view.name], job.clock())
            for view in targets
        }


def selected_names(job: Job, names: Selection | None) -> list[str]:
    """Return the names of the views to materialize. Their definitions are not loaded.

    Args:
        job: The project.
        names: Views, or services for all views that they need; None for all applied views.

    Raises:
        NotFoundError: A view is not applied.
    """
    applied = job.applied()
    views = list(applied.views) if names is None else _selected(applied, names, "materialize")
    return [view.name for view in views]


def loaded_views(job: Job, names: Sequence[str], *, is_selected: bool = True) -> list[FeatureView]:
    """Return the views to materialize, as loaded.

    Args:
        job: The project.
        names: The views, from `selected_names`.
        is_selected: Whether the caller has named them. A view of all views may be removed while a
            lock is waited for.

    Raises:
        DefinitionError: The definitions do not load.
        NotFoundError: A view that the caller has named is no longer applied.
        RequestError: A view's definition differs from the applied one.
    """
    loaded = job.loaded()
    # Read again: another process may have applied a plan while a lock was waited for.
    manifest = job.applied()
    present = names if is_selected else [name for name in names if manifest.view(name)]
    applied = _selected(manifest, present, "materialize") if present else []
    return [loaded_view(loaded, view, f"materialize view {view.name!r}") for view in applied]


def _selected(applied: Manifest, names: Selection, verb: str) -> list[FeatureView]:
    call = f"{verb}({selection_text(names)})"
    views = selected_views(applied, names, call)
    wanted = selection_names(names)
    for view in views:
        if isinstance(view, OnDemandFeatureView) and view.name in wanted:
            raise NotFoundError(
                call,
                f"{view.name!r} is an on-demand view, which has no table",
                "Leave it out: its features are computed with each call.",
            )
    return [view for view in views if isinstance(view, FeatureView)]


def loaded_view(loaded: Manifest, applied: FeatureView, call: str) -> FeatureView:
    """Return the loaded view, which can run; the registry has only the text of its transform.

    Args:
        loaded: The definitions of the project's folder.
        applied: The applied view.
        call: The call, for the message.

    Raises:
        RequestError: The loaded definition is another one, or there is none.
    """
    view = loaded.view(applied.name)
    if view is not None and _meaning(view) == _meaning(applied):
        return view
    problem = (
        f"view {applied.name!r} is applied, but the definitions no longer have it"
        if view is None
        else f"the definition of view {applied.name!r} ({view.origin}) is not the applied one"
    )
    raise RequestError(call, problem, "Run `featurestore plan` and `featurestore apply` first.")


def _meaning(view: FeatureView) -> tuple[object, ...]:
    expectations = declared_expectations(view)
    reading = (table_fingerprint(view), compile_view(view))
    personal = tuple(field.name for field in view.schema if field.personal)
    profile = view.profile, personal
    return *reading, view.latest, expectations, view.schema_contract, profile


def _table_id(tables: CurrentTables, view: FeatureView) -> str:
    table = tables.of(view)
    if isinstance(table, NoTable):
        problem = "was never materialized"
    elif table.state == "changed":
        problem = "was changed since its table was built"
    else:
        return table.record.table_id
    raise TableError(
        f"refresh_latest([{view.name!r}])",
        f"view {view.name!r} {problem}",
        f"Run `featurestore materialize {view.name}`.",
    )
