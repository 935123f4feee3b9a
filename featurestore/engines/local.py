"""The engine in process: chunks of the query run in threads, each reading its own part."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from featurestore.engines.chunks import ROWS_PER_CHUNK, Chunk, cut
from featurestore.engines.kernel import answer_view
from featurestore.engines.scan import needed_columns, read_rows
from featurestore.errors import ContractError
from featurestore.query.nodes import Query, ViewQuery
from featurestore.store.columns import arrow_type
from featurestore.store.snapshot import Snapshot


def answer(
    query: Query,
    spine: pa.Table,
    snapshots: Mapping[str, Snapshot],
    *,
    rows_per_chunk: int = ROWS_PER_CHUNK,
) -> pa.Table:
    """Return the features of every spine row, in the spine's order.

    Args:
        query: What is asked.
        spine: The bound spine (see `featurestore.engines.bind`).
        snapshots: The pinned table of each view, by name.
        rows_per_chunk: About how many stored rows are read at once.

    Returns:
        One column a feature, one row a spine row.

    Raises:
        ContractError: An answer has not exactly one row for each spine row: a bug.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pending = [
            (view, _submit(pool, view, spine, snapshots[view.view], rows_per_chunk))
            for view in query.views
        ]
        answers = [_gather(view, spine.num_rows, work) for view, work in pending]
    columns = {name: part[name] for part in answers for name in part.column_names}
    _check_contract(query, spine, columns)
    return pa.table(columns) if columns else spine.select([])


Work = list[tuple[Chunk, "Callable[[], pa.Table]"]]


def _submit(
    pool: ThreadPoolExecutor, query: ViewQuery, spine: pa.Table, snapshot: Snapshot, rows: int
) -> Work:
    return [
        (chunk, pool.submit(_answer_chunk, query, spine, snapshot, chunk).result)
        for chunk in cut(query, spine, snapshot, rows)
    ]


def _answer_chunk(query: ViewQuery, spine: pa.Table, snapshot: Snapshot, chunk: Chunk) -> pa.Table:
    part = spine.select(_spine_columns(query))
    if chunk.spine_rows is not None:
        part = part.take(chunk.spine_rows)
    return answer_view(query, part, read_rows(snapshot, needed_columns(query), chunk.bounds))


def _spine_columns(query: ViewQuery) -> list[str]:
    names = [*(key.spine_column for key in query.keys), query.timestamp_field]
    return list(dict.fromkeys(names))


def _gather(query: ViewQuery, rows: int, work: Work) -> pa.Table:
    """Put the answers into the spine's order; rows in no chunk have a null key or no time."""
    if len(work) == 1 and work[0][0].spine_rows is None:
        return work[0][1]()
    parts = [result() for _, result in work]
    places = [np.asarray(chunk.spine_rows) for chunk, _ in work]
    answered = np.concatenate(places) if places else np.empty(0, dtype=np.int64)
    position = np.full(rows, len(answered), dtype=np.int64)
    position[answered] = np.arange(len(answered))
    return pa.concat_tables([*parts, _unanswered(query)]).take(pa.array(position))


def _unanswered(query: ViewQuery) -> pa.Table:
    """One row of nulls: what a spine row gets whose key or time is null, counts included."""
    types = [arrow_type(feature.result) for feature in query.features]
    return pa.table([pa.nulls(1, kind) for kind in types], names=list(query.outputs))


def _check_contract(query: Query, spine: pa.Table, columns: Mapping[str, pa.ChunkedArray]) -> None:
    if tuple(columns) != query.outputs:
        raise ContractError(query.asked, f"answered {tuple(columns)}", "Please report this.")
    for name, column in columns.items():
        if len(column) != spine.num_rows:
            raise ContractError(
                query.asked,
                f"feature {name!r} has {len(column)} rows for {spine.num_rows} of the spine",
                "Please report this.",
            )
