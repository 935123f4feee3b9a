"""Reading of one view's stored rows: only the files, row groups and columns that can matter."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from featurestore.query.nodes import ViewQuery
from featurestore.store.columns import AVAILABLE_TIME, DELETED, EVENT_TIME, ROW_HASH, SEQUENCE
from featurestore.store.pruning import may_hold
from featurestore.store.snapshot import Snapshot
from featurestore.times import from_micros


@dataclass(frozen=True)
class Bounds:
    """The rows wanted: a range of the first join key and a range of event times, both closed.

    Args:
        key: The first join key's stored name; None for a view without keys.
        key_low: Least key; None for no bound.
        key_high: Greatest key; None for no bound.
        time_low: Earliest event, in UTC microseconds; None for no bound.
        time_high: Last event, in UTC microseconds; None for no bound.
    """

    key: str | None
    key_low: object = None
    key_high: object = None
    time_low: int | None = None
    time_high: int | None = None


def needed_columns(query: ViewQuery) -> list[str]:
    """Return the stored columns that the kernel needs to answer ``query``, each once.

    Example:
        >>> needed_columns(ViewQuery("v", keys=(), timestamp_field="t"))
        ['event_timestamp', 'available_timestamp', '_row_hash']
    """
    names = [
        *(binding.key for binding in query.keys),
        EVENT_TIME,
        AVAILABLE_TIME,
        *([SEQUENCE] if query.rows.has_sequence else []),
        *([DELETED] if query.rows.has_deleted else []),
        *query.rows.unique_by,
        *query.value_columns,
        ROW_HASH,
    ]
    return list(dict.fromkeys(names))


def time_bounds(query: ViewQuery, first: int, last: int) -> tuple[int | None, int | None]:
    """Return the earliest and last event times that can matter to moments first..last.

    A view with ``unique_by`` has no bounds but the last: a revision may move in time.

    Example:
        >>> from featurestore.definitions.types import Float64
        >>> from featurestore.query.nodes import Column
        >>> x = Column("x", "x", Float64)
        >>> query = ViewQuery("v", keys=(), timestamp_field="t", columns=(x,), ttl=5)
        >>> time_bounds(query, 100, 200)
        (95, 200)
    """
    if query.rows.unique_by:
        return None, last
    reaches: list[int | None] = [
        None
        if window.size is None
        # On a grid it may have ended almost a step ago.
        else window.size + window.delay + (window.every or 0)
        for window in (aggregate.window for aggregate in query.aggregates)
    ]
    if query.columns:
        reaches.append(query.ttl)
    known = [reach for reach in reaches if reach is not None]
    return (first - max(known) if known and len(known) == len(reaches) else None), last


def read_rows(snapshot: Snapshot, columns: list[str], bounds: Bounds) -> pa.Table:
    """Return the wanted columns of all rows within the bounds, and of some beyond them.

    Pruning is by whole files and row groups, so rows out of bounds may come along.

    Args:
        snapshot: The pinned table.
        columns: Stored columns, in the order in which they are returned.
        bounds: Which rows are wanted.

    Returns:
        Rows in the order of the files.
    """
    keep = np.ones(snapshot.files.num_rows, dtype=bool)
    for column, low, high in _ranges(bounds):
        least, greatest = (_scalar(snapshot, column, value) for value in (low, high))
        keep &= may_hold(snapshot.files, column, least, greatest)
    paths = snapshot.files["path"].filter(pa.array(keep)).to_pylist()
    tables = [_read_file(snapshot, path, columns, bounds) for path in paths]
    schema = pa.schema([snapshot.schema.field(name) for name in columns])
    return pa.concat_tables([schema.empty_table(), *(table.cast(schema) for table in tables)])


def _ranges(bounds: Bounds) -> list[tuple[str, object, object]]:
    """Columns with the least and greatest value wanted, as Python's own values."""
    ranges = [(EVENT_TIME, _moment(bounds.time_low), _moment(bounds.time_high))]
    if bounds.key is not None:
        ranges.append((bounds.key, bounds.key_low, bounds.key_high))
    return ranges


def _scalar(snapshot: Snapshot, column: str, value: object) -> pa.Scalar | None:
    if value is None:
        return None
    wide = {pa.int32(): pa.int64()}
    kind = snapshot.schema.field(column).type
    return pa.scalar(value, wide.get(kind, kind))


def _moment(micros: int | None) -> object:
    return None if micros is None else from_micros(micros)


def _read_file(snapshot: Snapshot, path: str, columns: list[str], bounds: Bounds) -> pa.Table:
    with pq.ParquetFile(snapshot.filesystem.open_input_file(path)) as file:
        groups = _row_groups(file, bounds)
        table = file.read_row_groups(groups, columns=columns, use_threads=False)
    return table.select(columns)


def _row_groups(file: pq.ParquetFile, bounds: Bounds) -> list[int]:
    places = {file.metadata.schema.column(i).path: i for i in range(file.metadata.num_columns)}
    return [
        group
        for group in range(file.num_row_groups)
        if all(
            _group_may_hold(file.metadata.row_group(group).column(places[column]), low, high)
            for column, low, high in _ranges(bounds)
        )
    ]


def _group_may_hold(chunk: pq.ColumnChunkMetaData, low: object, high: object) -> bool:
    statistics = chunk.statistics if chunk.is_stats_set else None
    if statistics is None or not statistics.has_min_max:
        return True
    below = high is not None and statistics.min > high
    above = low is not None and statistics.max < low
    return not (below or above)
