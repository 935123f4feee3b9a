"""The decision how a ``latest`` table is refreshed: only its changed keys, or the whole table."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from pyarrow.fs import FileType

from featurestore.engines.latest.answer import LatestTask
from featurestore.engines.latest.changes import Since, may_have_changed
from featurestore.engines.latest.freshness import LastRefresh, last_refresh
from featurestore.engines.latest.rewrite import FileGroup, file_groups
from featurestore.store.delta.commit_files import changes_table, commit_actions
from featurestore.store.delta.replacement import ROWS_PER_FILE
from featurestore.store.delta.snapshot import Snapshot, open_snapshot
from featurestore.store.paths import stays_inside
from featurestore.times import to_micros

# A task has all rows of a group in memory.
_MOST_ROWS = 4 * ROWS_PER_FILE
_OTHER_CHANGES = ("remove", "metaData", "protocol")


@dataclass(frozen=True)
class ChangedKeys:
    """A refresh that answers changed keys only.

    Args:
        latest: The `latest` table of the last refresh.
        since: What has happened to the feature table since then.
        groups: The files of the `latest` table.
        changing: The numbers of the groups that may have changed keys.
    """

    latest: Snapshot
    since: Since
    groups: Sequence[FileGroup]
    changing: Sequence[int]


@dataclass(frozen=True)
class WholeTable:
    """A refresh that answers all keys.

    Args:
        reason: Why, as a clause.
    """

    reason: str


def plan_refresh(
    latest: str, task: LatestTask, features: Snapshot, wanted: Mapping[str, object]
) -> ChangedKeys | WholeTable:
    """Return how a ``latest`` table is refreshed.

    Args:
        latest: Its address.
        task: The task, with the moment.
        features: Its feature table, at its version.
        wanted: The notes of the refresh, by `latest_notes`.
    """
    if task.query.aggregates:
        return WholeTable("the values of windows change with time")
    if not task.keys:
        return WholeTable("the view has no keys")
    last = last_refresh(latest)
    if last is None:
        return WholeTable("it is the first refresh")
    if any(last.notes.get(name) != wanted[name] for name in ("table_id", "query")):
        return WholeTable("the view has another table or definition than at the last refresh")
    since = _since(task, features, last)
    if since is None:
        return WholeTable("it is not known what has changed since the last refresh")
    before = open_snapshot(latest)
    if not _is_untouched(before, last):
        return WholeTable("another program has changed the latest table")
    groups = file_groups(before, task.keys[0])
    if groups is None or any(group.rows > _MOST_ROWS for group in groups):
        return WholeTable("the files of the latest table are not divided by key")
    changing = [
        number
        for number, group in enumerate(groups)
        if may_have_changed(task, features, since, group.keys)
    ]
    return ChangedKeys(before, since, groups, changing)


def _since(task: LatestTask, features: Snapshot, last: LastRefresh) -> Since | None:
    """Return what has happened since a refresh; None if it is not known to be new rows only."""
    moment, version = last.as_of, last.notes.get("source_version")
    if moment is None or not isinstance(version, int) or to_micros(moment) > task.as_of:
        return None
    added: list[Mapping[str, Any]] = []
    for each in range(version + 1, task.version + 1):
        actions = commit_actions(task.uri, each)
        if actions is None:
            return None
        if not changes_table(actions):
            continue  # a compaction
        if any(kind in _OTHER_CHANGES for action in actions for kind in action):
            return None
        added += [action["add"] for action in actions if "add" in action]
    written = [str(each["path"]) for each in added]
    paths = [unquote(path) for path in written]
    if not all(stays_inside(path) for path in (*written, *paths)) or _are_gone(features, paths):
        return None
    key = features.schema.field(task.keys[0])
    bounds = {side: _bounds(added, f"{side}Values", key) for side in ("min", "max")}
    return Since(
        to_micros(moment), added=pa.table({"path": pa.array(paths, pa.string())} | bounds)
    )


def _bounds(added: Sequence[Mapping[str, Any]], side: str, key: pa.Field) -> pa.StructArray:
    """Return the bounds of a column in added files as `Snapshot.files` has them; null for none."""
    values = [_statistics(each).get(side, {}).get(key.name) for each in added]
    wide = pa.int64() if pa.types.is_integer(key.type) else key.type
    try:
        known = pa.array(values).cast(wide)
    except (ValueError, TypeError, pa.ArrowException):  # not as Delta writes them
        known = pa.nulls(len(values), wide)
    return pa.StructArray.from_arrays([known], names=[key.name])


def _statistics(added: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        found = json.loads(added.get("stats") or "{}")
    except ValueError:
        return {}
    is_known = isinstance(found, dict) and all(
        isinstance(found.get(side, {}), dict) for side in ("minValues", "maxValues")
    )
    return found if is_known else {}


def _are_gone(features: Snapshot, paths: Sequence[str]) -> bool:
    """Return whether a clean-up has removed one of the files, which a compaction had joined."""
    present = set(features.files["path"].to_pylist())
    joined = [path for path in paths if path not in present]
    found = features.filesystem.get_file_info(joined)
    return any(each.type == FileType.NotFound for each in found)


def _is_untouched(latest: Snapshot, last: LastRefresh) -> bool:
    """Return whether no commit since the last refresh has changed rows of the table."""
    later = (
        commit_actions(latest.uri, each) for each in range(last.version + 1, latest.version + 1)
    )
    return all(actions is not None and not changes_table(actions) for actions in later)
