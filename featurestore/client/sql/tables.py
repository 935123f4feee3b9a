"""The tables that SQL sees: each applied view and each Delta source, opened when it is named."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache, cached_property
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from pyarrow.dataset import ParquetReadOptions

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource
from featurestore.errors import FeatureStoreError, TableError
from featurestore.jobs.declared_sources import require_declared
from featurestore.quoting import duckdb_name
from featurestore.store.current import CurrentTable, CurrentTables
from featurestore.store.delta.commit_files import source_damage
from featurestore.store.delta.log import is_table
from featurestore.store.delta.snapshot import check_paths, check_readable, open_table
from featurestore.store.integrity import require_whole_version
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import Tables
from featurestore.store.paths import catalog_table, is_local

_STREAM = "_featurestore_stream"


class SqlTables:
    """The tables of a project by the names that SQL uses.

    Args:
        manifest: The applied definitions.
        layout: The addresses of sources and tables.
        loaded: Returns the loaded definitions. References to environment variables in a source's
            address are resolved only if these have them.

    Example:
        >>> SqlTables(Manifest(), Layout("no/such/root")).existing()
        []
    """

    def __init__(
        self, manifest: Manifest, layout: Layout, loaded: Callable[[], Manifest] = Manifest
    ) -> None:
        self._layout, self._loaded = layout, cache(loaded)
        self._views = {view.name: view for view in manifest.views}
        self._sources = {
            source.name: source
            for source in manifest.sources
            if isinstance(source, DeltaSource) and source.name not in self._views
        }

    def name(self, text: str) -> str | None:
        """Return a table's name as it is declared; SQL ignores case. None if there is none."""
        names = {name.casefold(): name for name in (*self._views, *self._sources)}
        name = names.get(text.casefold())
        return name if name is not None and self._uri(name) is not None else None

    def existing(self) -> list[str]:
        """Return the names of the tables that exist."""
        names = []
        for name in (*self._views, *self._sources):
            with suppress(FeatureStoreError):
                if self._uri(name) is not None:
                    names.append(name)
        return names

    def open(self, connection: Any, name: str) -> None:
        """Make a table visible to a connection, at its newest version.

        Args:
            connection: DuckDB's connection.
            name: A name from `existing`.

        Raises:
            TableError: The table cannot be read.
        """
        uri = self._uri(name) or ""
        table = open_table(uri)
        try:
            if name in self._views:
                require_whole_version(uri, table.version())
                check_readable(table, uri)
            else:
                _require_whole_source(name, uri)
                check_paths(
                    pa.RecordBatchReader.from_stream(table.get_add_actions()).read_all(), uri
                )
            _register(connection, name, table)
        except DeltaError as error:
            raise TableError(
                f"read table {name!r} at {uri}",
                str(error).splitlines()[0],
                "Read it with Spark, or drop the feature with ALTER TABLE ... DROP FEATURE.",
            ) from None

    def _uri(self, name: str) -> str | None:
        if name in self._views:
            table = self._current.of(self._views[name])
            return table.uri if isinstance(table, CurrentTable) else None
        require_declared(self._sources[name], self._loaded, "sql()")
        uri = self._layout.source(self._sources[name].location)
        if catalog_table(uri):
            return None
        return uri if not is_local(uri) or is_table(uri) else None

    @cached_property
    def _current(self) -> CurrentTables:
        return CurrentTables(self._layout, Tables(self._layout).records())


def _require_whole_source(name: str, uri: str) -> None:
    if damage := source_damage(uri):
        raise TableError(
            f"read table {name!r} at {uri}",
            damage,
            "Restore the file from a copy. Or remove it, and write its rows to the source again.",
        )


def _register(connection: Any, name: str, table: DeltaTable) -> None:
    """Register a table's Arrow dataset; DuckDB reads only the columns and rows that it needs.

    Datasets know neither deletion vectors nor column mapping, and read wrong values without an
    error. A table with such features is copied into DuckDB, which writes to files beyond its
    memory limit.
    """
    protocol = table.protocol()
    is_plain = protocol.min_reader_version == 1
    if is_plain or set(protocol.reader_features or ["columnMapping"]) <= {"timestampNtz"}:
        # Spark 3 wrote times in a form that Arrow reads as nanoseconds, which end in 2262.
        options = ParquetReadOptions(coerce_int96_timestamp_unit="us")
        connection.register(name, table.to_pyarrow_dataset(parquet_read_options=options))
        return
    connection.register(_STREAM, pa.RecordBatchReader.from_stream(table.scan()))
    connection.execute(f"CREATE TABLE {duckdb_name(name)} AS FROM {_STREAM}")
    connection.unregister(_STREAM)
