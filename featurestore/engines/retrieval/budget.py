"""The memory budget of an answer: the sizes of chunks within ``memory_limit``, or an error.

The budget covers what the engine holds: the spine, the answer, and for each thread one chunk with
the kernel's arrays. The interpreter and its libraries need some 250 MB more.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa

from featurestore.engines.retrieval.cost import (
    Cost,
    cost_of,
    fastest_chunk_rows,
    spine_and_answer_bytes,
    stored_row_bytes,
)
from featurestore.engines.retrieval.limiter import Limiter
from featurestore.errors import RequestError
from featurestore.query.nodes import Aggregate, Query, ViewQuery
from featurestore.sizes import format_bytes, format_megabytes
from featurestore.store.delta.snapshot import Snapshot


@dataclass(frozen=True)
class Budget:
    """The memory for the chunks of a query.

    Args:
        query: The query.
        costs: The cost of each use of a view, in the query's order.
        spine_and_answer: The bytes of the spine and of the answer.
        limiter: The bytes that all running chunks share.
        threads: The number of chunks that run at the same time.
    """

    query: Query
    costs: tuple[Cost, ...]
    spine_and_answer: int = 0
    limiter: Limiter = field(default_factory=Limiter)
    threads: int = 1

    def rows_per_chunk(self, cost: Cost) -> int:
        """Return about how many stored rows, and how many spine rows, a view's chunk may have.

        Args:
            cost: The view's cost.

        Example:
            >>> cost = Cost("v", fixed=40_000, per_stored_row=80, per_spine_row=40)
            >>> budget = Budget(Query("call", ()), (cost,), limiter=Limiter(1_000_000))
            >>> budget.rows_per_chunk(cost)
            5333
        """
        if self.limiter.size is None:
            return cost.fastest_rows
        share = self.limiter.size // self.threads - cost.fixed
        row = cost.per_stored_row + cost.per_spine_row
        # A chunk may become half as large again, because its edges are moved to those of files.
        return max(1, min(cost.fastest_rows, 2 * share // (3 * row)))

    def max_cached_key_rows(self, cost: Cost) -> int | None:
        """Return the most rows whose keys may stay in memory while the chunk's size is unknown.

        This is the largest number of rows that a chunk is planned to have, so their keys fit.

        Args:
            cost: The view's cost.

        Returns:
            A number of stored rows; None for any number.

        Example:
            >>> cost = Cost("v", fixed=40_000, per_stored_row=80, per_spine_row=40)
            >>> budget = Budget(Query("call", ()), (cost,), limiter=Limiter(1_000_000))
            >>> budget.max_cached_key_rows(cost)
            7999
        """
        return None if self.limiter.size is None else self.rows_per_chunk(cost) * 3 // 2

    def refusal(
        self, cost: Cost, stored_name: str, stored_rows: int, spine_rows: int
    ) -> RequestError:
        """Return the error for a chunk that does not fit by itself and cannot be divided.

        Args:
            cost: The view's cost.
            stored_name: What the stored rows have in common, such as ``view 'v' with id=7``.
            stored_rows: The number of stored rows in the chunk.
            spine_rows: The number of spine rows in the chunk.
        """
        size = cost.of_chunk(stored_rows, spine_rows)
        left = self.limiter.size or 0
        helps = cost.of_chunk(stored_rows, spine_rows // 2) <= left
        return RequestError(
            self.query.call,
            f"the {stored_rows:,} stored rows of {stored_name} and their {spine_rows:,} spine "
            f"rows need {format_megabytes(size)} at once. memory_limit leaves "
            f"{format_megabytes(left)} for them",
            f"Set memory_limit='{format_megabytes(self.spine_and_answer + size)}' or more"
            f"{', or use fewer of these spine rows in one call' if helps else ''}.",
        )


def budget_for(
    query: Query,
    spine: pa.Table,
    snapshots: Mapping[str, Snapshot],
    limit: int | None,
    cores: int,
) -> Budget:
    """Return the budget of a query within a memory limit.

    Args:
        query: The query.
        spine: The bound spine.
        snapshots: The pinned table of each view, by name.
        limit: In bytes; None for no limit.
        cores: The most chunks that run at the same time. Fewer run if not all of them fit.

    Raises:
        RequestError: The limit is too small for a single thread.

    Example:
        >>> budget_for(Query("call", ()), pa.table({"x": [1]}), {}, None, 2).threads
        2
    """
    if limit is None or not query.views:
        # Without a limit the costs are not needed, and to compute them takes time.
        free = tuple(
            Cost(view.view, 0, 0, 0, fastest_rows=fastest_chunk_rows(view)) for view in query.views
        )
        return Budget(query, free, threads=cores)
    costs = tuple(cost_of(view, snapshots[view.view]) for view in query.views)
    held, rows = spine_and_answer_bytes(query, spine, snapshots), int(spine.num_rows)
    largest = max(cost.of_smallest_chunk(rows) for cost in costs)
    threads = min(cores, (limit - held) // largest) if largest else cores
    if threads < 1:
        raise _limit_too_small(query, spine, snapshots, limit)
    return Budget(query, costs, held, Limiter(limit - held), threads)


def require_rows_fit(
    call: str, view: ViewQuery, snapshot: Snapshot, rows: int, limit: int | None
) -> None:
    """Check that stored rows, returned as they are, fit in a memory limit.

    Args:
        call: The call that reads them.
        view: The use of the view.
        snapshot: The view's pinned table.
        rows: The number of rows to read.
        limit: In bytes; None for no limit.

    Raises:
        RequestError: The rows do not fit.
    """
    size = rows * stored_row_bytes(view, snapshot)
    if limit is not None and size > limit:
        raise RequestError(
            call,
            f"memory_limit is {format_bytes(limit)}. The {rows:,} rows of view {view.view!r} that "
            f"the call reads need about {format_megabytes(size)}",
            f"Set memory_limit='{format_megabytes(size)}' or more, or select fewer columns, "
            "or an earlier as_of.",
        )


def _limit_too_small(
    query: Query, spine: pa.Table, snapshots: Mapping[str, Snapshot], limit: int
) -> RequestError:
    held = spine_and_answer_bytes(query, spine, snapshots)
    costs = (cost_of(view, snapshots[view.view]) for view in query.views)
    costliest = max(costs, key=lambda cost: cost.of_smallest_chunk(spine.num_rows))
    chunk = costliest.of_smallest_chunk(spine.num_rows)
    return RequestError(
        query.call,
        f"memory_limit is {format_bytes(limit)}. The spine and the answer need "
        f"{format_megabytes(held)}, and one thread that reads view {costliest.view!r} needs "
        f"{format_megabytes(chunk)}",
        f"Set memory_limit='{format_megabytes(held + chunk)}' or more"
        f"{_smaller_call(query, spine, snapshots, limit)}.",
    )


def _smaller_call(
    query: Query, spine: pa.Table, snapshots: Mapping[str, Snapshot], limit: int
) -> str:
    """Return advice to make the call smaller, or ``""`` if that is not enough."""
    too_many = bisect_right(
        range(spine.num_rows + 1),
        limit,
        key=lambda rows: _smallest_limit(query, spine.slice(0, rows), snapshots),
    )
    if too_many > 1:
        return f", or use at most {too_many - 1:,} spine rows in one call"
    singles = [single for view in query.views for single in _single_features(view)]
    limits = (_smallest_limit(replace(query, views=(one,)), spine, snapshots) for one in singles)
    if len(singles) > 1 and all(each <= limit for each in limits):
        return ", or request fewer features in one call"
    return ""


def _smallest_limit(query: Query, spine: pa.Table, snapshots: Mapping[str, Snapshot]) -> int:
    """Return the smallest limit that a call fits in, in bytes."""
    chunks = (
        cost_of(view, snapshots[view.view]).of_smallest_chunk(spine.num_rows)
        for view in query.views
    )
    return spine_and_answer_bytes(query, spine, snapshots) + max(chunks)


def _single_features(view: ViewQuery) -> list[ViewQuery]:
    """Return one use of the view for each of its features."""
    return [
        replace(view, columns=(), aggregates=(feature,))
        if isinstance(feature, Aggregate)
        else replace(view, columns=(feature,), aggregates=())
        for feature in view.features
    ]
