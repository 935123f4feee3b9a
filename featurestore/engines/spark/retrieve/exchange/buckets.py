"""A hot key is divided by time: into buckets of spine rows, each with the stored rows it needs.

A *hot* key has more rows than one task shall hold. Its spine rows are divided at *edges* of time.
Edges may be equal: then the buckets between them share moments, and hold parts of their rows.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Floats, Ints, moments, validity, whole
from featurestore.engines.kernel.keys import encode
from featurestore.engines.spark.retrieve.exchange.key_sets import KeySet
from featurestore.engines.spark.retrieve.exchange.row_hashes import row_hashes
from featurestore.query.nodes import KeyBinding, ViewQuery
from featurestore.query.requirements import time_bounds

MOST_BUCKETS = 256
"""A key is divided into at most this many buckets."""

_MOST_WORK = 2
"""A division may send at most this many times the rows of the key."""

_MOST_COPIES = 4
"""More than this many times the rows of a key are not sent for any division."""

_FOREVER = 2**62


@dataclass(frozen=True)
class Span:
    """The moments of the spine rows of a bucket, in one time column.

    Args:
        first: The earliest, in UTC microseconds.
        last: The latest.
    """

    first: int
    last: int


@dataclass(frozen=True)
class HotKey:
    """A key whose rows are divided into buckets. Bucket 0 has the rows of all other keys.

    Args:
        key: The values of the key, in the order of the key set's columns.
        edges: Where its buckets 2, 3, ... start, ascending, in UTC microseconds.
        spans: For each time column, the moments of each bucket from bucket 1 on; None for a bucket
            without any. Empty as long as they are unknown.
    """

    key: tuple[Any, ...]
    edges: tuple[int, ...]
    spans: Mapping[str, tuple[Span | None, ...]]

    @property
    def buckets(self) -> int:
        """The number of its buckets."""
        return len(self.edges) + 1


@dataclass(frozen=True)
class Times:
    """The times of the rows of one key: of the spine, or of a use of a view.

    Args:
        rows: The number of rows.
        quantiles: Times at equal distances in the order of the rows, ascending.
    """

    rows: int
    quantiles: tuple[int, ...]


def reach_of(use: ViewQuery) -> int | None:
    """Return for how long after it is visible a stored row is sent to buckets.

    The winning row of an as-of is copied to later buckets by itself.

    Args:
        use: The use of the view.

    Returns:
        In microseconds; None for a row that any later moment may need.

    Example:
        >>> reach_of(ViewQuery("v", keys=(), timestamp_field="t"))
        0
    """
    if is_carried(use):
        return 0
    low, _ = time_bounds(use, 0, 0)
    return None if low is None or -low > _FOREVER else -low


def is_carried(use: ViewQuery) -> bool:
    """Return whether a bucket needs only the winning row of all rows that were visible before it.

    With ``unique_by`` a row may be superseded within the bucket, and an older one wins again.
    """
    return not use.aggregates and not use.rows.unique_by


def choose_edges(
    spine: Times, uses: Sequence[tuple[Times, int | None]], rows_per_bucket: int
) -> tuple[int, ...]:
    """Return where to divide a key, so that its buckets have about equally many rows.

    A stored row may go to several buckets. So there are fewer buckets if they would share many
    rows: the windows of a lifetime need all rows before them.

    Args:
        spine: The moments of its spine rows.
        uses: For each use of a view, the times of its rows, and their reach by `reach_of`.
        rows_per_bucket: About how many rows a bucket may have.

    Returns:
        The edges; none if the key stays whole.

    Example:
        >>> moments = Times(100, (10, 20, 30, 40))
        >>> choose_edges(moments, [], 25)
        (20, 30, 40)
        >>> choose_edges(moments, [(Times(1000, (10, 20, 30, 40)), None)], 275)
        (20, 40)
    """
    rows = spine.rows + sum(times.rows for times, _ in uses)
    buckets = min(MOST_BUCKETS, -(-rows // rows_per_bucket))
    while buckets > 1:
        edges = _edges(spine, [times for times, _ in uses], rows, buckets)
        if _work(edges, spine, uses) <= _MOST_WORK * rows:
            return edges
        buckets = min(buckets - 1, buckets * 3 // 4)
    return ()


def _edges(spine: Times, uses: Sequence[Times], rows: int, buckets: int) -> tuple[int, ...]:
    points, weights = _weighted([spine, *uses])
    before = np.cumsum(weights) - weights
    number = np.floor((before + weights / 2) * buckets / rows).astype(np.int64)
    starts = np.flatnonzero(number[1:] > number[:-1]) + 1
    # A time with very many rows passes several edges at once.
    edges = np.repeat(points[starts], number[starts] - number[starts - 1])
    distinct, counts = np.unique(edges, return_counts=True)
    # Only the spine's rows of one moment can be divided further.
    moments_at, weights_at = _weighted([spine])
    most = [
        max(1, round(float(weights_at[moments_at == each].sum()) * buckets / rows))
        for each in distinct
    ]
    return tuple(np.repeat(distinct, np.minimum(counts, most)).tolist())


def _weighted(parts: Sequence[Times]) -> tuple[Ints, Floats]:
    """Return points of time in ascending order, and how many rows each stands for."""
    points = np.array([each for part in parts for each in part.quantiles], np.int64)
    weights = np.array(
        [part.rows / len(part.quantiles) for part in parts for _ in part.quantiles], np.float64
    )
    order = np.argsort(points, kind="stable")
    return points[order], weights[order]


def _work(edges: tuple[int, ...], spine: Times, uses: Sequence[tuple[Times, int | None]]) -> float:
    """Return how many rows are sent to all buckets together."""
    work = float(spine.rows)
    for times, reach in uses:
        for point in times.quantiles:
            first = _first_bucket(edges, point)
            last = len(edges) if reach is None else bisect_right(edges, point + reach)
            work += times.rows / len(times.quantiles) * (last - first + 1)
    return work


def sends_few_copies(key: HotKey, spine: Times, uses: Sequence[tuple[ViewQuery, Times]]) -> bool:
    """Return whether a division is worth the stored rows that it sends to several buckets.

    `choose_edges` looks at the first time column only. The moments of another one need not follow
    it: then each bucket may need all stored rows of the uses at that column.

    Args:
        key: The key, with the moments of its buckets.
        spine: The moments of its spine rows.
        uses: The uses of views with stored rows of the key, and the times of these.

    Example:
        >>> use = ViewQuery("v", keys=(), timestamp_field="at")
        >>> apart = {"at": tuple(Span(first, first + 9) for first in range(0, 100, 10))}
        >>> mixed = {"at": (Span(0, 99),) * 10}
        >>> events = Times(1000, tuple(range(0, 100, 5)))
        >>> [sends_few_copies(HotKey((), (), spans), Times(10, ()), [(use, events)])
        ...  for spans in (apart, mixed)]
        [True, False]
    """
    rows = work = float(spine.rows)
    for use, times in uses:
        reach, points = reach_of(use), np.array(times.quantiles, np.int64)
        rows += times.rows
        for span in key.spans[use.timestamp_field]:
            if span is not None:
                needed = points <= span.last
                if reach is not None:
                    needed &= points >= span.first - reach
                work += times.rows * float(needed.mean())
    return work <= _MOST_COPIES * rows


def _first_bucket(edges: tuple[int, ...], moment: int) -> int:
    """Return the number of the first bucket that may hold a moment, from 0."""
    last = bisect_right(edges, moment)
    return 0 if last == 0 else bisect_left(edges, edges[last - 1]) + 1


def bucket_numbers(
    key_set: KeySet, hot: Sequence[HotKey], bound: pa.Table, rows: pa.Table
) -> Ints:
    """Return the bucket of each spine row: a function of its values.

    Spark may compute a part of the rows again, in another order, when an executor is lost. A row
    must then go to the same bucket, or it is lost or doubled.

    Args:
        key_set: The key set.
        hot: Its hot keys.
        bound: The rows, with the key and time columns.
        rows: The rows, with the user's columns.

    Returns:
        0 for a key that is not hot. A negative number for a null key, which no stored row has:
        many numbers, so that these rows go to many tasks.
    """
    numbers = np.zeros(bound.num_rows, np.int64)
    for position, found in rows_of_hot_keys(key_set, hot, bound, key_set.columns):
        chosen = pa.array(found)
        times = bound[key_set.moments[0]].take(chosen)
        numbers[found] = 1 + _divided(hot[position], times, rows.take(chosen))
    for name in key_set.columns:
        present = validity(whole(bound[name]))
        if present is not None:
            absent = np.flatnonzero(~present)
            numbers[absent] = -1 - row_hashes(rows.take(pa.array(absent))) % MOST_BUCKETS
    return numbers


def rows_of_hot_keys(
    key_set: KeySet, hot: Sequence[HotKey], rows: pa.Table, names: Sequence[str]
) -> list[tuple[int, Ints]]:
    """Return the hot keys that some rows have, each with its rows.

    Args:
        key_set: The key set.
        hot: Its hot keys.
        rows: Rows of the spine or of a view.
        names: Their columns with the parts of the key, in the order of the key set. A column of
            the spine may be several parts.

    Returns:
        The positions of the hot keys, and the positions of the rows of each.
    """
    if not hot:
        return []
    if not key_set.columns:
        return [(0, np.arange(rows.num_rows))]
    parts = [str(number) for number in range(len(names))]
    keys = pa.table({part: rows[name] for part, name in zip(parts, names, strict=True)})
    bindings = [
        KeyBinding(part, part, dtype) for part, dtype in zip(parts, key_set.types, strict=True)
    ]
    values = zip(*(key.key for key in hot), strict=True)
    columns = [pa.array(each, of.type) for each, of in zip(values, keys.schema, strict=True)]
    codes = encode(bindings, pa.table(columns, names=parts), keys)
    order = {int(code): position for position, code in enumerate(codes.spine)}
    matching = np.flatnonzero(np.isin(codes.rows, codes.spine))
    found = codes.rows[matching]
    return [(order[int(code)], matching[found == code]) for code in np.unique(found)]


def _divided(key: HotKey, column: pa.ChunkedArray, rows: pa.Table) -> Ints:
    """Return the bucket of each moment, from 0; a null has the first one."""
    edges, times = np.array(key.edges, np.int64), moments(whole(column))
    last = np.searchsorted(edges, times, side="right")
    starts = np.searchsorted(edges, edges, side="left") + 1
    first = np.append(0, starts)[last]
    numbers = first
    if (last > first).any():
        numbers = first + row_hashes(rows) % (last - first + 1)
    present = validity(whole(column))
    return numbers if present is None else np.where(present, numbers, 0)
