"""A database for expressions alone: it reaches no file and no network, and knows no time zone."""

import atexit
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from featurestore.optional import optional

_ASKED = "compute SQL on-demand features"
# Where a release of DuckDB has another default, or lacks the setting.
_SETTINGS = {
    "timezone": "UTC",
    "ieee_floating_point_ops": "true",
    "integer_division": "false",
    "error_on_division_by_zero": "false",
}


def session() -> Any:
    """Return a new session of the process's database.

    Raises:
        SetupError: DuckDB is not installed.

    Example:
        >>> session().sql("SELECT 7 // 0, 1 / 0").fetchall()
        [(None, inf)]
    """
    opened = _database().cursor()
    for name in _known_settings():
        opened.execute(f"SET {name} = '{_SETTINGS[name]}'").fetchall()
    return opened


def problem_of(error: Exception) -> str:
    """Return what DuckDB says, without its picture of the place."""
    first, _, rest = str(error).partition("\n")
    near = rest.partition("\n")[0]
    return f"{first} {near}" if near.startswith("Did you mean") else first


def errors() -> Any:
    """Return the class of DuckDB's errors."""
    return optional("duckdb", _ASKED).Error


def parse(text: str) -> Mapping[str, Any]:
    """Return the syntax tree of ``SELECT text``, as DuckDB's own parser makes it.

    Example:
        >>> parse("amount / 2")["error"]
        False
    """
    query = session().execute("SELECT json_serialize_sql(?)", [f"SELECT {text}\n"])
    tree: Mapping[str, Any] = json.loads(query.fetchall()[0][0])
    return tree


@cache
def functions() -> Mapping[str, tuple[tuple[str, str, str | None], ...]]:
    """Return what DuckDB knows by each function's name: kinds, stabilities, macros' definitions.

    Example:
        >>> functions()["sqrt"]
        (('scalar', 'CONSISTENT', None),)
    """
    query = (
        "SELECT DISTINCT function_name, function_type, coalesce(stability, ''), macro_definition "
        "FROM duckdb_functions() ORDER BY ALL"
    )
    found: dict[str, tuple[tuple[str, str, str | None], ...]] = {}
    for name, *told in session().execute(query).fetchall():
        found[name.lower()] = (*found.get(name.lower(), ()), tuple(told))
    return found


@cache
def _database() -> Any:
    duckdb = optional("duckdb", _ASKED)
    # A database that outlives the interpreter's end complains on stderr.
    atexit.register(_database.cache_clear)
    # One thread: rows stay in their order, and Spark's tasks share no cores.
    return duckdb.connect(config={"enable_external_access": False, "threads": 1})


@cache
def _known_settings() -> tuple[str, ...]:
    known = _database().cursor().execute("SELECT name FROM duckdb_settings()").fetchall()
    return tuple(name for name in _SETTINGS if (name,) in known or name == "timezone")
