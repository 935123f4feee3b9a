"""How many stored rows may be read at once, so that an answer keeps within a memory limit.

The limit covers what the engine holds: the spine, the answer, and in each thread one chunk with
the kernel's arrays. The interpreter and its libraries, some 200 MB, come on top.
"""

import pyarrow as pa

from featurestore.errors import RequestError
from featurestore.query.nodes import Column, Query, ViewQuery
from featurestore.store.columns import arrow_type

ROWS_PER_CHUNK = 400_000
"""More at once is no quicker."""

ROWS_OF_WINDOWS = 250_000
"""More at once is slower: the arrays that windows take no longer fit the processor's cache."""

# A row group is read whole, and a chunk rarely starts and ends with one.
LEAST_ROWS = 100_000
_WORD = 8
# Arrays of a word a row that the kernel makes: codes, times, composed numbers, positions.
_ARRAYS = 10
# Of an aggregated column: digits and running sums, an order, two levels of two sparse tables.
_ARRAYS_OF_AGGREGATES = 18
_TEXT = 32


def rows_at_once(
    query: Query, spine: pa.Table, limit: int | None, threads: int
) -> dict[ViewQuery, int]:
    """Return about how many stored rows, and spine rows, a chunk of each view may have.

    Args:
        query: What is asked.
        spine: The bound spine.
        limit: In bytes; None for no limit.
        threads: How many chunks are in work at a time.

    Raises:
        RequestError: The limit is too small to work in.

    Example:
        >>> view = ViewQuery("v", keys=(), timestamp_field="t")
        >>> rows_at_once(Query("ask", (view,)), pa.table({"t": [1]}), None, 2)[view]
        400000
    """
    quick = {v: ROWS_OF_WINDOWS if v.aggregates else ROWS_PER_CHUNK for v in query.views}
    if limit is None or not query.views:
        return quick
    each = threads * max(bytes_per_row(view) for view in query.views)
    held = held_bytes(query, spine)
    rows = (limit - held) // each
    if rows < LEAST_ROWS:
        least = held + LEAST_ROWS * each
        raise RequestError(
            query.asked,
            f"memory_limit is {told(limit)}; the spine and its answer take {told(held)}, "
            f"and reading with {threads} threads {told(LEAST_ROWS * each)}",
            f"Give at least memory_limit='{told(least)}', or ask with fewer spine rows at a time.",
        )
    return {view: min(rows, most) for view, most in quick.items()}


def held_bytes(query: Query, spine: pa.Table) -> int:
    """Return what the bound spine, once more in order, and the answer take."""
    orders = {(view.keys, view.timestamp_field) for view in query.views}
    answer = sum(_width(arrow_type(f.result)) + 1 for view in query.views for f in view.features)
    return int(spine.nbytes) * (1 + len(orders)) + int(spine.num_rows) * answer


def bytes_per_row(view: ViewQuery) -> int:
    """Return about what one stored row of a chunk takes, with the kernel's arrays."""
    columns = {feature.column: feature for feature in view.features}
    keys = sum(2 * _width(arrow_type(key.dtype)) for key in view.keys)
    values = sum(
        2 * _width(arrow_type(feature.result))
        if isinstance(feature, Column)
        else _WORD * _ARRAYS_OF_AGGREGATES
        for feature in columns.values()
    )
    return _WORD * _ARRAYS + keys + values


def told(size: int) -> str:
    """Return a number of bytes as a person reads it, rounded up.

    Example:
        >>> told(1_500_000_000), told(7_000_001)
        ('1501MB', '8MB')
    """
    return f"{size // 1_000_000 + 1}MB"


def _width(dtype: pa.DataType) -> int:
    fixed = pa.types.is_primitive(dtype) or pa.types.is_decimal(dtype)
    width = int(dtype.bit_width) // 8 if fixed else _TEXT
    return max(1, width)
