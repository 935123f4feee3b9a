"""Feature tables brought up to date with their sources, several views side by side."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from threading import Event

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.write.latest import refresh
from featurestore.errors import NotFoundError, RequestError, TableError, nearest
from featurestore.jobs.materialize.job import Job, Request, RunResult, new_run_id
from featurestore.jobs.materialize.lock import view_lock
from featurestore.jobs.materialize.order import run_in_order
from featurestore.jobs.materialize.progress import Progress, ProgressEvent, silent
from featurestore.jobs.materialize.run import ViewRun
from featurestore.query.compile import compile_view
from featurestore.store.current import CurrentTables, NoTable
from featurestore.store.ledger.tables import Tables

__all__ = ["Job", "RunResult", "materialize", "refresh_latest"]


def materialize(
    job: Job,
    views: Sequence[str] | None = None,
    *,
    start: datetime | None = None,
    full: bool = False,
    progress: Progress | None = None,
) -> list[RunResult]:
    """Bring views' feature tables up to date with their sources.

    A derived view follows the view that it is made of; where that is not among the views asked
    for, it is made of that view's table as it is.

    Args:
        job: The project.
        views: The views' names; None for all that are applied.
        start: On a build, leave out events before this moment.
        full: Build the tables anew from all of their sources.
        progress: Is told how far each view is.

    Returns:
        One result a view, in the order asked; a view that failed does not stop the others, but
        those derived from it are skipped.

    Raises:
        NotFoundError: A view is not applied.
        RequestError: A view's definition is another than the applied one.
        ConflictError: Somebody else is materializing one of the views; nothing was done.
        KeyboardInterrupt: After the streams were stopped and the runs recorded as interrupted.
    """
    chosen = _chosen(job, views)
    show = progress or silent
    run_ids = {view.name: new_run_id() for view in chosen}
    with ExitStack() as locks:
        for name in sorted(run_ids):
            locks.enter_context(view_lock(job.layout, name, run_ids[name], job.clock()))
        for view in chosen:
            show(ProgressEvent(view.name, "waiting"))
        spark, stop = own_session(job.spark()), Event()
        runs = [
            ViewRun(
                job,
                view=view,
                request=Request(start, full),
                spark=spark,
                stop=stop,
                progress=show,
                run_id=run_ids[view.name],
            )
            for view in chosen
        ]
        return run_in_order(runs, stop)


def refresh_latest(job: Job, views: Sequence[str] | None = None) -> dict[str, int]:
    """Write views' ``latest`` tables anew, as of now; return each one's Delta version.

    Args:
        job: The project.
        views: The views' names; None for all that keep such a table.

    Raises:
        NotFoundError: A view is not applied.
        TableError: A view was never materialized.
        ConflictError: Somebody else is materializing one of the views.
    """
    applied = job.applied()
    names = [view.name for view in applied.views if view.latest] if views is None else views
    chosen = [_applied(applied, name, "refresh_latest") for name in names]
    current = CurrentTables(job.layout, Tables(job.layout).records())
    tables = {view.name: _table_id(current, view) for view in chosen}
    with ExitStack() as locks:
        for name in sorted(tables):
            locks.enter_context(view_lock(job.layout, name, new_run_id(), job.clock()))
        spark = own_session(job.spark())
        return {
            view.name: refresh(spark, job.layout, view, tables[view.name], job.clock())
            for view in chosen
        }


def _chosen(job: Job, names: Sequence[str] | None) -> list[FeatureView]:
    applied = job.applied()
    wanted = [
        _applied(applied, name, "materialize")
        for name in ([view.name for view in applied.views] if names is None else names)
    ]
    loaded = job.loaded()
    return [_loaded(loaded, view) for view in dict.fromkeys(wanted)]


def _applied(applied: Manifest, name: str, verb: str) -> FeatureView:
    view = applied.view(name)
    if applied.on_demand_view(name) is not None:
        raise NotFoundError(
            f"{verb}([{name!r}])",
            f"{name!r} is an on-demand view: it is computed when it is asked for",
            "There is nothing to materialize.",
        )
    if view is None:
        raise NotFoundError(
            f"{verb}([{name!r}])",
            f"no view {name!r} is applied",
            f"{nearest(name, (known.name for known in applied.views))} "
            "Run `featurestore plan` and `featurestore apply` first if it is new.",
        )
    return view


def _loaded(loaded: Manifest, applied: FeatureView) -> FeatureView:
    """The applied view's text is all that the registry has; what runs is the loaded one."""
    view = loaded.view(applied.name)
    if view is None or _meaning(view) != _meaning(applied):
        found = "is not among the definitions" if view is None else "is defined otherwise now"
        where = "" if view is None else f" ({view.origin})"
        raise RequestError(
            f"materialize([{applied.name!r}])",
            f"view {applied.name!r} {found} than what is applied{where}"
            if view is not None
            else f"view {applied.name!r} {found} any more",
            "Run `featurestore plan` and `featurestore apply` first.",
        )
    return view


def _meaning(view: FeatureView) -> tuple[object, ...]:
    return table_fingerprint(view), compile_view(view), view.latest


def _table_id(tables: CurrentTables, view: FeatureView) -> str:
    table = tables.of(view)
    if isinstance(table, NoTable):
        raise TableError(
            f"refresh_latest([{view.name!r}])",
            f"view {view.name!r} was never materialized",
            f"Run `featurestore materialize {view.name}`.",
        )
    return table.record.table_id
