"""A DuckDB database for expressions only: it opens no file and no network, and its zone is UTC."""

import atexit
import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from featurestore.optional import optional

_PURPOSE = "compute SQL on-demand features"
# Releases of DuckDB have other defaults for these, or lack some of them.
_SETTINGS = {
    "timezone": "UTC",
    "ieee_floating_point_ops": "true",
    "integer_division": "false",
    "error_on_division_by_zero": "false",
}
# From 2.0.1 on, DuckDB's catalog calls an overload over times with a zone, such as
# +(TIMESTAMP WITH TIME ZONE, INTERVAL), consistent within a query only: it uses the
# zone of the session.
_FUNCTIONS = """\
SELECT DISTINCT
    function_name,
    function_type,
    CASE
        WHEN stability = 'CONSISTENT_WITHIN_QUERY'
            AND len(parameter_types) > 0
            AND regexp_matches(
                concat_ws(' ', return_type, array_to_string(parameter_types, ' ')),
                'TIMESTAMPTZ|WITH TIME ZONE'
            )
        THEN 'CONSISTENT'
        ELSE coalesce(stability, '')
    END,
    macro_definition
FROM duckdb_functions()
ORDER BY ALL
"""


def session() -> Any:
    """Return a new session of the process's database.

    Raises:
        SetupError: DuckDB is not installed.

    Example:
        >>> opened = session()
        >>> opened.sql("SELECT 7 // 0, 1 / 0").fetchall()
        [(None, inf)]
    """
    opened = _database().cursor()
    for name in _known_settings():
        opened.execute(f"SET {name} = '{_SETTINGS[name]}'").fetchall()
    return opened


def error_text(error: Exception) -> str:
    r"""Return the text of DuckDB's error, without the lines that show where in the SQL it is.

    Args:
        error: The error.

    Example:
        >>> error_text(ValueError("Parser Error: syntax error\n\nLINE 1: SELECT"))
        'Parser Error: syntax error'
    """
    first, _, rest = str(error).partition("\n")
    hint = rest.partition("\n")[0]
    return f"{first} {hint}" if hint.startswith("Did you mean") else first


def error_class() -> Any:
    """Return the base class of DuckDB's errors."""
    return optional("duckdb", _PURPOSE).Error


def parse(text: str) -> Mapping[str, Any]:
    """Return the syntax tree of ``SELECT text`` from DuckDB's own parser.

    Example:
        >>> parse("amount / 2")["error"]
        False
    """
    query = session().execute("SELECT json_serialize_sql(?)", [f"SELECT {text}\n"])
    tree: Mapping[str, Any] = json.loads(query.fetchall()[0][0])
    return tree


@cache
def functions() -> Mapping[str, tuple[tuple[str, str, str | None], ...]]:
    """Return DuckDB's functions by name: each one's kind, stability, and definition if a macro.

    An overload that depends on nothing but its arguments and the time zone counts as consistent:
    the zone is UTC in every session.

    Example:
        >>> functions()["sqrt"]
        (('scalar', 'CONSISTENT', None),)
    """
    by_name: dict[str, tuple[tuple[str, str, str | None], ...]] = {}
    for name, *properties in session().execute(_FUNCTIONS).fetchall():
        by_name[name.lower()] = (*by_name.get(name.lower(), ()), tuple(properties))
    return by_name


@cache
def _database() -> Any:
    duckdb = optional("duckdb", _PURPOSE)
    # A database that is still open when the interpreter ends writes to stderr.
    atexit.register(_database.cache_clear)
    # One thread: rows stay in their order, and a Spark task uses one core.
    return duckdb.connect(config={"enable_external_access": False, "threads": 1})


@cache
def _known_settings() -> tuple[str, ...]:
    # Each is tried, because duckdb_settings() of 2.0.1 does not list all settings that exist.
    opened, unknown = _database().cursor(), optional("duckdb", _PURPOSE).CatalogException
    known = []
    for name, value in _SETTINGS.items():
        with suppress(unknown):
            opened.execute(f"SET {name} = '{value}'").fetchall()
            known.append(name)
    return tuple(known)
