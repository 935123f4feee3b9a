"""Addresses of tables and sources: local folders, or URLs."""

import os
import re
from pathlib import Path

from featurestore.definitions.model.source import CATALOG
from featurestore.environment import resolve

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NOT_IN_TABLES = re.compile(r"[\[\]|^%\\]")
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss", "memory"})
# A file's path in a Delta log is a URL. It may be absolute, have a scheme, or climb to parents.
_LEAVES = re.compile(
    r"^[/\\]|^[a-z][a-z0-9+.-]*:|(^|[/\\])\.\.?([/\\]|$)|%2e|%2f|%5c|%00|\x00", re.IGNORECASE
)


def address(path: str, folder: str | Path) -> str:
    """Return a source's path as an absolute path; a URL stays as it is.

    References to environment variables are resolved here, where the source is used.

    Raises:
        SetupError: A variable is not set.

    Example:
        >>> address("s3://bucket/paid", "/project"), address("data/paid", "/project")
        ('s3://bucket/paid', '/project/data/paid')
    """
    path = resolve(path)
    return path if "://" in path or catalog_table(path) else str(Path(folder, path).absolute())


def is_local(uri: str) -> bool:
    """Return whether an address is a local folder.

    Example:
        >>> is_local("store/demo"), is_local("s3://bucket/demo"), is_local("catalog:shop.paid")
        (True, False, False)
    """
    return ("://" not in uri and not catalog_table(uri)) or uri.startswith("file://")


def catalog_table(uri: str) -> str | None:
    """Return the name of a table in Spark's catalog, if that is what an address is.

    Example:
        >>> catalog_table("catalog:shop.paid"), catalog_table("data/paid")
        ('shop.paid', None)
    """
    return uri.removeprefix(CATALOG) if uri.startswith(CATALOG) else None


def has_leases(uri: str) -> bool:
    """Return whether an address is in an object store that puts objects on conditions.

    Example:
        >>> has_leases("s3://bucket/demo"), has_leases("hdfs://host/demo"), has_leases("store")
        (True, False, False)
    """
    return uri.partition("://")[0].lower() in _OBJECT_STORES and "://" in uri


def is_folder_name(name: str) -> bool:
    """Return whether a text names one folder or file: no path, and nothing that a URL decodes.

    Example:
        >>> is_folder_name("card_activity"), is_folder_name("../secrets"), is_folder_name("%2e%2e")
        (True, False, False)
    """
    return _NAME.fullmatch(name) is not None


def stays_inside(path: str) -> bool:
    """Return whether a file's path in a table's log stays in the table's folder.

    Example:
        >>> stays_inside("day=2026-01-02/part-0.parquet"), stays_inside("../secret.parquet")
        (True, False)
        >>> stays_inside("s3://bucket/secret.parquet"), stays_inside("%2E%2E/secret.parquet")
        (False, False)
    """
    return _LEAVES.search(path) is None


def table_folder_problem(uri: str) -> str:
    """Return why delta-rs cannot open tables in a local folder, as a clause; ``""`` if it can.

    It makes a URL of the folder, with symbolic links resolved, and decodes it again.

    Example:
        >>> table_folder_problem("/data/a%2Fb")
        "the name of folder /data/a%2Fb has '%', so that delta-rs opens no table in it"
        >>> table_folder_problem("/data/shop")
        ''
    """
    if not is_local(uri):
        return ""
    folder = os.path.realpath(local_path(uri))
    marks = _NOT_IN_TABLES.findall(folder)
    if not marks:
        return ""
    found = f"the name of folder {folder} has {marks[0]!r}"
    return f"{found}, so that delta-rs opens no table in it"


def local_path(uri: str) -> str:
    """Return a local address as an absolute path.

    Example:
        >>> local_path("file:///data/x")
        '/data/x'
    """
    return str(Path(uri.removeprefix("file://")).absolute())
