"""The earlier tables that the next runs take up, where a change of a view is taken back."""

from collections.abc import Collection, Mapping

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.store.delta.log import is_table
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import TableRecord, Tables


def earlier_tables(
    manifest: Manifest, layout: Layout, builds: Collection[str]
) -> dict[str, TableRecord]:
    """Return the table that the next run of a view takes up, by the view's name.

    It is the present table, if no run has built another one since, or the newest retired table of
    the same definition that still lies there.

    Args:
        manifest: The declared definitions, each view after its upstream view.
        layout: The addresses of the tables.
        builds: The views whose tables must be built.

    Example:
        >>> earlier_tables(Manifest(), Layout("no/such/store"), ["rides"])
        {}
    """
    records = Tables(layout).records() if builds else ()
    current = {each.view: each for each in records if each.state == "current"}
    found: dict[str, TableRecord] = {}
    for view in _upstream_first(manifest.views):
        if view.name in builds:
            table = _fitting(view, records, current)
            current.pop(view.name, None)
            if table is not None and is_table(layout.features(view.name, table.table_id)):
                current[view.name] = found[view.name] = table
    return found


def _upstream_first(views: Collection[FeatureView]) -> list[FeatureView]:
    return sorted(views, key=_depth)


def _depth(view: FeatureView) -> int:
    return 1 + _depth(view.source) if isinstance(view.source, FeatureView) else 0


def _fitting(
    view: FeatureView, records: Collection[TableRecord], current: Mapping[str, TableRecord]
) -> TableRecord | None:
    """Return the table that fits, as `decide` chooses it; None without one."""
    upstream = None
    if isinstance(view.source, FeatureView):
        if view.source.name not in current:
            return None
        upstream = current[view.source.name].table_id
    wanted = (view.name, table_fingerprint(view), upstream)
    own = [each for each in records if (each.view, each.fingerprint, each.upstream) == wanted]
    present = next((each for each in own if each.state == "current"), None)
    # An earlier table of a snapshot view lacks the history that came after it.
    retired = [each for each in own if each.state == "retired" and not view.snapshot]
    if present is not None or not retired:
        return present
    return retired[-1] if retired[-1].start is None else None
