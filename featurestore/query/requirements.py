"""The stored columns, and the times of the stored rows, that a use of a view needs."""

from featurestore.definitions.model.types import DataType, Timestamp
from featurestore.definitions.reserved import (
    AVAILABLE_TIME,
    DELETED,
    EVENT_TIME,
    ROW_HASH,
    SEQUENCE,
)
from featurestore.query.nodes import Query, ViewQuery


def needed_columns(query: ViewQuery) -> list[str]:
    """Return the names of the stored columns that the kernel needs, each once.

    Args:
        query: The use of the view.

    Example:
        >>> needed_columns(ViewQuery("v", keys=(), timestamp_field="t"))
        ['event_timestamp', 'available_timestamp', '_row_hash']
    """
    names = [
        *(binding.key for binding in query.keys),
        EVENT_TIME,
        AVAILABLE_TIME,
        *([SEQUENCE] if query.rows.has_sequence else []),
        *([DELETED] if query.rows.has_deleted else []),
        *query.rows.unique_by,
        *query.value_columns,
        ROW_HASH,
    ]
    return list(dict.fromkeys(names))


def spine_types(query: Query) -> dict[str, DataType]:
    """Return the declared types of the spine's columns that a query needs, by their names.

    A column that is a join key has the key's type, whatever else it is.

    Args:
        query: The query.

    Example:
        >>> from featurestore.definitions.model.types import Int64
        >>> from featurestore.query.nodes import KeyBinding
        >>> view = ViewQuery("v", keys=(KeyBinding("id", "card", Int64),), timestamp_field="at")
        >>> {name: str(dtype) for name, dtype in spine_types(Query("call", (view,))).items()}
        {'at': 'Timestamp', 'card': 'Int64'}
    """
    types: dict[str, DataType] = {view.timestamp_field: Timestamp for view in query.views}
    for node in query.on_demand:
        types |= {each.column: each.dtype for each in node.request_inputs}
    types |= {key.spine_column: key.dtype for view in query.views for key in view.keys}
    return types


def time_bounds(query: ViewQuery, first: int, last: int) -> tuple[int | None, int | None]:
    """Return the earliest and the latest event time that can change an answer.

    A view with ``unique_by`` has no earliest time, because a revision may move an event in time.

    Args:
        query: The use of the view.
        first: The earliest moment of the spine, in UTC microseconds.
        last: The latest moment.

    Returns:
        Two times in UTC microseconds; None for no bound.

    Example:
        >>> from featurestore.definitions.model.types import Float64
        >>> from featurestore.query.nodes import Column
        >>> x = Column("x", "x", Float64)
        >>> query = ViewQuery("v", keys=(), timestamp_field="t", columns=(x,), ttl=5)
        >>> time_bounds(query, 100, 200)
        (95, 200)
    """
    if query.rows.unique_by:
        return None, last
    reaches: list[int | None] = [
        None
        if window.size is None
        # On a grid, a window may have ended almost one step earlier.
        else window.size + window.delay + (window.every or 0)
        for window in (aggregate.window for aggregate in query.aggregates)
    ]
    if query.columns:
        reaches.append(query.ttl)
    finite = [reach for reach in reaches if reach is not None]
    return (first - max(finite) if finite and len(finite) == len(reaches) else None), last


def time_columns(query: Query) -> list[str]:
    """Return the spine's columns that hold the moments of a query.

    Example:
        >>> time_columns(Query("call", ()))
        []
    """
    on_demand = [query.timestamp_field for _ in query.on_demand]
    return list(dict.fromkeys([*(view.timestamp_field for view in query.views), *on_demand]))
