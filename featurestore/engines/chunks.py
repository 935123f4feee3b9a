"""Cutting the work on one view into chunks: a range of keys, and the spine rows that have them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from featurestore.engines.arrange import Arranged
from featurestore.engines.scan import Bounds, time_bounds
from featurestore.query.nodes import ViewQuery
from featurestore.store.snapshot import Snapshot

# Below this many stored rows a second chunk costs more than it gives.
ROWS_PER_CHUNK = 250_000


@dataclass(frozen=True)
class Chunk:
    """A part of the work on one view.

    Args:
        spine: The arranged spine rows that it answers.
        bounds: The stored rows that it needs.
        wanted: The first key's values that it needs, ascending; None without keys.
    """

    spine: pa.Table
    bounds: Bounds
    wanted: pa.Array | None


def cut(
    query: ViewQuery, spine: Arranged, snapshot: Snapshot, rows_per_chunk: int = ROWS_PER_CHUNK
) -> list[Chunk]:
    """Return chunks that together answer every arranged spine row once, in order.

    Keys are ordered by Arrow, which orders text by its bytes, as the files are.

    Args:
        query: The use of the view.
        spine: The spine, arranged for this view.
        snapshot: The view's pinned table.
        rows_per_chunk: About how many stored rows each chunk shall read.

    Returns:
        One chunk or more; none where no spine row has keys and a time.
    """
    if not len(spine.times):
        return []
    early, late = time_bounds(query, int(spine.times.min()), int(spine.times.max()))
    keys = spine.first_keys
    if keys is None:
        return [Chunk(spine.rows, Bounds(None, time_low=early, time_high=late), None)]
    parts = min(len(keys), max(1, snapshot.rows // rows_per_chunk))
    edges = np.linspace(0, len(keys), parts + 1).astype(np.int64).tolist()
    return [
        Chunk(
            spine.rows.slice(spine.starts[low], spine.starts[high] - spine.starts[low]),
            Bounds(query.keys[0].key, keys[low].as_py(), keys[high - 1].as_py(), early, late),
            keys.slice(low, high - low),
        )
        for low, high in pairwise(edges)
    ]
