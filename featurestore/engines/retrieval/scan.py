"""Reading of one view's stored rows: only the files, row groups and columns that can matter."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from featurestore.engines.retrieval.lazy_rows import Part, StoredRows, part_of, whole_part
from featurestore.query.nodes import ViewQuery
from featurestore.store.columns import AVAILABLE_TIME, DELETED, EVENT_TIME, ROW_HASH, SEQUENCE
from featurestore.store.delta.files import open_file
from featurestore.store.delta.footer import Footer
from featurestore.store.delta.pruning import may_hold
from featurestore.store.delta.snapshot import Snapshot
from featurestore.times import from_micros, to_micros

_FIRST = to_micros(datetime.min.replace(tzinfo=UTC))
_LAST = to_micros(datetime.max.replace(tzinfo=UTC))
# Files are made smaller; who has joined them into large ones shall need no more memory for it.
_READ_AT_ONCE = 1_000_000


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
        >>> from featurestore.definitions.model.types import Float64
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
    schema = pa.schema([snapshot.schema.field(name) for name in columns])
    rows = open_rows(snapshot, bounds)
    return pa.table([rows[name] for name in columns], schema=schema)


def count_rows(snapshot: Snapshot, bounds: Bounds) -> int:
    """Return how many rows `read_rows` returns; reads footers, no column."""
    return open_rows(snapshot, bounds).num_rows


def open_rows(
    snapshot: Snapshot,
    bounds: Bounds,
    wanted: pa.Array | None = None,
    text: tuple[str, ...] = (),
    *,
    keys_kept: int | None = None,
) -> StoredRows:
    """Return rows within the bounds, and some beyond them, whose columns are read at need.

    Args:
        snapshot: The pinned table.
        bounds: Which rows are wanted.
        wanted: The first join key's values that are wanted, distinct and ascending; None for
            all in the bounds.
        text: Text columns to read as dictionaries.
        keys_kept: Of how many rows at most to keep the keys that told which are wanted; those of
            more are read again when they are asked for. None for any number.
    """
    parts, rows = [], 0
    for part in _parts(snapshot, bounds, wanted, text):
        rows += part.rows
        parts.append(part if keys_kept is None or rows <= keys_kept else part.forgetting())
    return StoredRows(parts, snapshot.schema)


def most_rows_read(snapshot: Snapshot) -> int:
    """Return how many rows of a column are in memory at most while it is read.

    Example:
        >>> files = pa.table({"path": ["a", "b"], "num_records": [50, 70]})
        >>> most_rows_read(Snapshot("t", 0, files, pa.schema([])))
        70
    """
    counts = [count or 0 for count in snapshot.files["num_records"].to_pylist()]
    most = max(counts, default=0)
    if most <= _READ_AT_ONCE:
        return most
    path = snapshot.files["path"][counts.index(most)].as_py()
    footer = snapshot.footers.get(path) or open_file(snapshot, path).footer
    return min(most, max(_READ_AT_ONCE, *footer.rows))


def _parts(
    snapshot: Snapshot, bounds: Bounds, wanted: pa.Array | None, text: tuple[str, ...]
) -> Iterator[Part]:
    for path in _paths(snapshot, bounds):
        file = open_file(snapshot, path, text)
        for groups in _batches(file.footer, _row_groups(file.footer, bounds)):
            if bounds.key is None or wanted is None:
                yield whole_part(file, groups)
            elif part := part_of(file, groups, bounds.key, wanted):
                yield part


def _batches(footer: Footer, groups: list[int]) -> Iterator[list[int]]:
    """Return row groups in batches that are read at once."""
    batch: list[int] = []
    rows = 0
    for group in groups:
        if batch and rows + footer.rows[group] > _READ_AT_ONCE:
            yield batch
            batch, rows = [], 0
        batch.append(group)
        rows += footer.rows[group]
    if batch:
        yield batch


def _paths(snapshot: Snapshot, bounds: Bounds) -> list[str]:
    keep = np.ones(snapshot.files.num_rows, dtype=bool)
    for column, low, high in _ranges(bounds):
        least, greatest = (_scalar(snapshot, column, value) for value in (low, high))
        keep &= may_hold(snapshot.files, column, least, greatest)
    paths: list[str] = snapshot.files["path"].filter(pa.array(keep)).to_pylist()
    return paths


def _row_groups(footer: Footer, bounds: Bounds) -> list[int]:
    first, *others = (footer.groups(*span) for span in _ranges(bounds))
    return [group for group in first if all(group in other for other in others)]


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
    # A moment less a window or ttl of thousands of years is no date of Python's: no bound.
    if micros is None or not _FIRST <= micros <= _LAST:
        return None
    return from_micros(micros)
