"""Explaining a cell of an answer: its key's stored rows are read again, from the same versions."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from featurestore.engines.explain import Explanation, explain_cell
from featurestore.engines.naive.rows import Row
from featurestore.engines.scan import Bounds, needed_columns, read_rows
from featurestore.query.nodes import Aggregate, Column, Query, ViewQuery
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME
from featurestore.store.snapshot import Snapshot

_TIMES = (EVENT_TIME, AVAILABLE_TIME)


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
    times = list(dict.fromkeys(each.timestamp_field for each in query.views))
    asked = _plain(bound.slice(row, 1), times)[0]
    return explain_cell(view, wanted, asked, _rows_of_key(view, asked, snapshots[view.view]))


def _find(query: Query, feature: str) -> tuple[ViewQuery, Column | Aggregate]:
    found = [(v, each) for v in query.views for each in v.features if each.output == feature]
    return found[0]


def _rows_of_key(view: ViewQuery, asked: Row, snapshot: Snapshot) -> list[Row]:
    values = {key.key: asked[key.spine_column] for key in view.keys}
    if None in values.values():
        return []
    first = view.keys[0].key if view.keys else None
    bounds = Bounds(first, values.get(str(first)), values.get(str(first)))
    rows = _plain(read_rows(snapshot, needed_columns(view), bounds), _TIMES)
    return [row for row in rows if all(row[name] == value for name, value in values.items())]


def _plain(table: pa.Table, times: "tuple[str, ...] | list[str]") -> list[dict[str, Any]]:
    """Rows as dicts, the named times as UTC microseconds."""
    for name in times:
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].cast(pa.int64()))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
