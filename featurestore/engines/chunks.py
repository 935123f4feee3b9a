"""Cutting the work on one view into chunks: a range of keys, and the spine rows that have them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.scan import Bounds, time_bounds
from featurestore.query.nodes import ViewQuery
from featurestore.store.snapshot import Snapshot

# Below this many stored rows a second chunk costs more than it gives.
ROWS_PER_CHUNK = 250_000


@dataclass(frozen=True)
class Chunk:
    """A part of the work on one view.

    Args:
        bounds: The stored rows that it needs.
        spine_rows: Which rows of the spine it answers; None for all, in order.
    """

    bounds: Bounds
    spine_rows: pa.Array | None = None


def cut(
    query: ViewQuery, spine: pa.Table, snapshot: Snapshot, rows_per_chunk: int = ROWS_PER_CHUNK
) -> list[Chunk]:
    """Return chunks that together answer every spine row once.

    Keys are ordered by Arrow, which orders text by its bytes, as the files are.

    Args:
        query: The use of the view.
        spine: Bound key and time columns; at least one row.
        snapshot: The view's pinned table.
        rows_per_chunk: About how many stored rows each chunk shall read.

    Returns:
        At least one chunk; none where no spine row has a time.
    """
    times = pc.min_max(spine[query.timestamp_field].cast(pa.int64()))
    if not times["min"].is_valid:
        return []
    early, late = time_bounds(query, times["min"].as_py(), times["max"].as_py())
    if not query.keys:
        return [Chunk(Bounds(None, time_low=early, time_high=late))]
    first = query.keys[0]
    distinct = pc.unique(spine[first.spine_column].drop_null())
    distinct = distinct.take(pc.array_sort_indices(distinct))
    if len(distinct) == 0:
        return []
    parts = min(len(distinct), max(1, snapshot.rows // rows_per_chunk))
    edges = np.linspace(0, len(distinct), parts + 1).astype(np.int64)
    ranges = [
        Bounds(first.key, distinct[int(low)].as_py(), distinct[int(high) - 1].as_py(), early, late)
        for low, high in pairwise(edges)
    ]
    if parts == 1:
        return [Chunk(ranges[0])]
    members = _members(spine[first.spine_column], distinct, edges)
    return [Chunk(bounds, rows) for bounds, rows in zip(ranges, members, strict=True)]


def _members(keys: pa.ChunkedArray, distinct: pa.Array, edges: np.ndarray) -> Iterator[pa.Array]:
    """Yield the spine rows of each part; rows with a null key are in none."""
    codes = pc.fill_null(pc.index_in(keys, value_set=distinct), -1).to_numpy()
    order = np.argsort(codes, kind="stable")
    cuts = np.searchsorted(codes[order], edges)
    for low, high in pairwise(cuts):
        yield pa.array(order[low:high])
