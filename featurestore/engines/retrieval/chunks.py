"""Dividing the work on one view into chunks: a range of keys, and the spine rows of these keys."""

from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Ints
from featurestore.engines.retrieval.scan import Bounds
from featurestore.engines.retrieval.spine_order import SortedSpine, rows_with_first_keys
from featurestore.query.nodes import ViewQuery
from featurestore.query.requirements import time_bounds
from featurestore.store.delta.pruning import bound
from featurestore.store.delta.snapshot import Snapshot

STORED_ROWS_PER_SPINE_ROW = 100
"""The assumed number of stored rows that a spine row needs. Only chunk sizes depend on it."""


@dataclass(frozen=True)
class Chunk:
    """A part of the work on one view.

    Args:
        spine: The sorted spine rows that it answers.
        positions: Their positions in the spine.
        bounds: The range of stored rows that it needs.
        keys: The first key's values that it needs, ascending; None without keys.
        first_key: The number of the first of these values in `SortedSpine.first_keys`.
    """

    spine: pa.Table
    positions: Ints
    bounds: Bounds
    keys: pa.Array | None
    first_key: int = 0


def split_into_chunks(
    query: ViewQuery, spine: SortedSpine, snapshot: Snapshot, rows_per_chunk: int
) -> list[Chunk]:
    """Return chunks that together answer every sorted spine row once, in order.

    Arrow orders the keys. It orders text by its bytes, as the files do.

    Args:
        query: The use of the view.
        spine: The spine, sorted for this view.
        snapshot: The view's pinned table.
        rows_per_chunk: About how many stored rows, or spine rows, a chunk may have.

    Returns:
        One chunk or more; none if no spine row has keys and a time.
    """
    if not len(spine.times):
        return []
    bounds = Bounds(None, None, None, *_times(query, spine))
    keys = spine.first_keys
    if keys is None:
        return [Chunk(spine.rows, spine.positions, bounds, keys=None)]
    parts = min(len(keys), _parts(snapshot.rows, len(spine.times), rows_per_chunk))
    files = _smallest_keys(snapshot, query.keys[0].key) if parts > 1 else []
    return [
        _chunk_of(query, spine, bounds, low, keys.slice(low, high - low))
        for low, high in pairwise(_edges(parts, keys, files))
    ]


def halve(query: ViewQuery, spine: SortedSpine, chunk: Chunk) -> list[Chunk]:
    """Return the two halves of a chunk, by first keys; none if it has only one first key.

    Args:
        query: The use of the view.
        spine: The sorted spine that the chunk is a part of.
        chunk: The chunk.
    """
    if chunk.keys is None or len(chunk.keys) == 1:
        return []
    middle = len(chunk.keys) // 2
    low, high = chunk.keys.slice(0, middle), chunk.keys.slice(middle)
    return [
        _chunk_of(query, spine, chunk.bounds, chunk.first_key, low),
        _chunk_of(query, spine, chunk.bounds, chunk.first_key + middle, high),
    ]


def _times(query: ViewQuery, spine: SortedSpine) -> tuple[int | None, int | None]:
    return time_bounds(query, int(spine.times.min()), int(spine.times.max()))


def _chunk_of(
    query: ViewQuery, spine: SortedSpine, bounds: Bounds, first: int, keys: pa.Array
) -> Chunk:
    """Return the chunk of consecutive first keys; ``first`` is the number of the first one."""
    key, stop = query.keys[0], first + len(keys)
    smallest, greatest = keys[0].as_py(), keys[-1].as_py()
    return Chunk(
        rows_with_first_keys(spine, key.spine_column, first, stop),
        spine.positions[spine.rows_between(first, stop)],
        replace(bounds, key=key.key, key_low=smallest, key_high=greatest),
        keys,
        first,
    )


def _parts(stored_rows: int, spine_rows: int, rows_per_chunk: int) -> int:
    """Return the number of parts in which stored rows and spine rows are answered fastest.

    A short spine needs few of the rows that are read. Then two parts use two cores, and more
    parts only add work.
    """
    needed = min(stored_rows, spine_rows * STORED_ROWS_PER_SPINE_ROW)
    return max(1, min(2, stored_rows // rows_per_chunk), max(needed, spine_rows) // rows_per_chunk)


def _edges(parts: int, keys: pa.Array, first_keys: list[Any]) -> list[int]:
    """Return the edges of equal parts of the keys, moved to the start of a file if one is near.

    A chunk that ends inside a file reads a row group that the next chunk reads again.
    """
    even = np.linspace(0, len(keys), parts + 1).astype(np.int64)
    numbers = range(len(keys))
    starts = [bisect_left(numbers, first, key=lambda at: keys[at].as_py()) for first in first_keys]
    if starts:
        nearest = np.array(starts)[np.abs(np.subtract.outer(even, starts)).argmin(axis=1)]
        near = np.abs(nearest - even) <= len(keys) / parts / 2
        near[[0, -1]] = False
        even = np.unique(np.where(near, nearest, even))
    edges: list[int] = even.tolist()
    return edges


def _smallest_keys(snapshot: Snapshot, key: str) -> list[Any]:
    """Return the smallest key of each file, if the Delta log has it."""
    smallest = bound(snapshot.files, "min", key)
    keys: list[Any] = [] if smallest is None else smallest.unique().drop_null().to_pylist()
    return keys
