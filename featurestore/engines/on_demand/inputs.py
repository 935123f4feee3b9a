"""What on-demand transforms take from the spine itself: request values, and each row's moment."""

import pyarrow as pa

from featurestore.definitions.model.types import Timestamp
from featurestore.definitions.reserved import EVENT_TIME
from featurestore.engines.bind import NullTimes, bind_times, check_null_times, column_of
from featurestore.engines.on_demand.exact import exactly, misfit
from featurestore.errors import SpineError, nearest
from featurestore.query.nodes import Input, OnDemand, Query


def bind_request_inputs(
    query: Query,
    spine: pa.Table,
    *,
    timezone: str | None = None,
    null_times: NullTimes = "error",
) -> list[pa.Table]:
    """Return, for each on-demand view of a query, its inputs that come with the spine.

    Args:
        query: What is asked.
        spine: The user's rows.
        timezone: The zone of naive times; None refuses them.
        null_times: Whether rows without a time are refused, or keep a null one.

    Returns:
        By node, one column an input, under the name that the transform uses.

    Raises:
        SpineError: A column is missing, has another type than declared, holds a value that the
            declared type cannot have exactly, or has a feature's name.

    Example:
        >>> bind_request_inputs(Query("ask", ()), pa.table({"x": [1, 2]}))
        []
    """
    _check_names(query, spine)
    tables = [
        pa.table({each.name: _bound(query, node, each, spine, timezone) for each in node.given})
        for node in query.on_demand
    ]
    for table in tables:
        check_null_times(query, query.timestamp_field, table[EVENT_TIME], null_times)
    return tables


def _check_names(query: Query, spine: pa.Table) -> None:
    for node in query.on_demand:
        for each in node.outputs:
            if each.output in spine.column_names:
                raise SpineError(
                    query.call,
                    f"feature {each.output!r} of on-demand view {node.view!r} has the name of a "
                    "spine column",
                    "Rename the spine's column, or use view.with_prefix('...') in the service.",
                )


def _bound(
    query: Query, node: OnDemand, wanted: Input, spine: pa.Table, timezone: str | None
) -> pa.ChunkedArray:
    if wanted.source and wanted.column not in spine.column_names:
        raise SpineError(
            query.call,
            f"there is no column {wanted.column!r}, which comes with the request as source "
            f"{wanted.source!r} says, for on-demand view {node.view!r}",
            f"{nearest(wanted.column, spine.column_names)} Give it with each row.",
        )
    column = column_of(query, spine, wanted.column, "time column")
    if wanted.dtype == Timestamp:
        return bind_times(query, wanted.column, column, timezone)
    problem = misfit(column.type, wanted.dtype)
    try:
        if not problem:
            return exactly(column, wanted.dtype)
    except pa.ArrowInvalid as error:
        problem = str(error)
    raise SpineError(
        query.call,
        f"column {wanted.column!r} is not as source {wanted.source!r} declares it for on-demand "
        f"view {node.view!r}: {problem}",
        f"Cast it first, e.g. spine['{wanted.column}'].astype(...) in pandas.",
    )
