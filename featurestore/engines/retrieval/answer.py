"""The engine in process: chunks of the query run in threads, each reading its own part."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from featurestore.definitions.model.types import String
from featurestore.engines.kernel import answer_view
from featurestore.engines.retrieval.budget import Budget, budget
from featurestore.engines.retrieval.chunks import Chunk, cut, halved
from featurestore.engines.retrieval.cost import Need
from featurestore.engines.retrieval.lazy_rows import StoredRows
from featurestore.engines.retrieval.scan import open_rows
from featurestore.engines.retrieval.scatter import Collector, Places, collectors
from featurestore.engines.retrieval.spine_order import Arranged, Order, arrange, order_of
from featurestore.engines.retrieval.threads import run_all
from featurestore.errors import ContractError, SumOverflowError
from featurestore.query.nodes import Query, ViewQuery
from featurestore.store.columns import arrow_type
from featurestore.store.delta.snapshot import Snapshot

_LARGEST_LEARNT = 31 << 20


def answer(
    query: Query,
    spine: pa.Table,
    snapshots: Mapping[str, Snapshot],
    *,
    memory_limit: int | None = None,
    rows_per_chunk: int | None = None,
) -> pa.Table:
    """Return the features of every spine row, in the spine's order.

    Args:
        query: What is asked.
        spine: The bound spine (see `featurestore.engines.bind`).
        snapshots: The pinned table of each view, by name.
        memory_limit: In bytes, what this may take; None for no limit.
        rows_per_chunk: About how many stored rows a thread reads at once; None for what is quick
            and keeps within the limit.

    Returns:
        One column a feature, one row a spine row.

    Raises:
        ContractError: An answer has not exactly one row for each spine row: a bug.
        SumOverflowError: A window's sum does not fit its type.
        RequestError: The memory limit is too small to work in.
    """
    allowed = budget(query, spine, snapshots, memory_limit, os.cpu_count() or 1)
    arranged = _arranged(query, spine, allowed.threads)
    answers: dict[str, Collector] = {}
    for view in query.views:
        types = {feature.output: arrow_type(feature.result) for feature in view.features}
        answers |= collectors(spine.num_rows, types)
    _keep_freed_memory()
    tasks = (
        _Task(view, arranged[order_of(view)], snapshots[view.view], need, allowed)
        for view, need in zip(query.views, allowed.needs, strict=True)
    )
    chunks = (
        partial(_answer_chunk, task, chunk, answers)
        for task in tasks
        for chunk in cut(
            task.view,
            task.spine,
            task.snapshot,
            rows_per_chunk or allowed.rows_at_once(task.need),
        )
    )
    run_all(chunks, allowed.threads)
    finished = run_all((column.finish for column in answers.values()), allowed.threads)
    columns = dict(zip(answers, finished, strict=True))
    _check_contract(query, spine, columns)
    return pa.table(columns) if columns else spine.select([])


def _arranged(query: Query, spine: pa.Table, threads: int) -> dict[Order, Arranged]:
    views = {order_of(view): view for view in query.views}
    return {order: arrange(view, spine, threads) for order, view in views.items()}


@dataclass(frozen=True)
class _Task:
    view: ViewQuery
    spine: Arranged
    snapshot: Snapshot
    need: Need
    allowed: Budget


def _answer_chunk(task: _Task, chunk: Chunk, answers: Mapping[str, Collector]) -> None:
    """Answer a chunk, or its halves one by one if it turns out not to fit the memory limit."""
    view, room = task.view, task.allowed.room
    text = tuple(key.key for key in view.keys if key.dtype == String)
    kept = task.allowed.keys_kept(task.need)
    with room.taken(task.need.looking(kept)):
        rows = open_rows(task.snapshot, chunk.bounds, chunk.wanted, text, keys_kept=kept)
    stored = rows.num_rows
    size = task.need.of(stored, len(chunk.places))
    if not room.fits(size):
        del rows  # the keys that were read
        for half in _halves(task, chunk, stored):
            _answer_chunk(task, half, answers)
        return
    with room.taken(size):
        answer = _answered(task, chunk, rows)
        places = Places(chunk.places)
        for name in view.outputs:
            answers[name].put(places, answer[name])


def _answered(task: _Task, chunk: Chunk, rows: StoredRows) -> pa.Table:
    try:
        return answer_view(task.view, chunk.spine, rows)
    except SumOverflowError as error:
        row = None if error.row is None else int(chunk.places[error.row])
        raise error.within(task.allowed.query.call, row) from None


def _halves(task: _Task, chunk: Chunk, stored: int) -> list[Chunk]:
    halves = halved(task.view, task.spine, chunk)
    if not halves:
        key, whose = chunk.bounds.key, f"view {task.view.view!r}"
        whose = whose if key is None else f"{key}={chunk.bounds.key_low!r} of {whose}"
        task.allowed.refuse(task.need, whose, stored, len(chunk.places))
    return halves


def _keep_freed_memory() -> None:
    """Let the C library keep what the kernel frees, for the arrays that come next.

    The GNU C library gives freed memory back to the system beyond a bound that it learns from
    the largest block it has seen freed, up to 32 MiB (mallopt(3), ``M_MMAP_THRESHOLD``). To get
    such pages anew takes a third of the time of windows. Elsewhere this does nothing.
    """
    np.empty(_LARGEST_LEARNT, np.uint8)


def _check_contract(query: Query, spine: pa.Table, columns: Mapping[str, pa.Array]) -> None:
    if tuple(columns) != query.outputs:
        raise ContractError(query.call, f"answered {tuple(columns)}", "Please report this.")
    for name, column in columns.items():
        if len(column) != spine.num_rows:
            raise ContractError(
                query.call,
                f"feature {name!r} has {len(column)} rows for {spine.num_rows} of the spine",
                "Please report this.",
            )
