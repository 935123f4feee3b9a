"""The keys of a range whose as-of answers may have changed since the last refresh.

The answer of a key changes only if

- a row of the key was stored since: it is in a file that a commit has added;
- a stored row has become visible since. A revision, a tombstone and a late row take effect then;
- the newest row has become older than the ttl since.

Each is found by times in the statistics of files and row groups, so that few rows are read.
"""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Mask, earlier, moments, validity, whole
from featurestore.engines.kernel.validity import visible_times
from featurestore.engines.latest.answer import LatestTask, distinct_keys, files_within
from featurestore.engines.latest.ranges import KeyRange
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME, UTC_MICROS
from featurestore.store.delta.files import OpenFile, open_file
from featurestore.store.delta.pruning import may_hold
from featurestore.store.delta.snapshot import Snapshot
from featurestore.times import from_micros

Times = tuple[str, int, int]
"""A column of times, and a range of microseconds of it, both ends included."""


@dataclass(frozen=True)
class Since:
    """What has happened to a feature table since the last refresh.

    Args:
        moment: The moment of that refresh, in UTC microseconds.
        added: The data files that were added since: their paths in the table, and the bounds of
            the first key, as `Snapshot.files` has them. A compaction may have removed them since
            from the newest version, but not from the disk.
    """

    moment: int
    _: KW_ONLY
    added: pa.Table


def changed_keys(task: LatestTask, snapshot: Snapshot, since: Since, keys: KeyRange) -> pa.Table:
    """Return the distinct keys of a range whose answers may have changed, sorted.

    Args:
        task: The task, whose moment is not before the last refresh.
        snapshot: Its feature table, at its version.
        since: What has happened since the last refresh.
        keys: The range.
    """
    schema = pa.schema([snapshot.schema.field(name) for name in task.keys])
    found = [schema.empty_table(), *_found(task, snapshot, since, keys)]
    return distinct_keys(pa.concat_tables(found), keys)


def may_have_changed(task: LatestTask, snapshot: Snapshot, since: Since, keys: KeyRange) -> bool:
    """Return whether a range may have changed keys, by the statistics in the log: no file is read.

    Args:
        task: The task, whose moment is not before the last refresh.
        snapshot: Its feature table, at its version.
        since: What has happened since the last refresh.
        keys: The range.
    """
    part = files_within(snapshot, task.keys[0], keys)
    return bool(_added(task, snapshot, since, keys) or _paths(part, _times(task, since), since))


def _added(task: LatestTask, snapshot: Snapshot, since: Since, keys: KeyRange) -> list[str]:
    """Return the files that were added and may have keys of a range."""
    part = files_within(replace(snapshot, files=since.added), task.keys[0], keys)
    paths: list[str] = part.files["path"].to_pylist()
    return paths


def _found(
    task: LatestTask, snapshot: Snapshot, since: Since, keys: KeyRange
) -> Iterator[pa.Table]:
    first = task.keys[0]
    for path in _added(task, snapshot, since, keys):
        file = open_file(snapshot, path)
        if groups := file.footer.groups(first, keys.low, keys.stop):
            yield distinct_keys(file.read(groups, task.keys), keys)
    times = _times(task, since)
    part = files_within(snapshot, first, keys)
    names = [*task.keys, EVENT_TIME, AVAILABLE_TIME]
    for path in _paths(part, times, since):
        file = open_file(part, path)
        if groups := _groups(file, first, keys, times):
            rows = file.read(groups, names)
            changed = pa.array(_is_changed(task, since, rows))
            yield distinct_keys(rows.select(task.keys).filter(changed), keys)


def _times(task: LatestTask, since: Since) -> list[Times]:
    """Return times of which a row whose effect has changed has at least one."""
    query, now = task.query, task.as_of
    # A row without an available time is visible from its event on, plus the view's delay.
    delayed = int(earlier(np.array([since.moment]), query.rows.available_delay)[0])
    times = [(EVENT_TIME, delayed + 1, now), (AVAILABLE_TIME, since.moment + 1, now)]
    if query.ttl is not None:
        oldest, newest = earlier(np.array([since.moment, now]), query.ttl).tolist()
        times.append((EVENT_TIME, oldest, newest - 1))
    return times


def _is_changed(task: LatestTask, since: Since, rows: pa.Table) -> Mask:
    """Return which rows have become visible, or older than the ttl, since the last refresh."""
    event = whole(rows[EVENT_TIME])
    happened = moments(event)
    visible = visible_times(happened, rows, None, task.query.rows)
    changed = (visible > since.moment) & (visible <= task.as_of)
    if task.query.ttl is not None:
        oldest, newest = earlier(np.array([since.moment, task.as_of]), task.query.ttl).tolist()
        changed |= (happened >= oldest) & (happened < newest)
    present = validity(event)
    return changed if present is None else changed & present


def _paths(snapshot: Snapshot, times: list[Times], since: Since) -> list[str]:
    """Return the files that may have such times; those that were added are read in any case."""
    matches = np.zeros(snapshot.files.num_rows, np.bool_)
    for column, low, high in times:
        bounds = (_scalar(_moment(end)) for end in (low, high))
        matches |= may_hold(snapshot.files, column, *bounds)
    paths, added = snapshot.files["path"], set(since.added["path"].to_pylist())
    return [path for path in paths.filter(pa.array(matches)).to_pylist() if path not in added]


def _groups(file: OpenFile, first: str, keys: KeyRange, times: list[Times]) -> list[int]:
    footer = file.footer
    of_times = {
        group
        for column, low, high in times
        for group in footer.groups(column, _moment(low), _moment(high))
    }
    return [group for group in footer.groups(first, keys.low, keys.stop) if group in of_times]


def _moment(micros: int) -> datetime | None:
    """Return a moment; None, for no bound, outside of Python's years."""
    try:
        return from_micros(micros)
    except OverflowError:
        return None


def _scalar(moment: datetime | None) -> pa.Scalar | None:
    return None if moment is None else pa.scalar(moment, UTC_MICROS)
