"""How many stored rows may be read at once, so that an answer keeps within a memory limit.

The limit covers what the engine holds: the spine, the answer, and in each thread one chunk with
the kernel's arrays. The interpreter and its libraries, some 200 MB, come on top.
"""

from dataclasses import dataclass

import pyarrow as pa

from featurestore.engines.arrange import order_of
from featurestore.engines.collect import fixed_width
from featurestore.errors import RequestError
from featurestore.query.nodes import Column, Query, ViewQuery
from featurestore.store.columns import arrow_type

ROWS_PER_CHUNK = 400_000
"""More at once is no quicker."""

ROWS_OF_WINDOWS = 250_000
"""More at once is slower: the arrays that windows take no longer fit the processor's cache."""

# A row group is read whole, and a chunk rarely starts and ends with one.
LEAST_ROWS = 150_000
_WORD = 8
# Arrays of a word a row that the kernel makes: codes, times, composed numbers, positions.
_ARRAYS = 10
# Of an aggregated column: digits and running sums, an order, two levels of two sparse tables.
_ARRAYS_OF_AGGREGATES = 18
_TEXT = 32


@dataclass(frozen=True)
class Budget:
    """What a chunk may take.

    Args:
        asked: The call in words, for error messages.
        share: In bytes; None for no limit.
        limit: What the user gave, in bytes; None without one.
        threads: How many chunks are in work at a time.
        cores: How many could be, if the limit were larger.

    Example:
        >>> view = ViewQuery("v", keys=(), timestamp_field="t")
        >>> Budget("ask").rows_at_once(view), Budget("ask", share=9_600_000).rows_at_once(view)
        (400000, 80000)
    """

    asked: str
    share: int | None = None
    limit: int = 0
    threads: int = 1
    cores: int = 1

    def rows_at_once(self, view: ViewQuery) -> int:
        """Return about how many stored rows, and spine rows, a chunk of a view shall have."""
        quick = ROWS_OF_WINDOWS if view.aggregates else ROWS_PER_CHUNK
        if self.share is None:
            return quick
        # A chunk may come out half as large again, where its ends are moved to those of files.
        return min(quick, 2 * self.share // (3 * bytes_per_row(view)))

    def check(self, view: ViewQuery, rows: int) -> None:
        """Refuse to answer a chunk of more rows than fit: those of one key are never split.

        Raises:
            RequestError: It takes more than its share.
        """
        size = rows * bytes_per_row(view)
        if self.share is not None and size > self.share:
            held = self.limit - self.threads * self.share
            # A larger limit lets more threads work, as many as there are cores.
            least = held + self.cores * size
            raise RequestError(
                self.asked,
                f"a few keys of view {view.view!r} have {rows:,} rows, which take {told(size)}; "
                f"memory_limit leaves {told(self.share)} for each of {self.threads} threads",
                f"Give at least memory_limit='{told(least)}'.",
            )


def budget(query: Query, spine: pa.Table, limit: int | None, cores: int) -> Budget:
    """Return what each chunk of a query may take within a memory limit, and how many at a time.

    Args:
        query: What is asked.
        spine: The bound spine.
        limit: In bytes; None for no limit.
        cores: At most so many chunks are in work at a time; fewer, where all would not fit.

    Raises:
        RequestError: The limit is too small to work in.

    Example:
        >>> budget(Query("ask", ()), pa.table({"x": [1]}), None, 2).share is None
        True
    """
    if limit is None or not query.views:
        return Budget(query.asked, threads=cores, cores=cores)
    held = held_bytes(query, spine)
    least = LEAST_ROWS * max(bytes_per_row(view) for view in query.views)
    threads = min(cores, (limit - held) // least)
    if threads < 1:
        raise RequestError(
            query.asked,
            f"memory_limit is {told(limit)}; the spine and its answer take {told(held)}, "
            f"and reading with one thread {told(least)}",
            f"Give at least memory_limit='{told(held + least)}', "
            "or ask with fewer spine rows at a time.",
        )
    return Budget(query.asked, (limit - held) // threads, limit, threads, cores)


def held_bytes(query: Query, spine: pa.Table) -> int:
    """Return what the bound spine, once more in order, and the answer take."""
    orders = {order_of(view) for view in query.views}
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
    return fixed_width(dtype) or _TEXT
