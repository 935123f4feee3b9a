"""Environments: the tables ``[environments.NAME]`` of ``featurestore.toml``.

An environment is a copy of a project's tables under another root, such as one for development. It
has its own registry, since the registry is below the root.
"""

import os
import posixpath
from collections.abc import Mapping
from typing import Any

from featurestore.environment import resolve
from featurestore.errors import ProjectError, SetupError, nearest

VARIABLE = "FEATURESTORE_ENV"
_TABLE = "environments"
_DEFAULT_ROOT = "store"
# Other names of a store, by which Hadoop opens it.
_SAME_STORE = {"s3a": "s3", "s3n": "s3"}
# What names the project, and so is the same in all of its environments.
_SHARED = ("project", _TABLE)


def chosen_environment(name: str | None) -> str | None:
    """Return the name of the environment to use; None for none.

    Args:
        name: What the user says. None for the environment variable ``FEATURESTORE_ENV``; ``""``
            for no environment, whatever the variable says.

    Example:
        >>> chosen_environment("dev"), chosen_environment("")
        ('dev', None)
    """
    return (os.environ.get(VARIABLE) if name is None else name) or None


def with_environment(
    call: str, file: str, values: Mapping[str, Any], name: str | None, folder: str = ""
) -> dict[str, Any]:  # Any: the values of a TOML file
    """Return a project's settings, with those of an environment in place of the others.

    Args:
        call: The user's call, for messages.
        file: The name of the settings' file, for messages.
        values: The settings of the file, with the table ``environments``.
        name: The environment; None for the settings outside of environments.
        folder: The project's folder, below which relative roots are.

    Raises:
        ProjectError: There is no such environment; a table of one has no root, or a setting that
            it may not have; or two environments have the same root.

    Example:
        >>> values = {"project": "shop", "environments": {"dev": {"root": "store-dev"}}}
        >>> with_environment("open project .", "featurestore.toml", values, "dev")
        {'project': 'shop', 'root': 'store-dev'}
    """
    settings = {key: value for key, value in values.items() if key != _TABLE}
    tables = values.get(_TABLE, {})
    if not isinstance(tables, dict):
        fix = 'Write a table: [environments.dev], and below it root = "store-dev".'
        raise ProjectError(call, f"{file}: {_TABLE} is {tables!r}", fix)
    for each, table in tables.items():
        _check(call, f"{file}: [{_TABLE}.{each}]", each, table)
    _check_roots(call, file, {"": settings, **tables}, folder)
    if name is None:
        return settings
    if name not in tables:
        raise ProjectError(call, f"{file} has no environment {name!r}", _known(name, tables))
    return {**settings, **tables[name]}


def _check(call: str, where: str, name: str, table: object) -> None:
    if not isinstance(table, dict) or not isinstance(table.get("root"), str):
        fix = f'Write a table: [{_TABLE}.{name}], and below it root = "store-{name}".'
        raise ProjectError(call, f"{where} has no root", fix)
    if not name.replace("_", "a").replace("-", "a").isalnum():
        fix = "Use letters, digits, - and _ in the environment's name."
        raise ProjectError(call, f"{where}: the environment's name is {name!r}", fix)
    for shared in _SHARED:
        if shared in table:
            fix = f"Remove {shared} from that table: all environments of a project share it."
            raise ProjectError(call, f"{where} sets {shared}", fix)


def _known(name: str, tables: Mapping[str, object]) -> str:
    if tables:
        return nearest(name, tables)
    return f'Add a table: [{_TABLE}.{name}], and below it root = "store-{name}".'


def _check_roots(
    call: str, file: str, tables: Mapping[str, Mapping[str, Any]], folder: str
) -> None:
    """Refuse two environments with one root: a run of one would change the tables of the other."""
    owners: dict[str, str] = {}
    for name, table in tables.items():
        root = _address(str(table.get("root", _DEFAULT_ROOT)), folder)
        if root in owners:
            both = f"environment {name!r} has the root of " + (
                f"environment {owners[root]!r}" if owners[root] else "the project"
            )
            found = f"{file}: {both}, {table.get('root')!r}"
            raise ProjectError(call, found, "Give each environment a root of its own.")
        owners[root] = name


def _address(root: str, folder: str) -> str:
    """Return a root in one form; a reference without a value stays as it is."""
    try:
        root = resolve(root)
    except SetupError:  # the variable of another environment
        return root
    scheme, _, path = root.rpartition("://")
    if scheme.lower() in ("", "file"):
        return posixpath.normpath(f"/{posixpath.join(folder, path)}")
    scheme = _SAME_STORE.get(scheme.lower(), scheme.lower())
    return f"{scheme}://{'/'.join(part for part in path.split('/') if part)}"
