"""All stored rows of a few keys as Python dicts, and a sample of keys. No table is read whole."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import groupby
from operator import itemgetter
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.reference.rows import Row
from featurestore.engines.retrieval.scan import Bounds, read_rows
from featurestore.query.nodes import ViewQuery
from featurestore.query.requirements import needed_columns
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME
from featurestore.store.delta.files import open_file
from featurestore.store.delta.pruning import may_hold
from featurestore.store.delta.snapshot import Snapshot

Key = tuple[Any, ...]
"""The values of a view's join keys, in stored order."""

MAX_ROWS_PER_READ = 1_000_000
"""Keys are read in one batch if the files that may hold them have no more rows than this."""

_SAMPLED_ROW_GROUPS = 32


def rows_of_keys(
    view: ViewQuery, snapshot: Snapshot, keys: Collection[Key], *, most: int | None = None
) -> Iterator[tuple[Key, list[Row] | None]]:
    """Yield each key once, with all its stored rows.

    Args:
        view: The use of the view.
        snapshot: The view's pinned table.
        keys: The keys. A key with a null has no rows.
        most: A key with more rows than this comes with None instead of its rows; None for no
            limit.

    Yields:
        A key and its rows, with times in UTC microseconds.
    """
    complete = [key for key in dict.fromkeys(keys) if None not in key]
    yield from ((key, []) for key in dict.fromkeys(keys) if None in key)
    if not view.keys and most is not None and snapshot.rows > most:
        yield from ((key, None) for key in complete)
        return
    for batch in _batches(view, complete, snapshot):
        table = _read(view, snapshot, batch)
        skipped = set() if most is None else _keys_with_more_rows(view, table, most)
        rows = _rows_by_key(view, table, set(batch) - skipped)
        for key in batch:
            yield key, None if key in skipped else rows[key]


def plain_rows(table: pa.Table, times: Collection[str]) -> list[dict[str, Any]]:
    """Return a table's rows as dicts, with times in UTC microseconds.

    Args:
        table: The table.
        times: The names of its time columns.

    Example:
        >>> plain_rows(pa.table({"at": pa.array([5], pa.timestamp("us", "UTC"))}), ["at"])
        [{'at': 5}]
    """
    for name in dict.fromkeys(times):
        number = table.column_names.index(name)
        table = table.set_column(number, name, table[name].cast(pa.int64()))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def sample_keys(view: ViewQuery, snapshot: Snapshot, count: int, random: Random) -> dict[Key, int]:
    """Return stored keys, each with the time of one of its events in UTC microseconds.

    The keys come from a few row groups. The first and the last row of each such group are always
    among them.

    Args:
        view: The use of the view.
        snapshot: The view's pinned table.
        count: The most keys to return.
        random: The source of random numbers.
    """
    paths = snapshot.files["path"].to_pylist()
    columns = [*(key.key for key in view.keys), EVENT_TIME]
    groups = min(_SAMPLED_ROW_GROUPS, count) if paths else 0
    keys: dict[Key, int] = {}
    for group in range(groups):
        table = _random_row_group(snapshot, random.choice(paths), columns, random)
        share = -(-(count - len(keys)) // (groups - group))
        for row in plain_rows(_random_rows(table, share, random), [EVENT_TIME]):
            event = row.pop(EVENT_TIME)
            keys.setdefault(tuple(row.values()), event)
    return dict(list(keys.items())[:count])


def _batches(view: ViewQuery, keys: list[Key], snapshot: Snapshot) -> Iterator[list[Key]]:
    """Yield the keys in batches, each a range of first keys in few enough rows of files."""
    if not view.keys:
        yield from [keys] if keys else []
        return
    parts = [list(same) for _, same in groupby(sorted(keys), key=itemgetter(0))]
    pending = [parts] if parts else []
    while pending:
        parts = pending.pop()
        if len(parts) == 1 or _rows_of_range(view, snapshot, parts) <= MAX_ROWS_PER_READ:
            yield [key for part in parts for key in part]
        else:
            middle = len(parts) // 2
            pending += [parts[middle:], parts[:middle]]


def _rows_of_range(view: ViewQuery, snapshot: Snapshot, parts: list[list[Key]]) -> int:
    """Return the number of rows in the files that may hold keys of a range, from the Delta log."""
    low, high = pa.scalar(parts[0][0][0]), pa.scalar(parts[-1][0][0])
    files = may_hold(snapshot.files, view.keys[0].key, low, high)
    counts = snapshot.files["num_records"].filter(pa.array(files))
    return pc.sum(pc.fill_null(counts, MAX_ROWS_PER_READ)).as_py() or 0


def _read(view: ViewQuery, snapshot: Snapshot, keys: list[Key]) -> pa.Table:
    """Return all rows of the keys, and perhaps rows that mix the values of several keys."""
    columns = needed_columns(view)
    if not view.keys:
        return read_rows(snapshot, columns, Bounds(None))
    parts = list(zip(*keys, strict=True))
    table = read_rows(snapshot, columns, Bounds(view.keys[0].key, min(parts[0]), max(parts[0])))
    for key, values in zip(view.keys, parts, strict=True):
        dtype = table.schema.field(key.key).type
        table = table.filter(pc.is_in(table[key.key], pa.array(set(values), dtype)))
    return table


def _keys_with_more_rows(view: ViewQuery, table: pa.Table, most: int) -> set[Key]:
    if not view.keys:
        return set()
    names = [key.key for key in view.keys]
    counts = table.group_by(names).aggregate([([], "count_all")])
    return _keys_of(counts.filter(pc.greater(counts["count_all"], most)).select(names))


def _rows_by_key(view: ViewQuery, table: pa.Table, keys: set[Key]) -> dict[Key, list[Row]]:
    rows: dict[Key, list[Row]] = defaultdict(list)
    names = [key.key for key in view.keys]
    if not keys:
        return rows
    for batch in table.to_batches():
        for row in plain_rows(pa.Table.from_batches([batch]), (EVENT_TIME, AVAILABLE_TIME)):
            key = tuple(row[name] for name in names)
            if key in keys:
                rows[key].append(row)
    return rows


def _random_row_group(
    snapshot: Snapshot, path: str, columns: list[str], random: Random
) -> pa.Table:
    file = open_file(snapshot, path)
    groups = len(file.footer.rows)
    if groups == 0:
        return snapshot.schema.empty_table().select(columns)
    return file.read([random.randrange(groups)], columns).select(columns)


def _random_rows(table: pa.Table, count: int, random: Random) -> pa.Table:
    """Return random rows, and the first and the last row, where pruning errors would show."""
    rows = range(table.num_rows)
    return table.take([*rows[:1], *rows[-1:], *random.sample(rows, min(max(count, 0), len(rows)))])


def _keys_of(table: pa.Table) -> set[Key]:
    return set(zip(*(column.to_pylist() for column in table.columns), strict=True))
