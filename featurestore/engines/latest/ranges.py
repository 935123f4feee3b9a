"""Ranges of keys that together hold every key of a table once, from the Delta log's statistics."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.store.delta.pruning import bound
from featurestore.store.delta.snapshot import Snapshot


@dataclass(frozen=True)
class KeyRange:
    """The keys whose first part is in a half-open range.

    Args:
        low: The smallest first part; None for no bound.
        stop: The first part after the range, which is not in it; None for no bound.
    """

    low: Any = None
    stop: Any = None

    def mask(self, first_parts: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return which values are in the range; a null is in none.

        Args:
            first_parts: The values of the first join key.

        Example:
            >>> KeyRange(2, 5).mask(pa.chunked_array([[1, 2, 5, None]])).to_pylist()
            [False, True, False, False]
        """
        inside = pc.is_valid(first_parts)
        if self.low is not None:
            inside = pc.and_(inside, pc.greater_equal(first_parts, _scalar(self.low, first_parts)))
        if self.stop is not None:
            inside = pc.and_(inside, pc.less(first_parts, _scalar(self.stop, first_parts)))
        return pc.fill_null(inside, False)


@dataclass(frozen=True)
class SizedRange:
    """A range, and about how many stored rows it has.

    Args:
        keys: The range.
        rows: The rows of the files that start in it.
    """

    keys: KeyRange
    rows: int


def key_ranges(snapshot: Snapshot, key: str | None, rows_per_range: int) -> list[SizedRange]:
    """Return ranges that hold every key once, in ascending order.

    A range starts where a file starts, so that a file that was written in one go with others is
    read by one task.

    Args:
        snapshot: The pinned table.
        key: The first join key; None for a view without keys, which has one range.
        rows_per_range: About how many stored rows a range has, at least.

    Example:
        >>> bounds = pa.array([{"id": 1}, {"id": 5}])
        >>> files = pa.table({"path": ["a", "b"], "num_records": [50, 70], "min": bounds})
        >>> key_ranges(Snapshot("t", 0, files, pa.schema([])), "id", 50)
        [SizedRange(keys=KeyRange(low=None, stop=5), rows=50), SizedRange(keys=KeyRange(low=5, ...
    """
    starts = None if key is None else bound(snapshot.files, "min", key)
    if starts is None:
        return [SizedRange(KeyRange(), snapshot.rows)]
    counts = snapshot.files["num_records"].to_pylist()
    known = zip(starts.to_pylist(), counts, strict=True)
    files = sorted((start, count or 0) for start, count in known if start is not None)
    edges: list[Any] = [None]
    sizes = [sum(count or 0 for count in counts) - sum(count for _, count in files)]
    for start, count in files:
        if sizes[-1] >= rows_per_range and start != edges[-1]:
            edges.append(start)
            sizes.append(0)
        sizes[-1] += count
    stops = [*edges[1:], None]
    pairs = zip(edges, stops, sizes, strict=True)
    return [SizedRange(KeyRange(low, stop), rows) for low, stop, rows in pairs]


def _scalar(value: Any, column: pa.ChunkedArray) -> pa.Scalar:
    return pa.scalar(value, column.type)
