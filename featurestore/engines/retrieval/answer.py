"""The engine in process: threads answer the chunks of a query, and each reads its own rows."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from featurestore.definitions.model.types import String
from featurestore.engines.kernel import answer_view
from featurestore.engines.retrieval.answer_size import (
    AnswerSize,
    columns_fit,
    is_too_large,
    too_large,
)
from featurestore.engines.retrieval.budget import Budget, budget_for
from featurestore.engines.retrieval.chunks import Chunk, halve, split_into_chunks
from featurestore.engines.retrieval.cost import Cost
from featurestore.engines.retrieval.lazy_rows import LazyRows
from featurestore.engines.retrieval.scan import open_rows
from featurestore.engines.retrieval.scatter import AnswerColumn, ChunkRows, answer_columns
from featurestore.engines.retrieval.spine_order import (
    SortedSpine,
    SpineOrder,
    order_of,
    sort_spine,
)
from featurestore.engines.retrieval.threads import run_all
from featurestore.errors import ContractError, SumOverflowError
from featurestore.query.nodes import Query, ViewQuery
from featurestore.store.columns import arrow_type
from featurestore.store.delta.snapshot import Snapshot

_FREED_BLOCK = 31 << 20


def answer(
    query: Query,
    spine: pa.Table,
    snapshots: Mapping[str, Snapshot],
    *,
    memory_limit: int | None = None,
    rows_per_chunk: int | None = None,
    threads: int | None = None,
) -> pa.Table:
    """Return the features of every spine row, in the spine's order.

    Args:
        query: The query.
        spine: The bound spine (see `featurestore.engines.bind`).
        snapshots: The pinned table of each view, by name.
        memory_limit: The most memory to use, in bytes; None for no limit.
        rows_per_chunk: About how many stored rows a thread reads at once; None for the fastest
            number within the limit.
        threads: The most threads to use; None for as many as there are cores.

    Returns:
        One column for each feature, one row for each spine row.

    Raises:
        ContractError: The answer does not have exactly one row for each spine row: a bug.
        SumOverflowError: A window's sum does not fit in its type.
        RequestError: The memory limit is too small.
    """
    budget = budget_for(query, spine, snapshots, memory_limit, threads or os.cpu_count() or 1)
    spines = _sorted_spines(query, spine, budget.threads)
    answers: dict[str, AnswerColumn] = {}
    for view in query.views:
        types = {feature.output: arrow_type(feature.result) for feature in view.features}
        answers |= answer_columns(spine.num_rows, types)
    _let_c_library_keep_memory()
    size = AnswerSize(query.call, spine.num_rows * len(query.views), memory_limit)
    work = (
        _ViewWork(view, spines[order_of(view)], snapshots[view.view], cost, budget, size)
        for view, cost in zip(query.views, budget.costs, strict=True)
    )
    tasks = (
        partial(_answer_chunk, each, chunk, answers)
        for each in work
        for chunk in _chunks(each, rows_per_chunk)
    )
    run_all(tasks, budget.threads)
    with columns_fit(query.call):
        finished = run_all((column.finish for column in answers.values()), budget.threads)
    columns = dict(zip(answers, finished, strict=True))
    _check_contract(query, spine, columns)
    return pa.table(columns) if columns else spine.select([])


def _sorted_spines(query: Query, spine: pa.Table, threads: int) -> dict[SpineOrder, SortedSpine]:
    views = {order_of(view): view for view in query.views}
    return {order: sort_spine(view, spine, threads) for order, view in views.items()}


@dataclass(frozen=True)
class _ViewWork:
    """All work on one use of a view."""

    view: ViewQuery
    spine: SortedSpine
    snapshot: Snapshot
    cost: Cost
    budget: Budget
    size: AnswerSize


def _chunks(work: _ViewWork, rows: int | None) -> Iterator[Chunk]:
    """Yield the chunks of a use of a view, of about so many stored rows; None for the fastest."""
    rows = rows or work.budget.rows_per_chunk(work.cost)
    yield from split_into_chunks(work.view, work.spine, work.snapshot, rows)


def _answer_chunk(work: _ViewWork, chunk: Chunk, answers: Mapping[str, AnswerColumn]) -> None:
    """Answer a chunk, or its halves one after the other if it does not fit.

    It may not fit the memory limit, or have more text than an array of Arrow holds.
    """
    view, limiter = work.view, work.budget.limiter
    text_keys = tuple(key.key for key in view.keys if key.dtype == String)
    cached = work.budget.max_cached_key_rows(work.cost)
    with limiter.reserved(work.cost.of_key_scan(cached)):
        rows = open_rows(
            work.snapshot, chunk.bounds, chunk.keys, text_keys, max_cached_key_rows=cached
        )
    stored_rows = rows.num_rows
    size = work.cost.of_chunk(stored_rows, len(chunk.positions))
    if not limiter.fits(size):
        del rows  # frees its key column
        for half in _halves(work, chunk, stored_rows):
            _answer_chunk(work, half, answers)
        return
    with limiter.reserved(size):
        problem = _put_answer(work, chunk, rows, answers)
    if problem is not None:
        del rows
        halves = halve(view, work.spine, chunk)
        if not halves:
            raise too_large(work.budget.query.call) from problem
        for half in halves:
            _answer_chunk(work, half, answers)


def _put_answer(
    work: _ViewWork, chunk: Chunk, rows: LazyRows, answers: Mapping[str, AnswerColumn]
) -> pa.ArrowInvalid | None:
    """Answer a chunk; return Arrow's error if a column has too many bytes for its arrays."""
    try:
        answer = _kernel_answer(work, chunk, rows)
    except pa.ArrowInvalid as error:
        if is_too_large(error):
            return error
        raise
    columns = dict(zip(answer.column_names, answer.columns, strict=True))
    work.size.add(columns, len(chunk.spine))
    chunk_rows = ChunkRows(chunk.positions)
    for name in work.view.outputs:
        answers[name].put(chunk_rows, columns[name])
    return None


def _kernel_answer(work: _ViewWork, chunk: Chunk, rows: LazyRows) -> pa.Table:
    try:
        return answer_view(work.view, chunk.spine, rows)
    except SumOverflowError as error:
        row = None if error.row is None else int(chunk.positions[error.row])
        raise error.within(work.budget.query.call, row) from None


def _halves(work: _ViewWork, chunk: Chunk, stored_rows: int) -> list[Chunk]:
    halves = halve(work.view, work.spine, chunk)
    if not halves:
        key, name = chunk.bounds.key, f"view {work.view.view!r}"
        name = name if key is None else f"{name} with {key}={chunk.bounds.key_low!r}"
        raise work.budget.refusal(work.cost, name, stored_rows, len(chunk.positions))
    return halves


def _let_c_library_keep_memory() -> None:
    """Let the C library keep the memory that the kernel frees, for the kernel's next arrays."""
    # PERF: the GNU C library returns freed memory to the system above a limit. It raises the limit
    # to the size of the largest block that was freed, up to 32 MiB (mallopt(3),
    # M_MMAP_THRESHOLD). To get such memory again takes a quarter to a third of the time of windows
    # (ADR 11). With another C library this does nothing.
    np.empty(_FREED_BLOCK, np.uint8)


def _check_contract(
    query: Query, spine: pa.Table, columns: Mapping[str, pa.Array | pa.ChunkedArray]
) -> None:
    if tuple(columns) != query.outputs:
        raise ContractError(
            query.call,
            f"the answer has the columns {tuple(columns)}, not {query.outputs}",
            "This is a bug. Please report it.",
        )
    for name, column in columns.items():
        if len(column) != spine.num_rows:
            raise ContractError(
                query.call,
                f"feature {name!r} has {len(column)} rows for {spine.num_rows} spine rows",
                "This is a bug. Please report it.",
            )
