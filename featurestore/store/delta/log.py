"""What a Delta table's own commits say: the truth that the ledger of runs is only an index of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from deltalake import DeltaTable

from featurestore.store.delta.snapshot import open_table


@dataclass(frozen=True)
class Commit:
    """One version of a table, with what its writer noted in it.

    Args:
        version: The Delta version.
        at: When it was committed, by the writer's clock.
        notes: The JSON object in its ``userMetadata``; empty where there is none.
    """

    version: int
    at: datetime
    notes: Mapping[str, object]


def is_table(uri: str) -> bool:
    """Return whether a Delta table lies at ``uri``.

    Example:
        >>> is_table("no/such/table")
        False
    """
    return bool(DeltaTable.is_deltatable(uri))


def latest_version(uri: str) -> int | None:
    """Return the newest version of the table at ``uri``, or None where there is no table.

    Example:
        >>> latest_version("no/such/table") is None
        True
    """
    return open_table(uri).version() if is_table(uri) else None


def table_identity(uri: str) -> str:
    """Return the id that a Delta table keeps for life; another table at the path has another.

    Raises:
        TableError: There is no table.
    """
    return str(open_table(uri).metadata().id)


def table_properties(uri: str) -> Mapping[str, str]:
    """Return the properties that a Delta table was given.

    Raises:
        TableError: There is no table.
    """
    return {name: str(value) for name, value in open_table(uri).metadata().configuration.items()}


def commits(uri: str, *, after: int = -1) -> tuple[Commit, ...]:
    """Return the commits newer than version ``after``, oldest first; none where no table lies.

    Example:
        >>> commits("no/such/table")
        ()
    """
    if not is_table(uri):
        return ()
    table = open_table(uri)
    wanted = table.version() - after
    history = table.history(wanted) if wanted > 0 else []
    return tuple(_commit(entry) for entry in reversed(history))


def last_transaction(uri: str, application: str) -> int | None:
    """Return the newest transaction version that ``application`` committed, or None.

    Spark drops a write whose version is not newer than this one without saying so.

    Example:
        >>> last_transaction("no/such/table", "t1/0") is None
        True
    """
    return open_table(uri).transaction_version(application) if is_table(uri) else None


def _commit(entry: Mapping[str, object]) -> Commit:
    at = datetime.fromtimestamp(int(str(entry.get("timestamp", 0))) / 1000, tz=UTC)
    return Commit(int(str(entry["version"])), at, _notes(entry.get("userMetadata")))


def _notes(text: object) -> Mapping[str, object]:
    try:
        notes = json.loads(text) if isinstance(text, str) else {}
    except json.JSONDecodeError:  # somebody else's free text
        return {}
    return notes if isinstance(notes, dict) else {}
