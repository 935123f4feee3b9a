"""Explanations of answers: the stored rows of a cell's key are read again, from pinned tables."""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from featurestore.engines.explain.cell import Explanation, explain_cell
from featurestore.engines.explain.first_run import EarlyRows
from featurestore.engines.explain.stored_rows import plain_rows, rows_of_keys
from featurestore.engines.reference.rows import spine_key
from featurestore.query.nodes import Aggregate, Column, Query, ViewQuery
from featurestore.store.delta.snapshot import Snapshot


def explain_bound(
    query: Query,
    bound: pa.Table,
    snapshots: Mapping[str, Snapshot],
    early: Mapping[str, EarlyRows],
    row: int,
    feature: str,
) -> Explanation:
    """Return why a feature has its value at one row of a bound spine.

    Args:
        query: The query.
        bound: The bound spine.
        snapshots: The pinned table of each view that the answer was read from, by name.
        early: The spine rows before the first runs of snapshot views.
        row: The row's number in the spine.
        feature: The name of one of the query's features.
    """
    view, node = _feature_node(query, feature)
    times = [each.timestamp_field for each in query.views]
    spine_row = plain_rows(bound.slice(row, 1), times)[0]
    snapshot = snapshots[view.view]
    [(_, rows)] = rows_of_keys(view, snapshot, [spine_key(view, spine_row)])
    explained = explain_cell(view, node, spine_row, rows or ())
    before, moment = early.get(view.view), spine_row[view.timestamp_field]
    text = explained.text
    if before is not None and explained.reason == "no_row" and moment < before.first_run:
        text = f"{text}. {before.reason}"
    return replace(explained, version=snapshot.version, text=text)


def _feature_node(query: Query, feature: str) -> tuple[ViewQuery, Column | Aggregate]:
    """Return the feature of this name, with the use of a view that it belongs to."""
    return next(
        (view, each) for view in query.views for each in view.features if each.output == feature
    )
