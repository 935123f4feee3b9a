"""`Reader`: pins and reads a project's tables, and keeps them open for the next call."""

import os
from collections.abc import Collection, Mapping, Sequence
from functools import partial

import pyarrow as pa

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.retrieval.answer import answer
from featurestore.engines.retrieval.budget import require_rows_fit
from featurestore.engines.retrieval.scan import Bounds, count_rows, read_rows
from featurestore.engines.retrieval.threads import run_all
from featurestore.errors import NotFoundError, TableError
from featurestore.query.nodes import Query, ViewQuery
from featurestore.query.requirements import needed_columns
from featurestore.registry.registry import Registry
from featurestore.registry.unchanged import unchanged_columns
from featurestore.settings import Settings
from featurestore.store.current import CurrentTables, NoTable
from featurestore.store.delta.cache import Snapshots
from featurestore.store.delta.snapshot import Snapshot
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import TableRecord, Tables


class Reader:
    """Reads the tables of a project, within its memory limit.

    Args:
        layout: The addresses of the tables.
        settings: The project's settings: the folder of its definitions and its memory limit.
        registry: Knows the definitions of before a change; None if there are none.
    """

    def __init__(
        self, layout: Layout, settings: Settings, registry: Registry | None = None
    ) -> None:
        self.layout, self.definitions = layout, settings.definitions_folder
        self._limit = settings.memory_limit
        self._registry, self._tables = registry, Tables(layout)
        self._snapshots = Snapshots(checksums=settings.verify_checksums)

    def pin(self, query: Query, manifest: Manifest) -> dict[str, Snapshot]:
        """Return a snapshot of the newest table version of each view in a query.

        Args:
            query: The query.
            manifest: The applied definitions.

        Raises:
            NotFoundError: A view is not applied.
            TableError: A view was never materialized. Or it was changed since its table was built,
                and the query needs more than what the change leaves as it was.

        Example:
            >>> from pathlib import Path
            >>> settings = Settings(Path("no/such/project"), "shop")
            >>> Reader(Layout(settings.store_root), settings).pin(Query("call", ()), Manifest())
            {}
        """
        uris = self._addresses(query, manifest)
        # A table takes milliseconds to open, and a service may use a hundred views.
        opened = run_all(
            (partial(self._snapshots.newest, uri) for uri in uris.values()), os.cpu_count() or 1
        )
        return dict(zip(uris, opened, strict=True))

    def answer(self, query: Query, bound: pa.Table, snapshots: Mapping[str, Snapshot]) -> pa.Table:
        """Return the features of every row of a bound spine, in the spine's order."""
        return answer(query, bound, snapshots, memory_limit=self._limit)

    def read(self, call: str, view: ViewQuery, snapshot: Snapshot, bounds: Bounds) -> pa.Table:
        """Return the view's stored rows within bounds, and possibly some rows outside them.

        Args:
            call: The call's text, for error messages.
            view: The use of the view. The columns that it needs are read.
            snapshot: The view's pinned table.
            bounds: The keys and event times to read.

        Raises:
            RequestError: The rows do not fit the memory limit.
        """
        rows = count_rows(snapshot, bounds)
        require_rows_fit(call, view, snapshot, rows, self._limit)
        return read_rows(snapshot, needed_columns(view), bounds)

    def _addresses(self, query: Query, manifest: Manifest) -> dict[str, str]:
        tables = CurrentTables(self.layout, self._tables.records())
        needed: dict[str, dict[str, None]] = {}
        for use in query.views:
            needed.setdefault(use.view, {}).update(dict.fromkeys(use.value_columns))
        addresses: dict[str, str] = {}
        missing: list[str] = []
        for name, columns in needed.items():
            view = manifest.view(name)
            if view is None:
                raise NotFoundError(
                    query.call, f"view {name!r} is not applied", "Run `featurestore apply`."
                )
            table = tables.of(view)
            if isinstance(table, NoTable):
                missing.append(name)
                continue
            if table.state == "changed":
                self._require_unchanged(query.call, view, table.record, columns)
            addresses[name] = table.uri
        if missing:
            raise _never_materialized(query.call, missing)
        return addresses

    def _require_unchanged(
        self, call: str, view: FeatureView, table: TableRecord, columns: Collection[str]
    ) -> None:
        """Refuse a table of before a change, unless the columns are the same before and after.

        Raises:
            TableError: The table does not have the columns as the definition says now.
        """
        built = self._registry and self._registry.built_from(view.name, table.fingerprint)
        unchanged = unchanged_columns(built, view) if built else frozenset()
        own = {field.name for field in view.schema} & {*columns}
        changed = [name for name in columns if name in own - unchanged]
        if unchanged and not changed:
            return
        which = f" in {', '.join(changed)}" if unchanged else ""
        raise TableError(
            call,
            f"view {view.name!r} was changed{which} since its table was built",
            f"Run `featurestore materialize {view.name}`, which builds it again.",
        )


def _never_materialized(call: str, views: Sequence[str]) -> TableError:
    listed = ", ".join(map(repr, views))
    found = (
        f"view {listed} is applied but was never materialized"
        if len(views) == 1
        else f"views {listed} are applied but were never materialized"
    )
    return TableError(call, found, f"Run `featurestore materialize {' '.join(views)}`.")
