"""The spine in the order of (keys, t), sorted once for all views that share keys and time column.

Any range of keys is then a stretch of it, and every chunk reaches the kernel in order.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from featurestore.definitions.model.types import DataType
from featurestore.engines.arrays import Ints, both, integers, moments, validity, whole
from featurestore.engines.kernel.keys import encode
from featurestore.engines.kernel.order import sort_moments
from featurestore.engines.retrieval.sorted_dictionary import ascending_words
from featurestore.query.nodes import ViewQuery

Order = tuple[tuple[tuple[str, DataType], ...], str]
"""What a spine is sorted by: the columns of the keys with their types, and the time column."""


@dataclass(frozen=True)
class Arranged:
    """The spine rows that have all keys and a time, in the order of (keys, t).

    Args:
        place: Their positions in the spine.
        rows: Their key and time columns; text as a dictionary whose words ascend.
        times: Their t, in UTC microseconds.
        first_keys: The distinct values of the first key, ascending; None without keys.
        starts: Where the rows of each of these start, and last how many rows there are.
    """

    place: Ints
    rows: pa.Table
    times: Ints
    first_keys: pa.Array | None
    starts: Ints

    def stretch(self, low: int, high: int) -> slice:
        """Return which rows have the first keys ``low`` to ``high`` (not included)."""
        return slice(int(self.starts[low]), int(self.starts[high]))


def order_of(view: ViewQuery) -> Order:
    """Return what a view wants the spine to be sorted by: views that want the same share it."""
    return tuple((key.spine_column, key.dtype) for key in view.keys), view.timestamp_field


def arrange(query: ViewQuery, spine: pa.Table, threads: int = 1) -> Arranged:
    """Return the bound spine arranged for a view's keys and time column.

    Example:
        >>> from featurestore.definitions.model.types import Int64
        >>> from featurestore.query.nodes import KeyBinding
        >>> query = ViewQuery("v", keys=(KeyBinding("id", "card", Int64),), timestamp_field="at")
        >>> arrange(query, pa.table({"card": [2, 1, None], "at": [5, 6, 7]})).place.tolist()
        [1, 0]
    """
    ordered = {name: _ordered(spine[name], threads) for name in _columns(query)}
    spine = pa.table(ordered)
    empty = pa.table({key.key: spine[key.spine_column].slice(0, 0) for key in query.keys})
    codes = encode(query.keys, spine, empty)
    times = whole(spine[query.timestamp_field])
    known = both(validity(times), codes.spine >= 0)
    kept = None if known is None or known.all() else np.flatnonzero(known)
    asked = sort_moments(codes.spine, moments(times), kept, codes.distinct)
    place = pa.array(asked.place)
    columns = {name: column.take(place) for name, column in ordered.items()}
    first = columns[query.keys[0].spine_column] if query.keys else None
    return Arranged(asked.place, pa.table(columns), asked.time, *_runs(first, len(asked)))


def narrowed(spine: Arranged, first_key: str, low: int, high: int) -> pa.Table:
    """Return the rows with some of the first keys; a text key's dictionary holds just these.

    Args:
        spine: The arranged spine.
        first_key: The column of the first key.
        low: The first of its values, as a position among them.
        high: The position behind the last.
    """
    stretch = spine.stretch(low, high)
    rows = spine.rows.slice(stretch.start, stretch.stop - stretch.start)
    keys = rows[first_key]
    if not pa.types.is_dictionary(keys.type) or spine.first_keys is None:
        return rows
    index = np.repeat(np.arange(high - low), np.diff(spine.starts[low : high + 1]))
    part = pa.DictionaryArray.from_arrays(index, spine.first_keys.slice(low, high - low))
    return rows.set_column(rows.column_names.index(first_key), first_key, part)


def _columns(query: ViewQuery) -> list[str]:
    names = [*(key.spine_column for key in query.keys), query.timestamp_field]
    return list(dict.fromkeys(names))


def _ordered(column: pa.ChunkedArray, threads: int) -> pa.Array:
    """Return a column as one array; text as a dictionary whose words ascend."""
    plain = whole(column)
    return ascending_words(plain, threads) if pa.types.is_large_string(plain.type) else plain


def _runs(first: pa.Array | None, rows: int) -> tuple[pa.Array | None, Ints]:
    if first is None:
        return None, np.array([0, rows])
    values = integers(first.indices if pa.types.is_dictionary(first.type) else first)
    begins = np.flatnonzero(np.append(True, values[1:] != values[:-1]))[: len(values)]
    distinct = whole(first.take(pa.array(begins)))
    return distinct, np.append(begins, rows)
