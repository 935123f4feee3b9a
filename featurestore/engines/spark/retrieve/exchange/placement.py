"""Inside a task of an exchange: stored rows of hot keys go to each bucket that needs them."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.arrays import Ints, integers, whole
from featurestore.engines.spark.retrieve.exchange.buckets import (
    HotKey,
    Span,
    is_carried,
    reach_of,
    rows_of_hot_keys,
)
from featurestore.engines.spark.retrieve.exchange.key_sets import KeySet
from featurestore.engines.spark.retrieve.exchange.layout import (
    BUCKET,
    SINCE,
    TIME,
    key_name,
    stored_names,
    value_name,
)
from featurestore.query.nodes import ViewQuery
from featurestore.store.columns import AVAILABLE_TIME, ROW_HASH, SEQUENCE


def in_buckets(
    key_set: KeySet, use: ViewQuery, hot: Sequence[HotKey], rows: pa.Table
) -> Iterator[pa.Table]:
    """Yield stored rows with their buckets, once for each bucket that needs them.

    Args:
        key_set: The key set.
        use: The use of the view.
        hot: The hot keys. Their buckets know the moments of their spine rows.
        rows: Some of the view's rows, by `stored_side`. Without a hot key they need no `SINCE`.

    Yields:
        The rows of all keys that are not hot, then those of one bucket after the other.
    """
    if not hot:
        yield _in_bucket(rows, 0)
        return
    is_hot = np.zeros(rows.num_rows, np.bool_)
    names = [key_name(number) for number in range(len(key_set.columns))]
    found = rows_of_hot_keys(key_set, hot, rows, names)
    for _, positions in found:
        is_hot[positions] = True
    kept = rows.drop_columns([SINCE])
    yield _in_bucket(kept if not found else kept.filter(pa.array(~is_hot)), 0)
    for number, positions in found:
        chosen = pa.array(positions)
        spans = hot[number].spans[use.timestamp_field]
        for bucket, needed in _needed(use, spans, rows.take(chosen)):
            yield _in_bucket(kept.take(chosen.take(pa.array(needed))), bucket)


def _in_bucket(rows: pa.Table, bucket: int) -> pa.Table:
    return rows.append_column(BUCKET, pa.repeat(pa.scalar(bucket, pa.int64()), rows.num_rows))


def _needed(
    use: ViewQuery, spans: Sequence[Span | None], rows: pa.Table
) -> Iterator[tuple[int, Ints]]:
    """Yield the number of each bucket of a hot key, and the positions of the rows it needs."""
    times, since = integers(whole(rows[TIME])), integers(whole(rows[SINCE]))
    reach = reach_of(use)
    for bucket, span in enumerate(spans, 1):
        if span is None:  # no spine row is in it
            continue
        needed = since <= span.last
        if is_carried(use):
            before = np.flatnonzero(since <= span.first)
            needed &= since > span.first
            needed[_winner(use, rows, times, before)] = True
        elif reach is not None:
            needed &= times >= span.first - reach
        if needed.any():
            yield bucket, np.flatnonzero(needed)


def _winner(use: ViewQuery, rows: pa.Table, times: Ints, among: Ints) -> Ints:
    """Return the position of the row that wins among some rows; none if there are none.

    Other tables of rows have winners of their own: the kernel takes the best of them.
    """
    if not len(among):
        return among
    newest: Ints = among[times[among] == times[among].max()]
    names = stored_names(use)
    breakers = [
        rows[value_name(names.index(name))].take(pa.array(newest))
        for name in (AVAILABLE_TIME, SEQUENCE, ROW_HASH)
        if name in names
    ]
    if len(newest) > 1 and breakers:
        columns = [each for column in breakers for each in (column.is_valid(), column)]
        order = pa.table(columns, names=[*map(str, range(len(columns)))])
        ascending = [(name, "ascending") for name in order.column_names]
        newest = newest[pc.sort_indices(order, sort_keys=ascending).to_numpy()]
    return newest[-1:]
