"""The commits of a Delta table. They are the truth; the ledger of runs is an index of them."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deltalake import CommitProperties, DeltaTable

from featurestore.store.delta.process import check_process
from featurestore.store.delta.snapshot import KEEP_COMMITS, open_table, read_history
from featurestore.store.failures import storage_errors
from featurestore.store.paths import catalog_table, is_local, local_path

_COMMIT = re.compile(r"\d{20}\.(json|checkpoint\.)")


@dataclass(frozen=True)
class Commit:
    """One commit of a table.

    Args:
        version: The Delta version.
        at: The time of the commit, by the writer's clock.
        notes: The JSON object in its ``userMetadata``; empty if there is none.
    """

    version: int
    at: datetime
    notes: Mapping[str, object]


def is_table(uri: str) -> bool:
    """Return whether there is a Delta table at an address; False for a table of a catalog.

    Raises:
        StorageError: The address cannot be reached or read.

    Example:
        >>> is_table("no/such/table")
        False
    """
    check_process()
    if catalog_table(uri):
        return False  # only Spark can open it
    with storage_errors(f"open table {uri}", uri):
        if is_local(uri):
            return _has_log(Path(local_path(uri), "_delta_log"))
        return bool(DeltaTable.is_deltatable(uri))


def _has_log(folder: Path) -> bool:
    """Return whether a local folder has a commit or a checkpoint.

    PERF: delta-rs lists the whole log, which takes 17 ms after 1,000 runs.
    """
    try:
        with os.scandir(folder) as entries:
            return any(_COMMIT.match(entry.name) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return False


def latest_version(uri: str) -> int | None:
    """Return the newest version of a table, or None if there is no table.

    Example:
        >>> latest_version("no/such/table") is None
        True
    """
    return open_table(uri).version() if is_table(uri) else None


def table_identity(uri: str) -> str:
    """Return the id of a Delta table, which never changes; every new table has a new id.

    Raises:
        TableError: There is no table.
    """
    return str(open_table(uri).metadata().id)


def table_properties(uri: str) -> Mapping[str, str]:
    """Return the properties of a Delta table.

    Raises:
        TableError: There is no table.
    """
    return {name: str(value) for name, value in open_table(uri).metadata().configuration.items()}


def commits(uri: str, *, after: int = -1) -> tuple[Commit, ...]:
    """Return the commits newer than version ``after``, oldest first; none if there is no table.

    Example:
        >>> commits("no/such/table")
        ()
    """
    if not is_table(uri):
        return ()
    count = open_table(uri).version() - after
    history = read_history(uri, count) if count > 0 else []
    return tuple(_commit(entry) for entry in reversed(history))


def newest_commits(uri: str, count: int) -> tuple[Commit, ...]:
    """Return the newest commits of a table, oldest first; none if there is no table.

    Args:
        uri: The table's address.
        count: The most commits to return.

    Example:
        >>> newest_commits("no/such/table", 3)
        ()
    """
    history = read_history(uri, count) if is_table(uri) else []
    return tuple(_commit(entry) for entry in reversed(history))


def record_notes(uri: str, notes: str) -> None:
    """Commit a note to a table, without rows. The caller holds the lock of the table's view.

    Args:
        uri: The table's address.
        notes: The text for the commit's ``userMetadata``.

    Raises:
        StorageError: The disk failed, or another program has committed to the table.
    """
    with storage_errors(f"write to table {uri}", uri):
        table = open_table(uri)
        properties = CommitProperties(custom_metadata={"userMetadata": notes})
        table.create_write_transaction(
            [],
            "append",
            table.schema(),
            commit_properties=properties,
            post_commithook_properties=KEEP_COMMITS,
        )


def last_transaction(uri: str, application: str) -> int | None:
    """Return the newest transaction version that an application committed, or None.

    Spark silently skips a write whose transaction version is not newer.

    Example:
        >>> last_transaction("no/such/table", "t1/0") is None
        True
    """
    return open_table(uri).transaction_version(application) if is_table(uri) else None


def last_written_rows(uri: str) -> int | None:
    """Return how many rows the newest commit of Spark wrote, by Delta's own count.

    None if there is no table, or if the commit does not say.

    Example:
        >>> last_written_rows("no/such/table") is None
        True
    """
    newest = read_history(uri, 1) if is_table(uri) else []
    metrics = newest[0].get("operationMetrics") if newest else None
    rows = metrics.get("numOutputRows") if isinstance(metrics, dict) else None
    return None if rows is None else int(rows)


def _commit(entry: Mapping[str, object]) -> Commit:
    at = datetime.fromtimestamp(int(str(entry.get("timestamp", 0))) / 1000, tz=UTC)
    return Commit(int(str(entry["version"])), at, _notes(entry.get("userMetadata")))


def _notes(text: object) -> Mapping[str, object]:
    try:
        notes = json.loads(text) if isinstance(text, str) else {}
    except json.JSONDecodeError:  # another writer's free text
        return {}
    return notes if isinstance(notes, dict) else {}
