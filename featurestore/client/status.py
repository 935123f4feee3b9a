"""The state of each applied view: its table, its rows, its newest event and its last run."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import FeatureStoreError, TableError, sentences
from featurestore.jobs.continuous.backlog import Continuous, continuous_of
from featurestore.jobs.declared_sources import require_declared
from featurestore.jobs.materialize.reconcile import with_interrupted
from featurestore.jobs.materialize.refusal import unrecorded_tables
from featurestore.jobs.schedule.cron import interval_from
from featurestore.jobs.schedule.due import ViewSchedule, schedules
from featurestore.query.selection import Selection, selected_views, selection_text
from featurestore.store.current import CurrentTable, CurrentTables, unrecorded_builds
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.integrity import table_damage
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import RunRecord, Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.store.quarantine import count_quarantined
from featurestore.times import system_clock


@dataclass(frozen=True)
class ViewStatus:
    """The state of one view.

    Args:
        view: The view's name.
        features: The number of its features.
        state: One of these texts. ``"current"``: its table can be read. ``"never materialized"``:
            it has no table. ``"building"``: its first build has not ended. ``"changed"``: its
            definition was changed after its table was built. ``"outdated"``: its upstream view
            has another table now. ``"damaged"``: its table has lost commits or cannot be read;
            ``error`` says how. ``"on demand"``: it is computed at each call and has no table.
        version: The Delta version of the feature table. None without a table.
        rows: The number of rows of the feature table. None for an on-demand view, which has none.
        rows_quarantined: The number of rows in its quarantine that were not released. None if its
            table or its quarantine cannot be read; ``error`` says why.
        newest_event: The newest event time in its table. None if unknown.
        last_run: The status of the last run, such as ``"done"``. None if there was no run. A run
            whose process was killed is ``"interrupted"``. On HDFS, which has no locks here, it is
            ``"running"`` until the view's next run; in an object store it may be so for an hour,
            if the process was of another machine.
        last_run_at: The time when the last run started.
        error: What is wrong with the table; or why the last run, or its ``latest`` table, failed
            or was skipped. Otherwise None.
        derived_from: The upstream view. None if the view has a source of its own.
        answers_by: The version of the definitions that its answers follow until its new table is
            built. None if they follow the applied definition.
        schedule: Its cron text, in UTC. None without a schedule, and so for the next four.
        freshness: ``"fresh"`` if its last successful run covers the last tick of its schedule,
            else ``"due"``.
        due_since: The first tick that no successful run has covered.
        late_seconds: The seconds since then.
        next_tick: The next tick of its schedule.
        last_failure: The error of its newest failed run, although later runs may have succeeded.
            None if none has failed.
        last_failure_at: The time when that run started.
        continuous: What the process says that materializes the view continuously, and how far
            the view is behind its source. ``is_running`` is false if that process has died, and no
            run of the view has succeeded since. None without such a process, and where nobody
            knows whether it runs.
    """

    view: str
    features: int
    state: str
    version: int | None = None
    rows: int | None = 0
    newest_event: datetime | None = None
    last_run: str | None = None
    last_run_at: datetime | None = None
    error: str | None = None
    derived_from: str | None = None
    answers_by: int | None = None
    schedule: str | None = None
    freshness: str | None = None
    due_since: datetime | None = None
    late_seconds: int | None = None
    next_tick: datetime | None = None
    last_failure: str | None = None
    last_failure_at: datetime | None = None
    rows_quarantined: int | None = 0
    continuous: Continuous | None = None

    @property
    def is_late(self) -> bool:
        """Whether a whole interval of its schedule has passed since it was due."""
        if self.schedule is None or self.due_since is None or self.late_seconds is None:
            return False
        interval = interval_from(self.schedule, self.due_since)
        return self.late_seconds >= interval.total_seconds()


def view_statuses(
    manifest: Manifest,
    layout: Layout,
    earlier: Mapping[str, int] | None = None,
    now: datetime | None = None,
    loaded: Callable[[], Manifest] = Manifest,
) -> list[ViewStatus]:
    """Return the state of every applied view, from ledgers and Delta logs.

    A damaged table changes the status of its own view only.

    Args:
        manifest: The applied definitions.
        layout: The addresses of the tables.
        earlier: For each view that is answered by an earlier definition, the version of the
            definitions.
        now: The present moment, for the freshness. None for that of the system's clock.
        loaded: Returns the definitions of the project's folder. A source whose address has
            references is looked at only if they have that very address. By default, none has.

    Example:
        >>> view_statuses(Manifest(), Layout("no/such/root"))
        []
    """
    on_demand = [
        ViewStatus(
            view.name, len(view.feature_names), "on demand", rows=None, rows_quarantined=None
        )
        for view in manifest.on_demand_views
    ]
    if not manifest.views:
        return on_demand
    records = Tables(layout).records()
    tables = CurrentTables(layout, records)
    runs = with_interrupted(layout, Runs(layout).records())
    moment = system_clock() if now is None else now
    require_known = partial(require_declared, loaded=loaded, call="status()")
    due = {state.view: state for state in schedules(manifest.views, tables, runs, moment)}
    stored = (
        replace(
            _unrecorded(_view_status(view, layout, tables, runs), layout, records),
            answers_by=(earlier or {}).get(view.name),
            continuous=continuous_of(layout, view, records, moment, require_known, runs),
        )
        for view in manifest.views
    )
    return [*(_with_schedule(each, due.get(each.view)) for each in stored), *on_demand]


def _unrecorded(status: ViewStatus, layout: Layout, records: Sequence[TableRecord]) -> ViewStatus:
    """Return the status, as damaged if there are tables of which the ledger has no record."""
    if status.state != "never materialized":
        return status
    found = unrecorded_builds(layout, status.view, records)
    if found is None:
        return status
    error = unrecorded_tables(status.view, found)
    return replace(status, state="damaged", error=sentences(error.found, error.fix))


def selected_statuses(
    statuses: Iterable[ViewStatus], applied: Manifest, views: Selection | None
) -> list[ViewStatus]:
    """Return the states of those views that a call selects, in their order.

    Args:
        statuses: The states of all applied views.
        applied: The applied definitions.
        views: Views, or services for all views that they need. None for all views.

    Raises:
        NotFoundError: A view or a service is not applied.

    Example:
        >>> selected_statuses([], Manifest(), None)
        []
    """
    if views is None:
        return list(statuses)
    chosen = selected_views(applied, views, f"status({selection_text(views)})")
    names = {view.name for view in chosen}
    return [each for each in statuses if each.view in names]


def _view_status(
    view: FeatureView, layout: Layout, tables: CurrentTables, runs: tuple[RunRecord, ...]
) -> ViewStatus:
    try:
        table = tables.of(view)
    except TableError as error:  # a changed id of its build
        features = len(view.feature_names)
        return ViewStatus(view.name, features, "damaged", error=str(error))
    current = table if isinstance(table, CurrentTable) else None
    view_runs = [run for run in runs if run.view == view.name]
    last = view_runs[-1] if view_runs else None
    failed = next((run for run in reversed(view_runs) if run.status == "failed"), None)
    status = ViewStatus(
        view.name,
        len(view.feature_names),
        table.state,
        derived_from=view.source.name if view.lineage else None,
        last_run=last.status if last else None,
        last_run_at=last.started_at if last else None,
        error=last.outcome.error if last else None,
        last_failure=failed.outcome.error if failed else None,
        last_failure_at=failed.started_at if failed else None,
    )
    if current is None:
        return status
    own_runs = [run for run in view_runs if run.table_id == current.record.table_id]
    events = [run.outcome.max_event_timestamp for run in own_runs]
    status = replace(status, newest_event=max(filter(None, events), default=None))
    return _with_quarantine(_with_table(status, current, own_runs), layout, current.record)


def _with_schedule(status: ViewStatus, state: ViewSchedule | None) -> ViewStatus:
    if state is None:
        return status
    return replace(
        status,
        schedule=state.schedule,
        freshness="due" if state.is_due else "fresh",
        due_since=state.due_since,
        late_seconds=state.late_seconds,
        next_tick=state.next_tick,
    )


def _with_table(
    status: ViewStatus, current: CurrentTable, runs: Sequence[RunRecord]
) -> ViewStatus:
    try:
        damage = table_damage(current.uri, runs)
        snapshot = None if damage else open_snapshot(current.uri)
    except (FeatureStoreError, OSError) as error:
        damage, snapshot = str(error), None
    if snapshot is None:
        fix = f"Rebuild it with `featurestore materialize {status.view} --full`."
        return replace(status, state="damaged", error=sentences(str(damage), fix))
    return replace(status, version=snapshot.version, rows=snapshot.rows)


def _with_quarantine(status: ViewStatus, layout: Layout, record: TableRecord) -> ViewStatus:
    if status.state == "damaged":  # its batches are unknown
        return replace(status, rows_quarantined=None)
    try:
        rows = count_quarantined(layout, record)
    except (FeatureStoreError, OSError) as error:  # answers do not need it; the next run does
        return replace(status, rows_quarantined=None, error=str(error))
    return replace(status, rows_quarantined=rows)
