"""SQL over the project's tables, by DuckDB: for spines and for a look around."""

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
    """Return the rows that a SELECT gives over the project's tables.

    Each applied view is a table of its name, with its stored rows (keys, ``event_timestamp``,
    inputs), and so is each Delta source. Times are in UTC. What is stored comes as it is: revised
    and deleted events too, for which no rule of reading is applied.

    Args:
        manifest: What is applied.
        layout: Where the tables and sources lie.
        settings: The project's: how much memory DuckDB may take for its work.
        text: One SELECT, in DuckDB's SQL.

    Raises:
        SetupError: DuckDB is not installed.
        RequestError: The SQL is wrong, gives no rows, or is several statements; or its work does
            not fit the memory limit.
    """
    duckdb = optional("duckdb", "sql()")
    names: list[str] = []
    try:
        # What does not fit the limit goes to files, which DuckDB would make where the user works.
        with (
            TemporaryDirectory(prefix="featurestore-") as spill,
            duckdb.connect(config=_config(spill, settings.memory_limit)) as connection,
        ):
            connection.execute("SET timezone = 'UTC'")
            for name, snapshot in _tables(manifest, layout):
                connection.execute(f"CREATE VIEW {_quoted(name)} AS {_select(snapshot)}")
                names.append(name)
            _check_single(connection.extract_statements(text))
            found = connection.sql(text)
            rows: pa.Table = None if found is None else found.to_arrow_table()
    except duckdb.Error as error:
        told = str(error).splitlines()
        raise RequestError(
            "sql()", told[0].rstrip("!"), _fix(told, text, names, manifest)
        ) from None
    if rows is None:
        raise RequestError("sql()", "the text gives no rows", "Write one SELECT.")
    return rows


def _config(spill: str, memory_limit: int | None) -> dict[str, str | bool]:
    limit = {} if memory_limit is None else {"memory_limit": f"{memory_limit}B"}
    return {"enable_external_access": True, "temp_directory": spill, **limit}


def _check_single(statements: Sequence[object]) -> None:
    """DuckDB would carry out all of them and give the rows of the last."""
    if len(statements) > 1:
        found = f"the text is {len(statements)} statements"
        raise RequestError("sql()", found, "Write one SELECT; WITH names rows that it reads.")


def _fix(told: Sequence[str], text: str, tables: Sequence[str], manifest: Manifest) -> str:
    """Return what to do about the lines of DuckDB's error: what it advises, where it does."""
    if told[0].startswith("Out of Memory Error"):
        return "Give a larger memory_limit, or select fewer rows or columns at a time."
    if missing := _MISSING_TABLE.search(told[0]):
        if manifest.view(missing[1]) is not None:
            return f"Run `featurestore materialize {missing[1]}`: it has no table yet."
        return nearest(missing[1], tables)
    [table, *_] = [*(name for name in tables if name in text), *tables, "a_view"]
    if told[0].startswith("Parser Error"):
        return f"Write one SELECT in DuckDB's SQL, e.g. SELECT * FROM {table} LIMIT 5."
    advice = next((line.rstrip(".") for line in told[1:] if line.startswith(_ADVICE)), "")
    if advice:
        return advice if advice.endswith("?") else f"{advice}."
    return f"Correct the SELECT; sql('DESCRIBE {table}') gives a table's columns and types."


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
