"""What a view's rows are read from: its source, or the current table of the view it is made of."""

from dataclasses import dataclass

from featurestore.definitions.model.source import DeltaSource, StoredSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.readers import stored_source
from featurestore.errors import SourceError
from featurestore.store.columns import EVENT_TIME
from featurestore.store.current import CurrentTables, NoTable
from featurestore.store.delta.log import latest_version
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import Tables


@dataclass(frozen=True)
class Upstream:
    """What to read.

    Args:
        source: The table or the files.
        uri: Their address.
        table_id: Of a derived view: the build of its upstream view.
        version: Of a derived view: that build's newest version when the run began.
    """

    source: StoredSource
    uri: str
    table_id: str | None = None
    version: int | None = None


def upstream_of(view: FeatureView, layout: Layout) -> Upstream:
    """Return what a view's rows are read from.

    Raises:
        SourceError: Its source cannot be materialized, or it is derived from a view that was
            never materialized, or was changed since.
    """
    source = view.source
    if not isinstance(source, FeatureView):
        stored = stored_source(view)
        return Upstream(stored, layout.source(stored.path))
    table = CurrentTables(layout, Tables(layout).records()).of(source)
    if isinstance(table, NoTable):
        raise _not_there(view, source, "was never materialized")
    if table.state == "changed":
        raise _not_there(view, source, "was changed since its table was built")
    stored_rows = DeltaSource(source.name, path=table.uri, timestamp_field=EVENT_TIME)
    return Upstream(stored_rows, table.uri, table.record.table_id, latest_version(table.uri))


def _not_there(view: FeatureView, source: FeatureView, found: str) -> SourceError:
    return SourceError(
        f"materialize view {view.name!r} ({view.origin})",
        f"view {source.name!r}, which it is derived from, {found}",
        f"Run `featurestore materialize {source.name} {view.name}`.",
    )
