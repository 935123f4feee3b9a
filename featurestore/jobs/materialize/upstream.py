"""The table or files that a view is read from: its source, or its upstream view's table."""

from dataclasses import dataclass

from featurestore.definitions.model.source import DeltaSource, StoredSource
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import SourceError
from featurestore.store.columns import EVENT_TIME
from featurestore.store.current import CurrentTables, NoTable
from featurestore.store.delta.commit_files import source_damage
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.integrity import table_damage
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables


@dataclass(frozen=True)
class Upstream:
    """The table or files that a view is read from.

    Args:
        source: The view's source, or the table of its upstream view.
        uri: Its address.
        table_id: The build of the upstream view; None if the view is not derived.
        version: The newest version of that build when the run began; None if not derived.
    """

    source: StoredSource
    uri: str
    table_id: str | None = None
    version: int | None = None


def upstream_of(view: FeatureView, layout: Layout) -> Upstream:
    """Return the table or files that a view is read from.

    Raises:
        SourceError: The source cannot be materialized, or its newest commit is damaged. Or the
            upstream view was never materialized, has changed since, or has a table with other
            commits than those of runs.
    """
    source = view.source
    if not isinstance(source, FeatureView):
        stored = _stored_source(view)
        uri = layout.source(stored.location)
        if isinstance(stored, DeltaSource):
            _require_newest_commit(view, uri)
        return Upstream(stored, uri)
    table = CurrentTables(layout, Tables(layout).records()).of(source)
    if isinstance(table, NoTable):
        raise _unusable(view, source, "was never materialized")
    if table.state == "changed":
        raise _unusable(view, source, "was changed after its table was built")
    runs = [
        run for run in Runs(layout).records(source.name) if run.table_id == table.record.table_id
    ]
    if damage := table_damage(table.uri, runs):
        raise _unusable(view, source, f"cannot be read on: {damage}", " --full")
    stored_rows = DeltaSource(source.name, path=table.uri, timestamp_field=EVENT_TIME)
    version = open_snapshot(table.uri).version
    return Upstream(stored_rows, table.uri, table.record.table_id, version)


def _stored_source(view: FeatureView) -> StoredSource:
    """Return the view's source, if it can be materialized.

    Raises:
        SourceError: It is a request source.
    """
    source = view.source
    if not isinstance(source, StoredSource):
        raise SourceError(
            f"materialize view {view.name!r} ({view.origin})",
            f"source {source.name!r} is a {type(source).__name__}: its values come with each call",
            "Read the view from a DeltaSource, a FileSource or a KafkaSource.",
        )
    return source


def _require_newest_commit(view: FeatureView, uri: str) -> None:
    """Refuse a source with an empty or cut newest commit: readers may take it for none.

    Raises:
        SourceError: The commit is damaged.
    """
    if damage := source_damage(uri):
        raise SourceError(
            f"materialize view {view.name!r} ({view.origin})",
            damage,
            "Restore the file from a copy. Or remove it, and write its rows to the source again.",
        )


def _unusable(
    view: FeatureView, source: FeatureView, problem: str, option: str = ""
) -> SourceError:
    return SourceError(
        f"materialize view {view.name!r} ({view.origin})",
        f"its upstream view {source.name!r} {problem}",
        f"Run `featurestore materialize {source.name} {view.name}{option}`.",
    )
