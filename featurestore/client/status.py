"""What is known of each applied view: its table, its rows, its newest event, its last run."""

from dataclasses import dataclass
from datetime import datetime

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.store.current import CurrentTable, CurrentTables
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import RunRecord, Runs
from featurestore.store.ledger.tables import Tables


@dataclass(frozen=True)
class ViewStatus:
    """The state of one view.

    Args:
        view: Its name.
        features: How many features it has.
        state: ``"current"``; ``"never materialized"``; ``"changed"`` since its table was built;
            ``"building"``, where a first build has not ended; ``"outdated"``, where the view that
            it is derived from has another table since; or ``"on demand"``: it is computed
            when it is asked for, and there is nothing to materialize.
        version: Delta version of the feature table; None without one.
        rows: Rows of the feature table.
        newest_event: The newest event that its runs stored; None if unknown.
        last_run: The last run's status, such as ``"done"``; None before the first.
        last_run_at: When the last run started.
        error: Why the last run failed, if only at the ``latest`` table, or was skipped; None if
            it did not.
        derived_from: The view that it is made of; None where it has a source of its own.
    """

    view: str
    features: int
    state: str
    version: int | None = None
    rows: int = 0
    newest_event: datetime | None = None
    last_run: str | None = None
    last_run_at: datetime | None = None
    error: str | None = None
    derived_from: str | None = None


def view_statuses(manifest: Manifest, layout: Layout) -> list[ViewStatus]:
    """Return the state of every applied view, by name; reads ledgers and logs, no data.

    Example:
        >>> view_statuses(Manifest(), Layout("no/such/root"))
        []
    """
    computed = [
        ViewStatus(view.name, len(view.feature_names), "on demand")
        for view in manifest.on_demand_views
    ]
    if not manifest.views:
        return computed
    tables = CurrentTables(layout, Tables(layout).records())
    runs = Runs(layout).records()
    return [*(_view_status(view, tables, runs) for view in manifest.views), *computed]


def _view_status(
    view: FeatureView, tables: CurrentTables, runs: tuple[RunRecord, ...]
) -> ViewStatus:
    table = tables.of(view)
    current = table if isinstance(table, CurrentTable) else None
    own = [run for run in runs if run.view == view.name]
    last = own[-1] if own else None
    snapshot = current and open_snapshot(current.uri)
    events = [
        run.outcome.max_event_timestamp
        for run in own
        if current and run.table_id == current.record.table_id and run.outcome.max_event_timestamp
    ]
    return ViewStatus(
        view.name,
        len(view.feature_names),
        table.state,
        derived_from=view.source.name if view.lineage else None,
        version=snapshot.version if snapshot else None,
        rows=snapshot.rows if snapshot else 0,
        newest_event=max(events, default=None),
        last_run=last.status if last else None,
        last_run_at=last.started_at if last else None,
        error=last.outcome.error if last else None,
    )
