"""Which views have something to read now: looked up at each trigger, and recorded nowhere.

A run records what it does. A trigger without new rows comes every few seconds, so it must cost
little, and must leave nothing in the ledgers.
"""

from collections.abc import Collection, Mapping, Sequence

from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.latest.freshness import is_fresh
from featurestore.errors import FeatureStoreError
from featurestore.jobs.materialize.upstream import Upstream
from featurestore.jobs.materialize.without_spark.source import is_unchanged
from featurestore.store.columns import EVENT_TIME
from featurestore.store.current import CurrentTable, CurrentTables
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import TableRecord, Tables


def views_with_news(
    layout: Layout,
    views: Sequence[FeatureView],
    fingerprints: Mapping[str, str],
    latest: Collection[str] = (),
    idle: Collection[str] = (),
) -> list[FeatureView]:
    """Return the views that a run has something to do for, each after its upstream view.

    Args:
        layout: The addresses of the tables.
        views: The views, as loaded.
        fingerprints: The fingerprint of each view's table, by `table_fingerprint`.
        latest: The names of the views whose ``latest`` tables shall be fresh now.
        idle: The names of the views whose sources are known to have nothing new, of those that
            only Spark can ask.

    Example:
        >>> views_with_news(Layout("no/such/root"), (), {})
        []
    """
    records = Tables(layout).records()
    chosen: dict[str, FeatureView] = {}
    for view in sorted(views, key=lambda view: len(view.lineage)):
        above = view.source.name if view.lineage else ""
        is_stale = view.name in latest and _is_stale(layout, view, records)
        if (
            above in chosen
            or is_stale
            or _has_news(layout, view, records, fingerprints[view.name], view.name in idle)
        ):
            chosen[view.name] = view
    return [*chosen.values()]


def _has_news(
    layout: Layout,
    view: FeatureView,
    records: Sequence[TableRecord],
    fingerprint: str,
    is_idle: bool,
) -> bool:
    """Return whether a table has to be built, has a build that has not ended, or has new rows."""
    builds = {record.state: record for record in records if record.view == view.name}
    table = builds.get("current")
    if table is None or "building" in builds or table.fingerprint != fingerprint:
        return True
    if is_idle:
        return False
    try:
        upstream = reading(layout, view, records)
        if upstream is None or upstream.table_id != table.upstream:
            return True
        return not is_unchanged(upstream, layout.checkpoint(table.table_id, table.generation))
    # The run names what is wrong, such as damaged JSON of the stream's checkpoint.
    except (FeatureStoreError, OSError, ValueError, LookupError, TypeError):
        return True


def _is_stale(layout: Layout, view: FeatureView, records: Sequence[TableRecord]) -> bool:
    current = (record for record in records if record.state == "current")
    table = next((record for record in current if record.view == view.name), None)
    return table is not None and not is_fresh(layout, view, table.table_id)


def reading(layout: Layout, view: FeatureView, records: Sequence[TableRecord]) -> Upstream | None:
    """Return the table or files that a view is read from, without the checks of a run.

    None for a derived view whose upstream view has no current table.

    Args:
        layout: The addresses of the tables.
        view: The view.
        records: The records of all builds.
    """
    source = view.source
    if not isinstance(source, FeatureView):
        return Upstream(source, layout.source(source.location))  # type: ignore[arg-type, union-attr]  # a run refuses a request source
    table = CurrentTables(layout, records).of(source)
    if not isinstance(table, CurrentTable):
        return None
    rows = DeltaSource(source.name, path=table.uri, timestamp_field=EVENT_TIME)
    return Upstream(rows, table.uri, table.record.table_id)
