"""Which stored rows are valid at one moment, for all keys."""

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import LAST, Ints, integers, validity, whole
from featurestore.engines.kernel.validity import load_events
from featurestore.query.nodes import ViewQuery


def positions_valid_at(query: ViewQuery, rows: pa.Table, moment: int) -> pa.Array:
    """Return the positions of the rows that are valid at a moment, by key and rank.

    Tombstones, rows without a time and rows with a null in their key are not among them.

    Args:
        query: The use of the view.
        rows: The view's stored rows of all keys.
        moment: The moment, in UTC microseconds.

    Example:
        >>> query = ViewQuery("v", keys=(), timestamp_field="t")
        >>> rows = pa.table({"event_timestamp": [5, 3, 9], "available_timestamp": [5, 8, 9],
        ...                  "_row_hash": [1, 2, 3]})
        >>> positions_valid_at(query, rows, 8).to_pylist()
        [1, 0]
    """
    events = load_events(_codes(query, rows), rows, query.rows, tombstones=False)
    until = LAST if events.until is None else events.until
    valid = np.flatnonzero((events.visible <= moment) & (moment < until))
    return pa.array(valid if events.source is None else events.source[valid])


def _codes(query: ViewQuery, rows: pa.Table) -> Ints:
    """Return a number for each row's key, equal for equal keys; -1 where a part is null."""
    codes = np.zeros(rows.num_rows, np.int64)
    for key in query.keys:
        encoded = whole(rows[key.key]).dictionary_encode()
        part, present = integers(encoded.indices), validity(encoded.indices)
        if present is not None:
            part = np.where(present, part, -1)
        pairs = np.where((part < 0) | (codes < 0), -1, codes * len(encoded.dictionary) + part)
        distinct, dense = np.unique(pairs, return_inverse=True)
        codes = dense - int(len(distinct) > 0 and distinct[0] < 0)
    return codes
