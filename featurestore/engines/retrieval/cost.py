"""Estimates of the memory that an answer needs, from the types and numbers of its rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from featurestore.engines.retrieval.answer_size import COPIES_OF_ANSWERS
from featurestore.engines.retrieval.scan import max_rows_per_read
from featurestore.engines.retrieval.scatter import fixed_width
from featurestore.engines.retrieval.spine_order import order_of
from featurestore.engines.retrieval.widths import LEAST_WIDTH, width_of
from featurestore.query.nodes import Aggregate, Column, Query, ViewQuery
from featurestore.query.requirements import needed_columns
from featurestore.store.columns import arrow_type
from featurestore.store.delta.snapshot import Snapshot

ROWS_PER_CHUNK = 400_000
"""Stored rows of a chunk. Larger chunks are not faster."""

WINDOW_ROWS_PER_CHUNK = 250_000
"""The same for windows. Larger chunks are slower: their arrays do not fit the CPU cache."""

MIN_ROWS_PER_CHUNK = 10_000
"""Smaller chunks would read each row group too many times."""

# The bytes of one number in an array.
_WORD = 8
# The kernel's arrays with one number for each stored row: codes, times, combined numbers,
# positions.
_ARRAYS = 10
# More such arrays for each aggregated column: exact sums and running sums, one order, and the five
# levels of two range tables.
_ARRAYS_PER_AGGREGATED_COLUMN = 25
# Arrays with one number for each spine row: codes, times, positions, winning rows.
_ARRAYS_PER_SPINE_ROW = 8
# More of them for each window: its two edges, and their positions.
_ARRAYS_PER_WINDOW = 4
# Arrays of a sorted spine: positions and times, and what the allocators keep after the sort.
_ARRAYS_OF_SORTED_SPINE = 6
# Bytes for each row whose key column stays in memory. The column may be a slice of rows of which
# only half are needed.
_CACHED_KEY = 2 * _WORD
# A column is in memory twice: as it was read, and its selected rows.
_COPIES_WHILE_READ = 2
# Rows returned as they are stored: as they were read, filtered, and sorted.
_COPIES_OF_STORED_ROWS = 3


@dataclass(frozen=True)
class Cost:
    """The estimated memory of a chunk of one use of a view, in bytes.

    Args:
        view: The view's name.
        fixed: To read one column, before its needed rows are selected.
        per_stored_row: For a stored row with a needed key, including the kernel's arrays.
        per_spine_row: For a spine row, including its answers.
        table_rows: The number of rows in the view's table.
        fastest_rows: The number of stored rows in a chunk at which the answer is fastest.

    Example:
        >>> Cost("v", fixed=50, per_stored_row=7, per_spine_row=5).of_chunk(10, 1)
        125
    """

    view: str
    fixed: int
    per_stored_row: int
    per_spine_row: int
    table_rows: int = 0
    fastest_rows: int = ROWS_PER_CHUNK

    def of_chunk(self, stored_rows: int, spine_rows: int) -> int:
        """Return the bytes that a chunk of this size needs."""
        return self.fixed + stored_rows * self.per_stored_row + spine_rows * self.per_spine_row

    def of_key_scan(self, cached_key_rows: int | None) -> int:
        """Return the bytes that the search for a chunk's rows needs.

        Args:
            cached_key_rows: The key column of so many rows stays in memory; None counts as 0.
        """
        return self.fixed + (cached_key_rows or 0) * _CACHED_KEY

    def of_smallest_chunk(self, spine_rows: int) -> int:
        """Return the bytes of the smallest chunk worth cutting.

        Args:
            spine_rows: The number of rows in the spine.
        """
        return self.of_chunk(
            min(self.table_rows, MIN_ROWS_PER_CHUNK), min(spine_rows, MIN_ROWS_PER_CHUNK)
        )


def cost_of(view: ViewQuery, snapshot: Snapshot) -> Cost:
    """Return the cost of a view's chunks.

    Args:
        view: The use of the view.
        snapshot: The view's pinned table.
    """
    columns = {name: width_of(snapshot, name) for name in needed_columns(view)}
    keys = sum(2 * columns[key.key] for key in view.keys)
    values = sum(2 * columns[feature.column] for feature in view.columns)
    stored_row, spine_row = kernel_bytes(view)
    widest = max(columns.values())
    return Cost(
        view.view,
        fixed=_COPIES_WHILE_READ * max_rows_per_read(snapshot) * widest,
        per_stored_row=stored_row + keys + values,
        per_spine_row=spine_row + keys,
        table_rows=snapshot.rows,
        fastest_rows=fastest_chunk_rows(view),
    )


def kernel_bytes(view: ViewQuery) -> tuple[int, int]:
    """Return the bytes of the kernel's own arrays: for a stored row, and for a spine row.

    Args:
        view: The use of the view.

    Example:
        >>> kernel_bytes(ViewQuery("v", keys=(), timestamp_field="t"))
        (80, 64)
    """
    aggregated = {name for each in view.aggregates for name in (each.column, each.by) if name}
    arrays = _ARRAYS + _ARRAYS_PER_AGGREGATED_COLUMN * len(aggregated)
    windows = len({aggregate.window for aggregate in view.aggregates})
    spine_arrays = _ARRAYS_PER_SPINE_ROW + _ARRAYS_PER_WINDOW * windows
    return _WORD * arrays, _WORD * spine_arrays + 2 * _chunk_answer_bytes(view)


def spine_and_answer_bytes(
    query: Query, spine: pa.Table, snapshots: Mapping[str, Snapshot]
) -> int:
    """Return the bytes of the bound spine, of its sorted copies, and of the answer.

    Args:
        query: The query.
        spine: The bound spine.
        snapshots: The pinned table of each view, by name.
    """
    orders = len({order_of(view) for view in query.views})
    answers = sum(_answer_bytes(view, snapshots[view.view]) for view in query.views)
    sorted_spines = _WORD * _ARRAYS_OF_SORTED_SPINE * orders
    return int(spine.nbytes) * (1 + orders) + int(spine.num_rows) * (sorted_spines + answers)


def stored_row_bytes(view: ViewQuery, snapshot: Snapshot) -> int:
    """Return the bytes that one stored row needs if it is read, filtered, sorted and returned.

    Args:
        view: The use of the view.
        snapshot: The view's pinned table.
    """
    return _COPIES_OF_STORED_ROWS * sum(width_of(snapshot, name) for name in needed_columns(view))


def fastest_chunk_rows(view: ViewQuery) -> int:
    """Return the number of stored rows in a chunk at which the view is answered fastest."""
    return WINDOW_ROWS_PER_CHUNK if view.aggregates else ROWS_PER_CHUNK


def _chunk_answer_bytes(view: ViewQuery) -> int:
    """Return the bytes of one row of a chunk's answers, but for texts and lists.

    Those are counted with the whole answer, which has fewer copies of them at that time.
    """
    return sum(fixed_width(arrow_type(feature.result)) + 1 for feature in view.features)


def _answer_bytes(view: ViewQuery, snapshot: Snapshot) -> int:
    """Return the bytes of one row of answers; one byte for each answer says whether it is null."""
    return sum(_answer_width(feature, snapshot) + 1 for feature in view.features)


def _answer_width(feature: Column | Aggregate, snapshot: Snapshot) -> int:
    fixed = fixed_width(arrow_type(feature.result))
    if fixed:
        return fixed
    if feature.column not in snapshot.schema.names:  # "*": a map of counts
        return COPIES_OF_ANSWERS * LEAST_WIDTH
    value = COPIES_OF_ANSWERS * width_of(snapshot, feature.column)
    # A list of the last three texts has three of them.
    values = feature.number or 1 if isinstance(feature, Aggregate) else 1
    return value * values
