"""Pinning: which table, at which version, answers for each view of a query."""

from featurestore.definitions.fingerprint import table_fingerprint
from featurestore.definitions.manifest import Manifest
from featurestore.errors import NotFoundError, TableError
from featurestore.query.nodes import Query
from featurestore.store.layout import Layout
from featurestore.store.ledger import Tables
from featurestore.store.snapshot import Snapshot, open_snapshot


def pin(query: Query, manifest: Manifest, layout: Layout) -> dict[str, Snapshot]:
    """Return the newest version of the table of each view that a query reads.

    Raises:
        NotFoundError: A view is not applied.
        TableError: A view was never materialized, or was changed since its table was built.

    Example:
        >>> pin(Query("ask", ()), Manifest(), Layout("no/such/root"))
        {}
    """
    tables = Tables(layout)
    return {
        name: _pin_view(name, query.asked, manifest, layout, tables)
        for name in dict.fromkeys(view.view for view in query.views)
    }


def _pin_view(
    name: str, asked: str, manifest: Manifest, layout: Layout, tables: Tables
) -> Snapshot:
    record, view = tables.current(name), manifest.view(name)
    if view is None:
        raise NotFoundError(asked, f"view {name!r} is not applied", "Run `featurestore apply`.")
    if record is None:
        raise TableError(
            asked,
            f"view {name!r} is applied but was never materialized",
            f"Run `featurestore materialize {name}`.",
        )
    if record.fingerprint != table_fingerprint(view):
        raise TableError(
            asked,
            f"view {name!r} was changed since its table was built",
            f"Run `featurestore materialize {name}`, which builds it anew.",
        )
    return open_snapshot(layout.features(name, record.table_id))
