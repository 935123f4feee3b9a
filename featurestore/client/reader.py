"""`Reader`: pins and reads a project's tables, and keeps them open for the next call."""

import os
from collections.abc import Mapping, Sequence
from functools import partial

import pyarrow as pa

from featurestore.definitions.model.manifest import Manifest
from featurestore.engines.explain.absent_keys import AbsentKeys, absent_keys
from featurestore.engines.retrieval.answer import answer
from featurestore.engines.retrieval.budget import require_rows_fit
from featurestore.engines.retrieval.scan import Bounds, count_rows, read_rows
from featurestore.engines.retrieval.threads import run_all
from featurestore.errors import NotFoundError, TableError
from featurestore.query.nodes import Query, ViewQuery
from featurestore.query.requirements import needed_columns
from featurestore.settings import Settings
from featurestore.store.current import CurrentTables, NoTable
from featurestore.store.delta.cache import Snapshots
from featurestore.store.delta.snapshot import Snapshot
from featurestore.store.integrity import require_whole_version
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import Tables


class Reader:
    """Reads the tables of a project, within its memory limit.

    Args:
        layout: The addresses of the tables.
        settings: The project's settings: the folder of its definitions and its memory limit.
    """

    def __init__(self, layout: Layout, settings: Settings) -> None:
        self.layout, self.definitions = layout, settings.definitions_folder
        self.memory_limit = settings.memory_limit
        self._tables = Tables(layout)
        self._snapshots = Snapshots(
            checksums=settings.verify_checksums, check=require_whole_version
        )

    def fingerprints(self) -> dict[str, str]:
        """Return the fingerprint of the table that readers see, for each view that has one."""
        records = self._tables.records()
        return {each.view: each.fingerprint for each in records if each.state == "current"}

    def pin(self, query: Query, manifest: Manifest) -> dict[str, Snapshot]:
        """Return a snapshot of the newest table version of each view in a query.

        Args:
            query: The query.
            manifest: The definitions that the answer follows.

        Raises:
            NotFoundError: A view is not applied.
            TableError: A view was never materialized, or no table is built from its definition.

        Example:
            >>> from pathlib import Path
            >>> settings = Settings(Path("no/such/project"), "shop")
            >>> Reader(Layout(settings.store_root), settings).pin(Query("call", ()), Manifest())
            {}
        """
        snapshots, missing = self.pin_present(query, manifest)
        if missing:
            raise _never_materialized(query.call, missing)
        return snapshots

    def pin_present(
        self, query: Query, manifest: Manifest
    ) -> tuple[dict[str, Snapshot], tuple[str, ...]]:
        """Return what `pin` returns for the views with a table, and the names of the other views.

        Raises:
            NotFoundError: A view is not applied.
            TableError: No table is built from a view's definition, but one from an earlier one.

        Example:
            >>> from pathlib import Path
            >>> settings = Settings(Path("no/such/project"), "shop")
            >>> reader = Reader(Layout(settings.store_root), settings)
            >>> reader.pin_present(Query("call", ()), Manifest())
            ({}, ())
        """
        uris, missing = self._addresses(query, manifest)
        # A table takes milliseconds to open, and a service may use a hundred views.
        opened = run_all(
            (partial(self._snapshots.newest, uri) for uri in uris.values()), os.cpu_count() or 1
        )
        return dict(zip(uris, opened, strict=True)), missing

    def answer(self, query: Query, bound: pa.Table, snapshots: Mapping[str, Snapshot]) -> pa.Table:
        """Return the features of every row of a bound spine, in the spine's order."""
        return answer(query, bound, snapshots, memory_limit=self.memory_limit)

    def absent_keys(
        self,
        query: Query,
        bound: pa.Table,
        answers: pa.Table,
        snapshots: Mapping[str, Snapshot],
    ) -> dict[str, AbsentKeys]:
        """Return the views that have no row of most keys of a spine: see `absent_keys`."""
        return absent_keys(query, bound, answers, snapshots, self.memory_limit)

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
        require_rows_fit(call, view, snapshot, rows, self.memory_limit)
        return read_rows(snapshot, needed_columns(view), bounds)

    def _addresses(
        self, query: Query, manifest: Manifest
    ) -> tuple[dict[str, str], tuple[str, ...]]:
        """Return the address of each view's table, and the views without one."""
        tables = CurrentTables(self.layout, self._tables.records())
        addresses: dict[str, str] = {}
        missing: list[str] = []
        for name in dict.fromkeys(use.view for use in query.views):
            view = manifest.view(name)
            if view is None:
                raise NotFoundError(
                    query.call, f"view {name!r} is not applied", "Run `featurestore apply`."
                )
            table = tables.answering(view)
            if isinstance(table, NoTable):
                missing.append(name)
                continue
            if table.state == "changed":
                raise self._changed(query.call, name)
            addresses[name] = table.uri
        return addresses, tuple(missing)

    def _changed(self, call: str, view: str) -> TableError:
        """Return the error of a view without a table of the definition that is requested."""
        return TableError(
            call,
            f"view {view!r} was changed since its table was built",
            f"Run `featurestore materialize {view}`, which builds it again.",
        )


def _never_materialized(call: str, views: Sequence[str]) -> TableError:
    listed = ", ".join(map(repr, views))
    found = (
        f"view {listed} is applied but was never materialized"
        if len(views) == 1
        else f"views {listed} are applied but were never materialized"
    )
    return TableError(call, found, f"Run `featurestore materialize {' '.join(views)}`.")
