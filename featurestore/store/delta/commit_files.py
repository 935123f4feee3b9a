"""The files of a Delta table's newest commits, checked for what a crash or a lost disk leaves.

After a loss of power the newest commit's file may be empty, cut or gone. delta-rs and Spark then
read an older state of the table and say nothing, or they cannot open the table at all.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from featurestore.store.file_system import list_names, read_bytes
from featurestore.store.paths import is_local

T = TypeVar("T")
GONE = "is gone"
"""The damage of a commit without a file."""

_DIGITS = 20
# Spark writes a file of checksums after each commit, which stays if the commit is lost.
_LOG_FILE = re.compile(r"(\d{20})\.(json|crc|checkpoint\..*)")
_WRITE = "WRITE"
# Spark's name, and that of delta-rs.
_ROW_COUNTS = ("numOutputRows", "num_added_rows")


@dataclass(frozen=True)
class CommitFile:
    """The file of one commit.

    Args:
        version: The Delta version.
        address: The file's address.
        actions: Its actions, as Delta writes them; empty for a damaged file.
        damage: What is wrong with the file; None if it can be read.
    """

    version: int
    address: str
    actions: tuple[dict[str, Any], ...] = ()  # Any: the JSON of Delta's protocol
    damage: str | None = None

    @property
    def notes(self) -> str | None:
        """The ``userMetadata`` of the commit; None without one."""
        info = self._first("commitInfo")
        text = info.get("userMetadata")
        return text if isinstance(text, str) else None

    @property
    def operation(self) -> str:
        """The operation and the program that committed, such as ``"WRITE by delta-rs:1.6.6"``."""
        info = self._first("commitInfo")
        program = info.get("engineInfo") or info.get("clientVersion") or "an unnamed program"
        return f"{info.get('operation') or 'a commit'} by {program}"

    @property
    def changes_rows(self) -> bool:
        """Whether it adds or removes rows; a compaction does neither."""
        changed = [
            name
            for name in ("add", "remove")
            for each in self._all(name)
            if each.get("dataChange", True)
        ]
        return "remove" in changed or ("add" in changed and self.added_rows != 0)

    @property
    def added_rows(self) -> int | None:
        """The number of rows of the added files; None if a file has no statistics."""
        counts = [_rows(file.get("stats")) for file in self._all("add")]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    @property
    def lost_rows(self) -> str | None:
        """What a write lacks of the rows that it counted, as a clause; None if nothing is known.

        A file that is cut between two lines is valid JSON, and lacks the data files.
        """
        info = self._first("commitInfo")
        metrics = info.get("operationMetrics")
        if info.get("operation") != _WRITE or not isinstance(metrics, dict):
            return None
        counted = next((str(metrics[name]) for name in _ROW_COUNTS if name in metrics), "")
        added = self.added_rows
        if not counted.isdigit() or added is None or added >= int(counted):
            return None
        return f"is cut: it counts {int(counted):,} rows and names files with {added:,}"

    def _first(self, name: str) -> dict[str, Any]:  # Any: the JSON of Delta's protocol
        return next(self._all(name), {})

    def _all(self, name: str) -> Iterator[dict[str, Any]]:  # Any: as above
        return (dict(action[name]) for action in self.actions if name in action)


def newest_commit_files(uri: str, count: int) -> tuple[CommitFile, ...]:
    """Return the files of a table's newest commits, newest first.

    None are returned if there is no log, or if Arrow cannot read its object store.

    A commit before the newest checkpoint needs no file: Delta removes these after some time. A
    later one that is gone is returned as damaged.

    Args:
        uri: The table's address.
        count: The most commits to return.

    Example:
        >>> newest_commit_files("no/such/table", 3)
        ()
    """
    return read_if_known(uri, lambda: _newest(uri, count)) or ()


def newest_checkpoint(uri: str) -> int:
    """Return the version of a table's newest checkpoint; -1 without one.

    Example:
        >>> newest_checkpoint("no/such/table")
        -1
    """
    names = read_if_known(uri, lambda: list_names(f"{uri}/_delta_log")) or ()
    versions = [version for name in names if (version := _checkpoint(name)) is not None]
    return max(versions, default=-1)


def oldest_version(uri: str) -> int:
    """Return the oldest version of a table that still opens: Delta may have removed old commits.

    Example:
        >>> oldest_version("no/such/table")
        0
    """
    names = read_if_known(uri, lambda: list_names(f"{uri}/_delta_log")) or ()
    commits = {version for name in names if (version := _version(name, ".json")) is not None}
    first = max(commits, default=0)
    while first - 1 in commits:
        first -= 1
    starts = [version for name in names if (version := _checkpoint(name)) is not None]
    if first == 0:
        return 0
    return min((version for version in starts if version >= first - 1), default=first)


def _newest(uri: str, count: int) -> tuple[CommitFile, ...]:
    present, newest, needed = set[int](), -1, -1
    # PERF: only the names since the newest checkpoint: half of the time for 2,000 names.
    for name in reversed(list_names(f"{uri}/_delta_log")):
        file = _LOG_FILE.fullmatch(name)
        version = int(file[1]) if file else newest
        if needed >= 0 and version <= newest - count:
            break
        newest = max(newest, version)
        if file and file[2] == "json":
            present.add(version)
        elif file and file[2] != "crc":
            needed = max(needed, version)
    versions = range(newest, max(newest - count, -1), -1)
    return tuple(
        _checked(uri, version) for version in versions if version in present or version > needed
    )


def _checked(uri: str, version: int) -> CommitFile:
    commit = _read(uri, version)
    lost = None if commit.damage else commit.lost_rows
    return replace(commit, actions=(), damage=lost) if lost else commit


def source_damage(uri: str) -> str | None:
    """Return how the newest commit of a local table of another program is damaged, as a clause.

    Other programs may count rows in their own way. So only a write that counts rows and names no
    data file is taken for one that was cut after a line.

    Args:
        uri: The table's address.

    Returns:
        None if it is not damaged, if there is no log, or if the table is in an object store, which
        writes whole files.

    Example:
        >>> source_damage("no/such/table") is None
        True
    """
    names = list_names(f"{uri}/_delta_log") if is_local(uri) else ()
    versions = [version for name in names if (version := _version(name, ".json")) is not None]
    if not versions:
        return None
    commit = _read(uri, max(versions))
    damage = commit.damage or (None if any(commit._all("add")) else commit.lost_rows)
    return f"the commit {commit.address} {damage}" if damage else None


def commit_actions(uri: str, version: int) -> tuple[dict[str, Any], ...] | None:
    """Return the actions of a commit; None if its file is gone, damaged or cannot be read here.

    Args:
        uri: The table's address.
        version: The Delta version.

    Example:
        >>> commit_actions("no/such/table", 0) is None
        True
    """
    commit = read_if_known(uri, lambda: _read(uri, version))
    return None if commit is None or commit.damage else commit.actions


def changes_table(
    actions: Iterable[Mapping[str, Any]],
) -> bool:  # Any: the JSON of Delta's protocol
    """Return whether a commit changes rows, columns or properties; a compaction changes none.

    Example:
        >>> changes_table([{"add": {"path": "a.parquet", "dataChange": False}}])
        False
    """
    return any(
        kind in ("metaData", "protocol", "cdc")
        or (kind in ("add", "remove") and fields.get("dataChange", True))
        for action in actions
        for kind, fields in action.items()
    )


def commit_digest(uri: str, version: int) -> str | None:
    """Return a hash of a commit's file, which no other commit has.

    None is returned if there is no file, or if Arrow cannot read its object store.

    Args:
        uri: The table's address.
        version: The Delta version.

    Example:
        >>> commit_digest("no/such/table", 0) is None
        True
    """
    if version < 0:
        return None
    content = read_if_known(uri, lambda: read_bytes(_address(uri, version)))
    return None if content is None else hashlib.sha256(content).hexdigest()[:16]


def read_if_known(uri: str, read: Callable[[], T]) -> T | None:
    """Return what is read, or None for an object store that Arrow cannot read.

    delta-rs and Spark know others, too.

    Args:
        uri: The address of the table that is read.
        read: Reads it.

    Example:
        >>> read_if_known("no/such/table", lambda: 3)
        3
    """
    try:
        return read()
    except (OSError, ValueError, NotImplementedError):
        if is_local(uri):
            raise
        return None


def _read(uri: str, version: int) -> CommitFile:
    address = _address(uri, version)
    content = read_bytes(address)
    if content is None:
        return CommitFile(version, address, damage=GONE)
    if not content.strip():
        return CommitFile(version, address, damage="is empty")
    try:
        actions = tuple(json.loads(line) for line in content.splitlines() if line.strip())
    except ValueError:
        return CommitFile(version, address, damage="is cut or damaged")
    if not all(isinstance(part, dict) for action in actions for part in _parts(action)):
        return CommitFile(version, address, damage="is damaged")
    return CommitFile(version, address, actions)


def _parts(action: object) -> Iterable[object]:
    """Return the contents of an action; None stands for what is no action."""
    return action.values() if isinstance(action, dict) and action else [None]


def _rows(stats: object) -> int | None:
    """Return the number of rows in a file's statistics; None without one."""
    try:
        count = json.loads(stats)["numRecords"] if isinstance(stats, str) else None
    except (ValueError, KeyError, TypeError):
        return None
    return count if isinstance(count, int) else None


def _address(uri: str, version: int) -> str:
    return f"{uri}/_delta_log/{version:0{_DIGITS}}.json"


def _version(name: str, suffix: str) -> int | None:
    number = name.removesuffix(suffix)
    is_version = name.endswith(suffix) and len(number) == _DIGITS and number.isdigit()
    return int(number) if is_version else None


def _checkpoint(name: str) -> int | None:
    number, _, rest = name.partition(".")
    is_checkpoint = rest.startswith("checkpoint.") and number.isdigit()
    return int(number) if is_checkpoint else None
