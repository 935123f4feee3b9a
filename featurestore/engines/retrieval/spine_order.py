"""The spine sorted by (keys, t), once for all views that share their keys and time column.

Each range of keys is then a slice of the sorted spine, and every chunk reaches the kernel sorted.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from featurestore.definitions.model.types import DataType
from featurestore.engines.arrays import Ints, both, integers, moments, validity, whole
from featurestore.engines.kernel.keys import encode
from featurestore.engines.kernel.order import sort_moments
from featurestore.engines.retrieval.sorted_dictionary import sorted_dictionary
from featurestore.query.nodes import ViewQuery

SpineOrder = tuple[tuple[tuple[str, DataType], ...], str]
"""What a spine is sorted by: the key columns with their types, and the time column."""


@dataclass(frozen=True)
class SortedSpine:
    """The spine rows that have all keys and a time, in the order of (keys, t).

    Args:
        positions: Their positions in the spine.
        rows: Their key and time columns; text as a dictionary in ascending order.
        times: Their moments, in UTC microseconds.
        first_keys: The distinct values of the first key, ascending; None without keys.
        starts: The first row of each of these values, and the number of rows at the end.
    """

    positions: Ints
    rows: pa.Table
    times: Ints
    first_keys: pa.Array | None
    starts: Ints

    def rows_between(self, low: int, high: int) -> slice:
        """Return the rows with the first keys number ``low`` to below ``high``."""
        return slice(int(self.starts[low]), int(self.starts[high]))


def order_of(view: ViewQuery) -> SpineOrder:
    """Return the order in which a view needs the spine. Views with the same order share a sort."""
    return tuple((key.spine_column, key.dtype) for key in view.keys), view.timestamp_field


def sort_spine(query: ViewQuery, spine: pa.Table, threads: int = 1) -> SortedSpine:
    """Return the bound spine sorted by a view's keys and time column.

    Args:
        query: The use of the view.
        spine: The bound spine.
        threads: The most threads that work at once.

    Example:
        >>> from featurestore.definitions.model.types import Int64
        >>> from featurestore.query.nodes import KeyBinding
        >>> query = ViewQuery("v", keys=(KeyBinding("id", "card", Int64),), timestamp_field="at")
        >>> spine = pa.table({"card": [2, 1, None], "at": [5, 6, 7]})
        >>> sort_spine(query, spine).positions.tolist()
        [1, 0]
    """
    encoded = {name: _encoded(spine[name], threads) for name in _columns(query)}
    spine = pa.table(encoded)
    no_rows = pa.table({key.key: spine[key.spine_column].slice(0, 0) for key in query.keys})
    codes = encode(query.keys, spine, no_rows)
    times = whole(spine[query.timestamp_field])
    complete = both(validity(times), codes.spine >= 0)
    chosen = None if complete is None or complete.all() else np.flatnonzero(complete)
    ordered = sort_moments(codes.spine, moments(times), chosen, codes.distinct)
    positions = pa.array(ordered.position)
    columns = {name: column.take(positions) for name, column in encoded.items()}
    first = columns[query.keys[0].spine_column] if query.keys else None
    runs = _first_key_runs(first, len(ordered))
    return SortedSpine(ordered.position, pa.table(columns), ordered.time, *runs)


def rows_with_first_keys(spine: SortedSpine, first_key: str, low: int, high: int) -> pa.Table:
    """Return the rows with some of the first keys; a text key's dictionary holds just these.

    Args:
        spine: The sorted spine.
        first_key: The column of the first key.
        low: The number of the first of these keys in ``spine.first_keys``.
        high: The number after the last of them.
    """
    between = spine.rows_between(low, high)
    rows = spine.rows.slice(between.start, between.stop - between.start)
    keys = rows[first_key]
    if not pa.types.is_dictionary(keys.type) or spine.first_keys is None:
        return rows
    index = np.repeat(np.arange(high - low), np.diff(spine.starts[low : high + 1]))
    narrowed = pa.DictionaryArray.from_arrays(index, spine.first_keys.slice(low, high - low))
    return rows.set_column(rows.column_names.index(first_key), first_key, narrowed)


def _columns(query: ViewQuery) -> list[str]:
    names = [*(key.spine_column for key in query.keys), query.timestamp_field]
    return list(dict.fromkeys(names))


def _encoded(column: pa.ChunkedArray, threads: int) -> pa.Array:
    """Return a column as one array; text as a dictionary in ascending order."""
    array = whole(column)
    return sorted_dictionary(array, threads) if pa.types.is_large_string(array.type) else array


def _first_key_runs(first: pa.Array | None, rows: int) -> tuple[pa.Array | None, Ints]:
    """Return the distinct first keys, and where the rows of each start (`SortedSpine.starts`)."""
    if first is None:
        return None, np.array([0, rows])
    values = integers(first.indices if pa.types.is_dictionary(first.type) else first)
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))[: len(values)]
    distinct = whole(first.take(pa.array(starts)))
    return distinct, np.append(starts, rows)
