"""What an answer takes in memory, by the types and numbers of its rows."""

from dataclasses import dataclass

import pyarrow as pa

from featurestore.engines.retrieval.scan import most_rows_read, needed_columns
from featurestore.engines.retrieval.scatter import fixed_width
from featurestore.engines.retrieval.spine_order import order_of
from featurestore.query.nodes import Query, ViewQuery
from featurestore.store.columns import arrow_type
from featurestore.store.delta.snapshot import Snapshot

ROWS_PER_CHUNK = 400_000
"""More at once is no quicker."""

ROWS_OF_WINDOWS = 250_000
"""More at once is slower: the arrays that windows take no longer fit the processor's cache."""

LEAST_ROWS = 10_000
"""Fewer at once would read each row group too many times."""

_WORD = 8
# Arrays of a word a stored row that the kernel makes: codes, times, composed numbers, positions.
_ARRAYS = 10
# Of an aggregated column: digits and running sums, an order, five levels of two range tables.
_ARRAYS_OF_AGGREGATES = 25
# Of a spine row: codes, times, places, winners; of a window: its two edges, and where they fall.
_ARRAYS_ASKED, _ARRAYS_OF_WINDOWS = 8, 4
# Of a spine row, once an order: its place and time, and what sorting leaves to the allocators.
_ARRAYS_ARRANGED = 6
_TEXT = 32
# As a part of what was read, of which half or more is wanted.
_KEY_KEPT = 2 * _WORD
# A column as it is read, and as its part that is kept or looked at.
_READ_TWICE = 2
# Rows as they are read, those of them that count, and these sorted.
_COPIES = 3


@dataclass(frozen=True)
class Need:
    """About what a chunk of one use of a view takes, in bytes.

    Args:
        view: The view's name.
        reading: To read a column, before the wanted rows are picked.
        stored: For a stored row of a wanted key, with the kernel's arrays.
        asked: For a spine row, with its answers.
        stored_rows: How many rows the view's table has.
        quick: How many rows at once are quickest.

    Example:
        >>> Need("v", reading=50, stored=7, asked=5).of(10, 1)
        125
    """

    view: str
    reading: int
    stored: int
    asked: int
    stored_rows: int = 0
    quick: int = ROWS_PER_CHUNK

    def of(self, stored: int, asked: int) -> int:
        """Return what a chunk of so many stored rows and spine rows takes."""
        return self.reading + stored * self.stored + asked * self.asked

    def looking(self, keys_kept: int | None) -> int:
        """Return what it takes to find a chunk's rows, and to keep the keys of so many."""
        return self.reading + (keys_kept or 0) * _KEY_KEPT

    def least(self, spine_rows: int) -> int:
        """Return what the smallest chunk takes that is worth to be cut."""
        return self.of(min(self.stored_rows, LEAST_ROWS), min(spine_rows, LEAST_ROWS))


def need_of(view: ViewQuery, snapshot: Snapshot) -> Need:
    """Return about what chunks of a view take."""
    keys = sum(2 * _width(arrow_type(key.dtype)) for key in view.keys)
    columns = {name: snapshot.schema.field(name).type for name in needed_columns(view)}
    values = sum(2 * _width(columns[feature.column]) for feature in view.columns)
    aggregated = {name for each in view.aggregates for name in (each.column, each.by) if name}
    arrays = _ARRAYS + _ARRAYS_OF_AGGREGATES * len(aggregated)
    windows = len({aggregate.window for aggregate in view.aggregates})
    return Need(
        view.view,
        reading=_READ_TWICE * most_rows_read(snapshot) * max(map(_width, columns.values())),
        stored=_WORD * arrays + keys + values,
        asked=_WORD * (_ARRAYS_ASKED + _ARRAYS_OF_WINDOWS * windows) + keys + 2 * _answers(view),
        stored_rows=snapshot.rows,
        quick=quickest_rows(view),
    )


def held_bytes(query: Query, spine: pa.Table) -> int:
    """Return what the bound spine, once more in each order, and the answer take."""
    orders = len({order_of(view) for view in query.views})
    answers = sum(_answers(view) for view in query.views)
    arranged = _WORD * _ARRAYS_ARRANGED * orders
    return int(spine.nbytes) * (1 + orders) + int(spine.num_rows) * (arranged + answers)


def row_bytes(view: ViewQuery, snapshot: Snapshot) -> int:
    """Return about what a stored row takes that is read, filtered and sorted as it is."""
    columns = (snapshot.schema.field(name).type for name in needed_columns(view))
    return _COPIES * sum(map(_width, columns))


def quickest_rows(view: ViewQuery) -> int:
    """Return how many rows at once are quickest."""
    return ROWS_OF_WINDOWS if view.aggregates else ROWS_PER_CHUNK


def _answers(view: ViewQuery) -> int:
    """Return what a row of answers takes; a byte each says whether it is null."""
    return sum(_width(arrow_type(feature.result)) + 1 for feature in view.features)


def _width(dtype: pa.DataType) -> int:
    return fixed_width(dtype) or _TEXT
