"""Reading one view's stored rows: only the files, row groups and columns that can matter."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from featurestore.engines.retrieval.lazy_rows import FileRows, LazyRows, all_rows, matching_rows
from featurestore.store.columns import EVENT_TIME
from featurestore.store.delta.files import open_file
from featurestore.store.delta.footer import Footer
from featurestore.store.delta.pruning import may_hold
from featurestore.store.delta.snapshot import Snapshot
from featurestore.times import from_micros, to_micros

_FIRST = to_micros(datetime.min.replace(tzinfo=UTC))
_LAST = to_micros(datetime.max.replace(tzinfo=UTC))
# Our files are smaller than this; the cap bounds memory for compacted tables.
_MAX_ROWS_PER_READ = 1_000_000


@dataclass(frozen=True)
class Bounds:
    """The range of rows to read: by the first join key and by event time, both ends included.

    Args:
        key: The first join key's stored name; None for a view without keys.
        key_low: The smallest key; None for no bound.
        key_high: The greatest key; None for no bound.
        time_low: The earliest event time, in UTC microseconds; None for no bound.
        time_high: The latest event time, in UTC microseconds; None for no bound.
    """

    key: str | None
    key_low: object = None
    key_high: object = None
    time_low: int | None = None
    time_high: int | None = None


def read_rows(snapshot: Snapshot, columns: list[str], bounds: Bounds) -> pa.Table:
    """Return columns of all rows within the bounds, and of some rows beyond them.

    Only whole files and row groups are left out, so other rows of a row group come too.

    Args:
        snapshot: The pinned table.
        columns: The names of stored columns, in the order of the result.
        bounds: The range of rows.

    Returns:
        A table, its rows in the order of the files.
    """
    schema = pa.schema([snapshot.schema.field(name) for name in columns])
    rows = open_rows(snapshot, bounds)
    return pa.table([rows[name] for name in columns], schema=schema)


def count_rows(snapshot: Snapshot, bounds: Bounds) -> int:
    """Return the number of rows that `read_rows` returns. Reads file footers only."""
    return open_rows(snapshot, bounds).num_rows


def open_rows(
    snapshot: Snapshot,
    bounds: Bounds,
    keys: pa.Array | None = None,
    text_columns: tuple[str, ...] = (),
    *,
    max_cached_key_rows: int | None = None,
) -> LazyRows:
    """Return rows within the bounds, and some rows beyond them, with columns read on access.

    Args:
        snapshot: The pinned table.
        bounds: The range of rows.
        keys: The needed values of the first join key, distinct and ascending; None for all
            values within the bounds.
        text_columns: Text columns to read as dictionaries.
        max_cached_key_rows: Keep the key column for at most this many rows; beyond that re-read
            it on access. None for any number of rows.
    """
    parts, rows = [], 0
    for part in needed_rows(snapshot, bounds, keys, text_columns):
        rows += part.rows
        fits = max_cached_key_rows is None or rows <= max_cached_key_rows
        parts.append(part if fits else part.without_cache())
    return LazyRows(parts, snapshot.schema)


def needed_rows(
    snapshot: Snapshot, bounds: Bounds, keys: pa.Array | None, text_columns: tuple[str, ...]
) -> Iterator[FileRows]:
    """Yield the rows of `open_rows` in parts, each with at most 1,000,000 rows of one file.

    Args:
        snapshot: The pinned table.
        bounds: The range of rows.
        keys: The needed values of the first join key, distinct and ascending; None for all.
        text_columns: Text columns to read as dictionaries. A text key must be one of them.
    """
    for path in _paths(snapshot, bounds):
        file = open_file(snapshot, path, text_columns)
        for groups in _batches(file.footer, _row_groups(file.footer, bounds)):
            if bounds.key is None or keys is None:
                yield all_rows(file, groups)
            elif part := matching_rows(file, groups, bounds.key, keys):
                yield part


def max_rows_per_read(snapshot: Snapshot) -> int:
    """Return the most rows of a column that one read of a file has in memory.

    Args:
        snapshot: The pinned table.

    Example:
        >>> files = pa.table({"path": ["a", "b"], "num_records": [50, 70]})
        >>> max_rows_per_read(Snapshot("t", 0, files, pa.schema([])))
        70
    """
    counts = [count or 0 for count in snapshot.files["num_records"].to_pylist()]
    largest = max(counts, default=0)
    if largest <= _MAX_ROWS_PER_READ:
        return largest
    path = snapshot.files["path"][counts.index(largest)].as_py()
    footer = snapshot.footers.get(path) or open_file(snapshot, path).footer
    return min(largest, max(_MAX_ROWS_PER_READ, *footer.rows))


def _batches(footer: Footer, groups: list[int]) -> Iterator[list[int]]:
    """Yield row groups in batches; one read returns the rows of one batch."""
    batch: list[int] = []
    rows = 0
    for group in groups:
        if batch and rows + footer.rows[group] > _MAX_ROWS_PER_READ:
            yield batch
            batch, rows = [], 0
        batch.append(group)
        rows += footer.rows[group]
    if batch:
        yield batch


def _paths(snapshot: Snapshot, bounds: Bounds) -> list[str]:
    matches = np.ones(snapshot.files.num_rows, dtype=bool)
    for column, low, high in _ranges(bounds):
        least, greatest = (_scalar(snapshot, column, value) for value in (low, high))
        matches &= may_hold(snapshot.files, column, least, greatest)
    paths: list[str] = snapshot.files["path"].filter(pa.array(matches)).to_pylist()
    return paths


def _row_groups(footer: Footer, bounds: Bounds) -> list[int]:
    first, *others = (footer.groups(*span) for span in _ranges(bounds))
    return [group for group in first if all(group in other for other in others)]


def _ranges(bounds: Bounds) -> list[tuple[str, object, object]]:
    """Return columns with the smallest and greatest value to read, as Python values."""
    ranges = [(EVENT_TIME, _moment(bounds.time_low), _moment(bounds.time_high))]
    if bounds.key is not None:
        ranges.append((bounds.key, bounds.key_low, bounds.key_high))
    return ranges


def _scalar(snapshot: Snapshot, column: str, value: object) -> pa.Scalar | None:
    if value is None:
        return None
    wider = {pa.int32(): pa.int64()}
    dtype = snapshot.schema.field(column).type
    return pa.scalar(value, wider.get(dtype, dtype))


def _moment(micros: int | None) -> object:
    # A window or ttl of thousands of years may reach beyond Python's dates: then no bound.
    if micros is None or not _FIRST <= micros <= _LAST:
        return None
    return from_micros(micros)
