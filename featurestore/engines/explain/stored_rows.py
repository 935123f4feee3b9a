"""A few keys' stored rows in plain Python, and a draw of keys, without reading a whole table."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import groupby
from operator import itemgetter
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from featurestore.engines.reference.rows import Row
from featurestore.engines.retrieval.scan import Bounds, needed_columns, read_rows
from featurestore.query.nodes import ViewQuery
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME
from featurestore.store.delta.pruning import may_hold
from featurestore.store.delta.snapshot import Snapshot

Key = tuple[Any, ...]
"""The values of a view's join keys, in stored order."""

READ_AT_ONCE = 1_000_000
"""Keys are read together while the files of their range hold no more rows."""

_PLACES = 32


def rows_of_keys(
    view: ViewQuery, snapshot: Snapshot, keys: Collection[Key], *, most: int | None = None
) -> Iterator[tuple[Key, list[Row] | None]]:
    """Yield each key once, with all its stored rows.

    Args:
        view: The use of the view.
        snapshot: Its pinned table.
        keys: The keys; one with a null has no rows.
        most: A key with more rows comes with None in place of them.

    Yields:
        A key and its rows, with times in UTC microseconds.
    """
    whole = [key for key in dict.fromkeys(keys) if None not in key]
    yield from ((key, []) for key in dict.fromkeys(keys) if None in key)
    if not view.keys and most is not None and snapshot.rows > most:
        yield from ((key, None) for key in whole)
        return
    for batch in _batches(view, whole, snapshot):
        table = _read(view, snapshot, batch)
        many = set() if most is None else _keys_of_more(view, table, most)
        found = _grouped(view, table, set(batch) - many)
        for key in batch:
            yield key, None if key in many else found[key]


def plain_rows(table: pa.Table, times: Collection[str]) -> list[dict[str, Any]]:
    """Return rows as dicts, the named times as UTC microseconds.

    Example:
        >>> plain_rows(pa.table({"at": pa.array([5], pa.timestamp("us", "UTC"))}), ["at"])
        [{'at': 5}]
    """
    for name in dict.fromkeys(times):
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].cast(pa.int64()))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def draw_keys(view: ViewQuery, snapshot: Snapshot, count: int, random: Random) -> dict[Key, int]:
    """Return up to so many keys that occur, each with the time of one of its events.

    They come from a few row groups, whose first and last rows are among them.

    Args:
        view: The use of the view.
        snapshot: Its pinned table.
        count: How many are wanted.
        random: Draws.
    """
    paths = snapshot.files["path"].to_pylist()
    columns = [*(key.key for key in view.keys), EVENT_TIME]
    places = min(_PLACES, count) if paths else 0
    keys: dict[Key, int] = {}
    for place in range(places):
        table = _draw_row_group(snapshot, random.choice(paths), columns, random)
        wanted = -(-(count - len(keys)) // (places - place))
        for row in plain_rows(_draw_from(table, wanted, random), [EVENT_TIME]):
            event = row.pop(EVENT_TIME)
            keys.setdefault(tuple(row.values()), event)
    return dict(list(keys.items())[:count])


def _batches(view: ViewQuery, keys: list[Key], snapshot: Snapshot) -> Iterator[list[Key]]:
    if not view.keys:
        yield from [keys] if keys else []
        return
    parts = [list(same) for _, same in groupby(sorted(keys), key=itemgetter(0))]
    pending = [parts] if parts else []
    while pending:
        parts = pending.pop()
        if len(parts) == 1 or _rows_of_range(view, snapshot, parts) <= READ_AT_ONCE:
            yield [key for part in parts for key in part]
        else:
            middle = len(parts) // 2
            pending += [parts[middle:], parts[:middle]]


def _rows_of_range(view: ViewQuery, snapshot: Snapshot, parts: list[list[Key]]) -> int:
    """Return how many rows the files have that may hold keys of a range, by the log."""
    low, high = pa.scalar(parts[0][0][0]), pa.scalar(parts[-1][0][0])
    files = may_hold(snapshot.files, view.keys[0].key, low, high)
    counts = snapshot.files["num_records"].filter(pa.array(files))
    return pc.sum(pc.fill_null(counts, READ_AT_ONCE)).as_py() or 0


def _read(view: ViewQuery, snapshot: Snapshot, keys: list[Key]) -> pa.Table:
    """Read what may be of the keys; rows of neighbouring keys come along."""
    columns = needed_columns(view)
    if not view.keys:
        return read_rows(snapshot, columns, Bounds(None))
    parts = list(zip(*keys, strict=True))
    table = read_rows(snapshot, columns, Bounds(view.keys[0].key, min(parts[0]), max(parts[0])))
    for key, values in zip(view.keys, parts, strict=True):
        kind = table.schema.field(key.key).type
        table = table.filter(pc.is_in(table[key.key], pa.array(set(values), kind)))
    return table


def _keys_of_more(view: ViewQuery, table: pa.Table, most: int) -> set[Key]:
    if not view.keys:
        return set()
    names = [key.key for key in view.keys]
    counts = table.group_by(names).aggregate([([], "count_all")])
    return _keys_of(counts.filter(pc.greater(counts["count_all"], most)).select(names))


def _grouped(view: ViewQuery, table: pa.Table, keys: set[Key]) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = defaultdict(list)
    names = [key.key for key in view.keys]
    if not keys:
        return found
    for batch in table.to_batches():
        for row in plain_rows(pa.Table.from_batches([batch]), (EVENT_TIME, AVAILABLE_TIME)):
            key = tuple(row[name] for name in names)
            if key in keys:
                found[key].append(row)
    return found


def _draw_row_group(snapshot: Snapshot, path: str, columns: list[str], random: Random) -> pa.Table:
    with pq.ParquetFile(snapshot.filesystem.open_input_file(path)) as file:
        groups = file.num_row_groups
        if groups == 0:
            return snapshot.schema.empty_table().select(columns)
        return file.read_row_group(random.randrange(groups), columns).select(columns)


def _draw_from(table: pa.Table, count: int, random: Random) -> pa.Table:
    """Draw rows: the first and the last, where pruning could go wrong, and others."""
    rows = range(table.num_rows)
    return table.take([*rows[:1], *rows[-1:], *random.sample(rows, min(max(count, 0), len(rows)))])


def _keys_of(table: pa.Table) -> set[Key]:
    return set(zip(*(column.to_pylist() for column in table.columns), strict=True))
