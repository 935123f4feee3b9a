"""Which stored rows exist as of one moment, for all keys at once."""

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import LAST, Ints, integers, validity, whole
from featurestore.engines.kernel.validity import load_events
from featurestore.query.nodes import ViewQuery


def positions_valid_at(query: ViewQuery, rows: pa.Table, moment: int) -> pa.Array:
    """Return the places of the rows that exist, by key and rank.

    Revised rows and tombstones do not; nor do rows without a time or with a null in the key.

    Args:
        query: The use of the view.
        rows: Its stored rows, all of their keys.
        moment: In UTC microseconds.

    Example:
        >>> query = ViewQuery("v", keys=(), timestamp_field="t")
        >>> rows = pa.table({"event_timestamp": [5, 3, 9], "available_timestamp": [5, 8, 9],
        ...                  "_row_hash": [1, 2, 3]})
        >>> positions_valid_at(query, rows, 8).to_pylist()
        [1, 0]
    """
    events = load_events(_codes(query, rows), rows, query.rows, tombstones=False)
    until = LAST if events.until is None else events.until
    exist = np.flatnonzero((events.visible <= moment) & (moment < until))
    return pa.array(exist if events.source is None else events.source[exist])


def _codes(query: ViewQuery, rows: pa.Table) -> Ints:
    """Return a number for each row's key, the same for equal ones; -1 where a part is null."""
    codes = np.zeros(rows.num_rows, np.int64)
    for key in query.keys:
        encoded = whole(rows[key.key]).dictionary_encode()
        part, known = integers(encoded.indices), validity(encoded.indices)
        if known is not None:
            part = np.where(known, part, -1)
        pairs = np.where((part < 0) | (codes < 0), -1, codes * len(encoded.dictionary) + part)
        found, dense = np.unique(pairs, return_inverse=True)
        codes = dense - int(len(found) > 0 and found[0] < 0)
    return codes
