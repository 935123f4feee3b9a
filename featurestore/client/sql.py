"""SQL over the project's tables, by DuckDB: for spines and for a look around."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from featurestore.definitions.manifest import Manifest
from featurestore.definitions.source import DeltaSource
from featurestore.errors import RequestError
from featurestore.optional import optional
from featurestore.store.delta_log import is_table
from featurestore.store.layout import Layout
from featurestore.store.ledger import Tables
from featurestore.store.snapshot import Snapshot, is_local, local_path, open_snapshot


def query_sql(manifest: Manifest, layout: Layout, folder: Path, text: str) -> pa.Table:
    """Return the rows that a SELECT gives over the project's tables.

    Each applied view is a table of its name, with its stored rows (keys, ``event_timestamp``,
    inputs), and so is each Delta source. Times are in UTC.

    Args:
        manifest: What is applied.
        layout: Where the tables lie.
        folder: The project's folder, which sources' paths start from.
        text: One SELECT, in DuckDB's SQL.

    Raises:
        SetupError: DuckDB is not installed.
        RequestError: The SQL is wrong; the message lists the tables.
    """
    duckdb = optional("duckdb", "sql()")
    connection = duckdb.connect(config={"enable_external_access": True})
    connection.execute("SET timezone = 'UTC'")
    names = []
    for name, snapshot in _tables(manifest, layout, folder):
        connection.execute(f"CREATE VIEW {_quoted(name)} AS {_select(snapshot)}")
        names.append(name)
    try:
        found = connection.sql(text)
        rows: pa.Table = None if found is None else found.to_arrow_table()
    except duckdb.Error as error:
        known = ", ".join(names) or "none yet"
        raise RequestError("sql()", str(error).splitlines()[0], f"Tables: {known}.") from None
    if rows is None:
        raise RequestError("sql()", "the text gives no rows", "Write one SELECT.")
    return rows


def _tables(manifest: Manifest, layout: Layout, folder: Path) -> Iterator[tuple[str, Snapshot]]:
    tables = Tables(layout)
    for view in manifest.views:
        record = tables.current(view.name)
        if record is not None:
            yield view.name, open_snapshot(layout.features(view.name, record.table_id))
    taken = {view.name for view in manifest.views}
    for source in manifest.sources:
        if isinstance(source, DeltaSource) and source.name not in taken:
            place = source.path if "://" in source.path else str(folder / source.path)
            if is_local(place) and is_table(place):
                yield source.name, open_snapshot(place)


def _select(snapshot: Snapshot) -> str:
    """A scan of exactly the snapshot's files; a folder would give retired files too."""
    root = Path(local_path(snapshot.uri))
    files = [_literal(str(root / path)) for path in snapshot.files["path"].to_pylist()]
    if files:
        return f"SELECT * FROM read_parquet([{', '.join(files)}])"
    nulls = ", ".join(f"NULL AS {_quoted(name)}" for name in snapshot.schema.names)
    return f"SELECT {nulls} WHERE false"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
