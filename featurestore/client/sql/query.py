"""SQL over the project's tables with DuckDB, for spines and for exploration. It only reads.

DuckDB is locked: it opens no file and no network, and the text cannot change its settings. It sees
Arrow data of the tables that the text names, and nothing else.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from featurestore.client.sql.tables import SqlTables
from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import FeatureStoreError, RequestError, nearest
from featurestore.optional import optional
from featurestore.settings import Settings
from featurestore.store.layout import Layout

_MISSING_TABLE = re.compile(r'Table with name "?([^" ]+)"? does not exist')
_DAMAGED = re.compile(r"Parquet|\.parquet|No such file")
_ADVICE = ("Did you mean", "Either")
# Queries of DuckDB's catalog, for which all tables are opened.
_LISTING = re.compile(r"\bshow\b|duckdb_(tables|views|columns)|information_schema", re.IGNORECASE)


def query_sql(
    manifest: Manifest,
    layout: Layout,
    settings: Settings,
    text: str,
    loaded: Callable[[], Manifest],
) -> pa.Table:
    """Return the rows of a SELECT over the project's tables.

    Each applied view is a table with the view's name. Its rows are the stored rows: keys,
    ``event_timestamp`` and the view's columns, revised and deleted events included. Each Delta
    source is a table too. Times are in UTC.

    Args:
        manifest: The applied definitions.
        layout: The addresses of sources and tables.
        settings: The project's settings: its memory limit also limits DuckDB.
        text: One SELECT in DuckDB's SQL.
        loaded: Returns the loaded definitions.

    Raises:
        SetupError: DuckDB is not installed; or a source's address has references to environment
            variables that the loaded definitions do not have, or that are not set.
        RequestError: The text is not one SELECT, is wrong, or reads something other than the
            project's tables; or DuckDB needs more memory than the limit.
        TableError: A table that the text names cannot be read.
    """
    duckdb = optional("duckdb", "sql()")
    _require_text(text)
    tables = SqlTables(manifest, layout, loaded)
    try:
        with _connection(duckdb, settings.memory_limit) as connection:
            _require_select(connection.extract_statements(text))
            if _LISTING.search(text):
                _open_all(connection, tables)
            return _rows(duckdb, connection, text, tables)
    except duckdb.Error as error:
        lines = str(error).splitlines()
        fix = _fix(lines, text, tables.existing(), manifest)
        raise RequestError("sql()", lines[0].rstrip("!"), fix) from None


@contextmanager
def _connection(duckdb: Any, memory_limit: int | None) -> Iterator[Any]:
    """Open a locked database in memory."""
    limit = {} if memory_limit is None else {"memory_limit": f"{memory_limit}B"}
    # Beyond its memory limit DuckDB writes to files, by default in the current folder.
    with TemporaryDirectory(prefix="featurestore-") as spill:
        config = {
            "enable_external_access": False,
            # Python variables with the names of tables are no tables.
            "python_enable_replacements": False,
            "temp_directory": spill,
            **limit,
        }
        with duckdb.connect(config=config) as connection:
            connection.execute("SET timezone = 'UTC'")
            if duckdb.__version__.startswith("1."):
                # Filters that 1.x pushes into Arrow data lose NaN, which is greater than all.
                connection.execute("SET disabled_optimizers = 'filter_pushdown'")
            connection.execute("SET lock_configuration = true")
            yield connection


def _require_text(text: object) -> None:
    if not isinstance(text, str):
        found = f"the text is of type {type(text).__name__}"
        raise RequestError("sql()", found, "Write one SELECT: store.sql('SELECT ...').")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = f"the text is not valid Unicode: {error}"
        raise RequestError("sql()", found, "Remove the lone surrogate.") from None


def _require_select(statements: Sequence[Any]) -> None:
    """Refuse anything but one SELECT before any of it runs."""
    if not statements:
        raise RequestError("sql()", "the text returns no rows", "Write one SELECT.")
    if len(statements) > 1:
        problem = f"the text has {len(statements)} statements"
        raise RequestError("sql()", problem, "Write one SELECT. WITH can name partial results.")
    kind = statements[0].type.name
    if kind == "MULTI":
        fix = "Write one SELECT. PIVOT needs its values: PIVOT ... ON column IN (...)."
        raise RequestError("sql()", "the text stands for several statements", fix)
    if kind != "SELECT":
        found = f"the text is a statement of kind {kind}, and sql() only reads"
        raise RequestError("sql()", found, "Write one SELECT over the project's tables.")


def _rows(duckdb: Any, connection: Any, text: str, tables: SqlTables) -> pa.Table:
    """Run the text, and open each table of the project that DuckDB misses.

    A table that the text does not name is not opened, and cannot make it fail.
    """
    opened: set[str] = set()
    while True:
        try:
            rows: pa.Table = connection.sql(text).to_arrow_table()
        except duckdb.CatalogException as error:
            missing = _MISSING_TABLE.search(str(error))
            name = tables.name(missing[1]) if missing else None
            if name is None or name in opened:
                raise
        else:
            return rows
        tables.open(connection, name)
        opened.add(name)


def _open_all(connection: Any, tables: SqlTables) -> None:
    for name in tables.existing():
        with suppress(FeatureStoreError):
            tables.open(connection, name)


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
        return f"Write one SELECT in DuckDB's SQL, e.g. SELECT * FROM {table} LIMIT 5."  # nosec B608
    if lines[0].startswith("Permission Error"):
        known = f" Known: {', '.join(tables)}." if tables else ""
        return f"sql() reads the project's tables and no file.{known}"
    if _DAMAGED.search(lines[0]):
        return (
            "A file of the table is damaged or missing. Restore it, or build a view's table again "
            "with `featurestore materialize VIEW --full`."
        )
    advice = next((line.rstrip(".") for line in lines[1:] if line.startswith(_ADVICE)), "")
    if advice:
        return advice if advice.endswith("?") else f"{advice}."
    return f"Correct the SELECT. sql('DESCRIBE {table}') lists a table's columns and types."
