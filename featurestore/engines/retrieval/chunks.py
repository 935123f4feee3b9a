"""Cutting the work on one view into chunks: a range of keys, and the spine rows that have them."""

from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Ints
from featurestore.engines.retrieval.scan import Bounds, time_bounds
from featurestore.engines.retrieval.spine_order import Arranged, narrowed
from featurestore.query.nodes import ViewQuery
from featurestore.store.delta.pruning import bound
from featurestore.store.delta.snapshot import Snapshot

ROWS_KEPT_A_ROW = 100
"""How many stored rows of its key a spine row is taken to need; only the chunks depend on it."""


@dataclass(frozen=True)
class Chunk:
    """A part of the work on one view.

    Args:
        spine: The arranged spine rows that it answers.
        places: Their positions in the spine.
        bounds: The stored rows that it needs.
        wanted: The first key's values that it needs, ascending; None without keys.
        first: Where these begin among all of the spine's first keys.
    """

    spine: pa.Table
    places: Ints
    bounds: Bounds
    wanted: pa.Array | None
    first: int = 0


def cut(query: ViewQuery, spine: Arranged, snapshot: Snapshot, rows_per_chunk: int) -> list[Chunk]:
    """Return chunks that together answer every arranged spine row once, in order.

    Keys are ordered by Arrow, which orders text by its bytes, as the files are.

    Args:
        query: The use of the view.
        spine: The spine, arranged for this view.
        snapshot: The view's pinned table.
        rows_per_chunk: About how many stored rows, or spine rows, each chunk shall have.

    Returns:
        One chunk or more; none where no spine row has keys and a time.
    """
    if not len(spine.times):
        return []
    bounds = Bounds(None, None, None, *_times(query, spine))
    keys = spine.first_keys
    if keys is None:
        return [Chunk(spine.rows, spine.place, bounds, wanted=None)]
    parts = min(len(keys), _parts(snapshot.rows, len(spine.times), rows_per_chunk))
    edges = _snapped(parts, keys, _first_keys(snapshot, query.keys[0].key) if parts > 1 else [])
    cuts = pairwise(edges)
    return [_between(query, spine, bounds, low, keys.slice(low, high - low)) for low, high in cuts]


def halved(query: ViewQuery, spine: Arranged, chunk: Chunk) -> list[Chunk]:
    """Return the halves of a chunk, by first keys; none if it has but one.

    Args:
        query: The use of the view.
        spine: The spine that was cut.
        chunk: A part of it.
    """
    if chunk.wanted is None or len(chunk.wanted) == 1:
        return []
    middle = len(chunk.wanted) // 2
    early, late = chunk.wanted.slice(0, middle), chunk.wanted.slice(middle)
    return [
        _between(query, spine, chunk.bounds, chunk.first, early),
        _between(query, spine, chunk.bounds, chunk.first + middle, late),
    ]


def _times(query: ViewQuery, spine: Arranged) -> tuple[int | None, int | None]:
    return time_bounds(query, int(spine.times.min()), int(spine.times.max()))


def _between(
    query: ViewQuery, spine: Arranged, bounds: Bounds, first: int, wanted: pa.Array
) -> Chunk:
    """Return the chunk of some first keys, the first of which is the spine's ``first``."""
    key, low, high = query.keys[0], first, first + len(wanted)
    least, greatest = wanted[0].as_py(), wanted[-1].as_py()
    return Chunk(
        narrowed(spine, key.spine_column, low, high),
        spine.place[spine.stretch(low, high)],
        replace(bounds, key=key.key, key_low=least, key_high=greatest),
        wanted,
        first,
    )


def _parts(stored: int, asked: int, rows_per_chunk: int) -> int:
    """Return in how many parts stored rows and spine rows are best answered.

    Where few rows are asked for, few stay of those that are read: two parts keep two cores busy,
    and more would only be more work.
    """
    kept = min(stored, asked * ROWS_KEPT_A_ROW)
    return max(1, min(2, stored // rows_per_chunk), max(kept, asked) // rows_per_chunk)


def _snapped(parts: int, keys: pa.Array, firsts: list[Any]) -> list[int]:
    """Return where to cut the keys: evenly, but where a file begins if that is near.

    A chunk that ends inside of a file reads row groups that the next one reads again.
    """
    even = np.linspace(0, len(keys), parts + 1).astype(np.int64)
    places = range(len(keys))
    begins = [bisect_left(places, first, key=lambda at: keys[at].as_py()) for first in firsts]
    if begins:
        nearest = np.array(begins)[np.abs(np.subtract.outer(even, begins)).argmin(axis=1)]
        near = np.abs(nearest - even) <= len(keys) / parts / 2
        near[[0, -1]] = False
        even = np.unique(np.where(near, nearest, even))
    edges: list[int] = even.tolist()
    return edges


def _first_keys(snapshot: Snapshot, key: str) -> list[Any]:
    """Return the least key of each file, as far as the log tells."""
    least = bound(snapshot.files, "min", key)
    firsts: list[Any] = [] if least is None else least.unique().drop_null().to_pylist()
    return firsts
