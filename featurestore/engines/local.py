"""The engine in process: chunks of the query run in threads, each reading its own part."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from operator import methodcaller

import pyarrow as pa

from featurestore.definitions.types import DataType, String
from featurestore.engines.arrange import Arranged, arrange
from featurestore.engines.chunks import Chunk, cut
from featurestore.engines.collect import Collector, collector
from featurestore.engines.kernel import answer_view
from featurestore.engines.memory import rows_at_once
from featurestore.engines.scan import open_rows
from featurestore.errors import ContractError
from featurestore.query.nodes import Query, ViewQuery
from featurestore.store.columns import arrow_type
from featurestore.store.snapshot import Snapshot


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
        RequestError: The memory limit is too small to work in.
    """
    threads = os.cpu_count() or 1
    at_once = rows_per_chunk or rows_at_once(query, spine, memory_limit, threads)
    arranged = _arranged(query, spine)
    answers = {
        feature.output: collector(spine.num_rows, arrow_type(feature.result))
        for view in query.views
        for feature in view.features
    }
    with ThreadPoolExecutor(threads) as pool:
        work = [
            pool.submit(_answer_chunk, view, snapshots[view.view], chunk, answers)
            for view in query.views
            for chunk in cut(view, arranged[_order(view)], snapshots[view.view], at_once)
        ]
        for chunk in work:
            chunk.result()
        columns = dict(
            zip(answers, pool.map(methodcaller("finish"), answers.values()), strict=True)
        )
    _check_contract(query, spine, columns)
    return pa.table(columns) if columns else spine.select([])


_Order = tuple[tuple[tuple[str, DataType], ...], str]


def _order(view: ViewQuery) -> _Order:
    """Return what a view wants the spine to be sorted by."""
    return tuple((key.spine_column, key.dtype) for key in view.keys), view.timestamp_field


def _arranged(query: Query, spine: pa.Table) -> dict[_Order, Arranged]:
    views = {_order(view): view for view in query.views}
    return {order: arrange(view, spine) for order, view in views.items()}


def _answer_chunk(
    view: ViewQuery, snapshot: Snapshot, chunk: Chunk, answers: Mapping[str, Collector]
) -> None:
    text = tuple(key.key for key in view.keys if key.dtype == String)
    rows = open_rows(snapshot, chunk.bounds, chunk.wanted, text)
    answer = answer_view(view, chunk.spine, rows)
    for name in view.outputs:
        answers[name].put(chunk.places, answer[name])


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
