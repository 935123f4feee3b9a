"""Explaining a cell of an answer: its key's stored rows are read again, from the same versions."""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from featurestore.engines.explain.cell import Explanation, explain_cell
from featurestore.engines.explain.stored_rows import plain_rows, rows_of_keys
from featurestore.engines.reference.rows import spine_key
from featurestore.query.nodes import Aggregate, Column, Query, ViewQuery
from featurestore.store.delta.snapshot import Snapshot


def explain_bound(
    query: Query, bound: pa.Table, snapshots: Mapping[str, Snapshot], row: int, feature: str
) -> Explanation:
    """Return why a feature has its value at one row of a bound spine.

    Args:
        query: What was asked.
        bound: The bound spine.
        snapshots: The pinned tables that were read.
        row: The row's number.
        feature: The feature's name; one of the query's.
    """
    view, wanted = _find(query, feature)
    times = [each.timestamp_field for each in query.views]
    spine_row = plain_rows(bound.slice(row, 1), times)[0]
    snapshot = snapshots[view.view]
    [(_, rows)] = rows_of_keys(view, snapshot, [spine_key(view, spine_row)])
    return replace(explain_cell(view, wanted, spine_row, rows or ()), version=snapshot.version)


def _find(query: Query, feature: str) -> tuple[ViewQuery, Column | Aggregate]:
    found = [(v, each) for v in query.views for each in v.features if each.output == feature]
    return found[0]
