"""SQL over the project's tables with DuckDB, for spines and for exploration."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource
from featurestore.errors import RequestError, nearest
from featurestore.optional import optional
from featurestore.settings import Settings
from featurestore.store.current import CurrentTable, CurrentTables
from featurestore.store.delta.log import is_table
from featurestore.store.delta.snapshot import Snapshot, open_snapshot
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import Tables
from featurestore.store.paths import is_local, local_path

_MISSING_TABLE = re.compile(r'Table with name "?([^" ]+)"? does not exist')
_ADVICE = ("Did you mean", "Either")


def query_sql(manifest: Manifest, layout: Layout, settings: Settings, text: str) -> pa.Table:
    """Return the rows of a SELECT over the project's tables.

    Each applied view is a table with the view's name. Its rows are the stored rows: keys,
    ``event_timestamp`` and the view's columns, revised and deleted events included. Each Delta
    source is a table too. Times are in UTC.

    Args:
        manifest: The applied definitions.
        layout: The addresses of sources and tables.
        settings: The project's settings: its memory limit also limits DuckDB.
        text: One SELECT in DuckDB's SQL.

    Raises:
        SetupError: DuckDB is not installed.
        RequestError: The SQL is wrong, returns no rows or has several statements, or DuckDB needs
            more memory than the limit.
    """
    duckdb = optional("duckdb", "sql()")
    names: list[str] = []
    try:
        # Beyond its memory limit DuckDB writes to files, by default in the current folder.
        with (
            TemporaryDirectory(prefix="featurestore-") as spill,
            duckdb.connect(config=_config(spill, settings.memory_limit)) as connection,
        ):
            connection.execute("SET timezone = 'UTC'")
            for name, snapshot in _tables(manifest, layout):
                connection.execute(f"CREATE VIEW {_quoted(name)} AS {_select(snapshot)}")
                names.append(name)
            _check_single(connection.extract_statements(text))
            relation = connection.sql(text)
            rows: pa.Table = None if relation is None else relation.to_arrow_table()
    except duckdb.Error as error:
        lines = str(error).splitlines()
        raise RequestError(
            "sql()", lines[0].rstrip("!"), _fix(lines, text, names, manifest)
        ) from None
    if rows is None:
        raise RequestError("sql()", "the text returns no rows", "Write one SELECT.")
    return rows


def _config(spill: str, memory_limit: int | None) -> dict[str, str | bool]:
    limit = {} if memory_limit is None else {"memory_limit": f"{memory_limit}B"}
    return {"enable_external_access": True, "temp_directory": spill, **limit}


def _check_single(statements: Sequence[object]) -> None:
    """Refuse several statements: DuckDB would run all of them and return the rows of the last."""
    if len(statements) > 1:
        problem = f"the text has {len(statements)} statements"
        raise RequestError("sql()", problem, "Write one SELECT. WITH can name partial results.")


def _fix(lines: Sequence[str], text: str, tables: Sequence[str], manifest: Manifest) -> str:
    """Return what to do about an error of DuckDB. If DuckDB gives advice, that is returned."""
    if lines[0].startswith("Out of Memory Error"):
        return "Set a larger memory_limit, or select fewer rows or columns at a time."
    if missing := _MISSING_TABLE.search(lines[0]):
        if manifest.view(missing[1]) is not None:
            return f"Run `featurestore materialize {missing[1]}`: it has no table yet."
        return nearest(missing[1], tables)
    [table, *_] = [*(name for name in tables if name in text), *tables, "a_view"]
    if lines[0].startswith("Parser Error"):
        return f"Write one SELECT in DuckDB's SQL, e.g. SELECT * FROM {table} LIMIT 5."
    advice = next((line.rstrip(".") for line in lines[1:] if line.startswith(_ADVICE)), "")
    if advice:
        return advice if advice.endswith("?") else f"{advice}."
    return f"Correct the SELECT. sql('DESCRIBE {table}') lists a table's columns and types."


def _tables(manifest: Manifest, layout: Layout) -> Iterator[tuple[str, Snapshot]]:
    tables = CurrentTables(layout, Tables(layout).records())
    for view in manifest.views:
        table = tables.of(view)
        if isinstance(table, CurrentTable):
            yield view.name, open_snapshot(table.uri)
    taken = {view.name for view in manifest.views}
    for source in manifest.sources:
        if isinstance(source, DeltaSource) and source.name not in taken:
            uri = layout.source(source.path)
            if is_local(uri) and is_table(uri):
                yield source.name, open_snapshot(uri)


def _select(snapshot: Snapshot) -> str:
    """Return a SELECT of exactly the snapshot's files: its folder may hold removed files too."""
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
