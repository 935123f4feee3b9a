"""The spine in the order of (keys, t), sorted once for all views that share keys and time column.

Any range of keys is then a stretch of it, and every chunk reaches the kernel in order.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.kernel.arrays import Ints, both, integers, moments, validity, whole
from featurestore.engines.kernel.keys import encode
from featurestore.engines.kernel.order import sort_moments
from featurestore.query.nodes import KeyBinding, ViewQuery


@dataclass(frozen=True)
class Arranged:
    """The spine rows that have all keys and a time, in the order of (keys, t).

    Args:
        position: Of every row of the spine, where it stands among them; -1 if it does not.
        rows: Their key and time columns; text as a dictionary whose words ascend.
        times: Their t, in UTC microseconds.
        first_keys: The distinct values of the first key, ascending; None without keys.
        starts: Where the rows of each of these start, and last how many rows there are.
    """

    position: Ints
    rows: pa.Table
    times: Ints
    first_keys: pa.Array | None
    starts: Ints


def arrange(query: ViewQuery, spine: pa.Table) -> Arranged:
    """Return the bound spine arranged for a view's keys and time column.

    Example:
        >>> from featurestore.definitions.types import Int64
        >>> query = ViewQuery("v", keys=(KeyBinding("id", "card", Int64),), timestamp_field="at")
        >>> arrange(query, pa.table({"card": [2, 1, None], "at": [5, 6, 7]})).position.tolist()
        [1, 0, -1]
    """
    empty = pa.table({key.key: spine[key.spine_column].slice(0, 0) for key in query.keys})
    codes = encode(query.keys, spine, empty)
    column = whole(spine[query.timestamp_field])
    known = both(validity(column), codes.spine >= 0)
    kept = None if known is None or known.all() else np.flatnonzero(known)
    asked = sort_moments(codes.spine, moments(column), kept, codes.distinct)
    columns = {key.spine_column: _sorted_key(key, spine, asked.place) for key in query.keys}
    columns[query.timestamp_field] = column.take(pa.array(asked.place))
    first = columns[query.keys[0].spine_column] if query.keys else None
    position = np.full(asked.spine_rows, -1)
    position[asked.place] = np.arange(len(asked))
    return Arranged(position, pa.table(columns), asked.time, *_runs(first, len(asked)))


def _sorted_key(key: KeyBinding, spine: pa.Table, place: Ints) -> pa.Array:
    column = whole(spine[key.spine_column])
    if not pa.types.is_large_string(column.type):
        return column.take(pa.array(place))
    encoded = column.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary)
    rank = np.empty(len(order), np.int32)
    rank[order.to_numpy()] = np.arange(len(order))
    index = rank[integers(encoded.indices)[place]]
    return pa.DictionaryArray.from_arrays(pa.array(index), encoded.dictionary.take(order))


def _runs(first: pa.Array | None, rows: int) -> tuple[pa.Array | None, Ints]:
    if first is None:
        return None, np.array([0, rows])
    values = integers(first.indices if pa.types.is_dictionary(first.type) else first)
    begins = np.flatnonzero(np.append(True, values[1:] != values[:-1]))[: len(values)]
    distinct = whole(first.take(pa.array(begins)))
    return distinct, np.append(begins, rows)
