"""The engine in process: chunks of the query run in threads, each reading its own part."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from featurestore.definitions.types import String
from featurestore.engines.arrange import Arranged, Order, arrange, order_of
from featurestore.engines.chunks import Chunk, cut
from featurestore.engines.collect import Collector, collectors
from featurestore.engines.kernel import answer_view
from featurestore.engines.memory import Budget, budget
from featurestore.engines.scan import open_rows
from featurestore.engines.workers import run_all
from featurestore.errors import ContractError, SumOverflowError
from featurestore.query.nodes import Query, ViewQuery
from featurestore.store.columns import arrow_type
from featurestore.store.snapshot import Snapshot

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
    allowed = budget(query, spine, memory_limit, os.cpu_count() or 1)
    arranged = _arranged(query, spine)
    answers: dict[str, Collector] = {}
    for view in query.views:
        types = {feature.output: arrow_type(feature.result) for feature in view.features}
        answers |= collectors(spine.num_rows, types)
    _keep_freed_memory()
    chunks = (
        partial(
            _answer_chunk, _Task(query.asked, view, snapshots[view.view], chunk, allowed), answers
        )
        for view in query.views
        for chunk in cut(
            view,
            arranged[order_of(view)],
            snapshots[view.view],
            rows_per_chunk or allowed.rows_at_once(view),
        )
    )
    run_all(chunks, allowed.threads)
    finished = run_all((column.finish for column in answers.values()), allowed.threads)
    columns = dict(zip(answers, finished, strict=True))
    _check_contract(query, spine, columns)
    return pa.table(columns) if columns else spine.select([])


def _arranged(query: Query, spine: pa.Table) -> dict[Order, Arranged]:
    views = {order_of(view): view for view in query.views}
    return {order: arrange(view, spine) for order, view in views.items()}


@dataclass(frozen=True)
class _Task:
    asked: str
    view: ViewQuery
    snapshot: Snapshot
    chunk: Chunk
    allowed: Budget


def _answer_chunk(task: _Task, answers: Mapping[str, Collector]) -> None:
    view, chunk = task.view, task.chunk
    text = tuple(key.key for key in view.keys if key.dtype == String)
    rows = open_rows(task.snapshot, chunk.bounds, chunk.wanted, text)
    task.allowed.check(view, rows.num_rows)
    try:
        answer = answer_view(view, chunk.spine, rows)
    except SumOverflowError as error:
        row = None if error.row is None else int(chunk.places[error.row])
        raise error.within(task.asked, row) from None
    for name in view.outputs:
        answers[name].put(chunk.places, answer[name])


def _keep_freed_memory() -> None:
    """Let the C library keep what the kernel frees, for the arrays that come next.

    The GNU C library gives freed memory back to the system beyond a bound that it learns from
    the largest block it has seen freed, up to 32 MiB (mallopt(3), ``M_MMAP_THRESHOLD``). To get
    such pages anew takes a third of the time of windows. Elsewhere this does nothing.
    """
    np.empty(_LARGEST_LEARNT, np.uint8)


def _check_contract(query: Query, spine: pa.Table, columns: Mapping[str, pa.Array]) -> None:
    if tuple(columns) != query.outputs:
        raise ContractError(query.asked, f"answered {tuple(columns)}", "Please report this.")
    for name, column in columns.items():
        if len(column) != spine.num_rows:
            raise ContractError(
                query.asked,
                f"feature {name!r} has {len(column)} rows for {spine.num_rows} of the spine",
                "Please report this.",
            )
