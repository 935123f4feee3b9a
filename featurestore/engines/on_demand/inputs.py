"""The inputs of on-demand transforms that come with the spine: request values and moments."""

from datetime import tzinfo

import pyarrow as pa

from featurestore.definitions.model.types import Timestamp
from featurestore.definitions.reserved import EVENT_TIME
from featurestore.engines.arrays import first_failure
from featurestore.engines.bind import column_of
from featurestore.engines.on_demand.exact import cast_exactly, type_mismatch
from featurestore.engines.spine_times import (
    NullTimes,
    bind_times,
    check_null_times,
    row_name,
)
from featurestore.errors import SpineError, nearest
from featurestore.query.nodes import Input, OnDemand, Query


def bind_request_inputs(
    query: Query,
    spine: pa.Table,
    *,
    timezone: str | tzinfo | None = None,
    null_times: NullTimes = "error",
) -> list[pa.Table]:
    """Return the inputs that come with the spine, for each on-demand node of a query.

    Args:
        query: The query.
        spine: The user's rows.
        timezone: The time zone of naive times; None refuses naive times.
        null_times: ``"error"`` refuses rows without a moment; ``"keep"`` keeps them.

    Returns:
        For each node, a table with one column for each input, under the transform's own name.

    Raises:
        SpineError: A column is missing or has another type than declared, a value does not fit
            in the declared type exactly, or a column has the name of a feature.

    Example:
        >>> bind_request_inputs(Query("call", ()), pa.table({"x": [1, 2]}))
        []
    """
    _check_names(query, spine)
    tables = [
        pa.table(
            {each.name: _bound(query, node, each, spine, timezone) for each in node.request_inputs}
        )
        for node in query.on_demand
    ]
    for table in tables:
        check_null_times(query.call, query.timestamp_field, table[EVENT_TIME], null_times)
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
    query: Query, node: OnDemand, needed: Input, spine: pa.Table, timezone: str | tzinfo | None
) -> pa.ChunkedArray:
    name = needed.column
    if needed.source and name not in spine.column_names:
        raise SpineError(
            query.call,
            f"the spine has no column {name!r}. On-demand view {node.view!r} needs it as a value "
            f"of request source {needed.source!r}",
            f"{nearest(name, spine.column_names)} Add the column to the spine.",
        )
    column = column_of(query, spine, name, "time column")
    if needed.dtype == Timestamp:
        return bind_times(query.call, name, column, timezone)
    problem = type_mismatch(column.type, needed.dtype)
    try:
        if not problem:
            return cast_exactly(column, needed.dtype)
    except pa.ArrowInvalid as error:
        wrong = first_failure(column, lambda part: cast_exactly(part, needed.dtype))
        problem = f"its declared type is {needed.dtype}, but in {row_name(wrong)}: {error}"
    raise SpineError(
        query.call,
        f"column {name!r} of request source {needed.source!r}, for on-demand view "
        f"{node.view!r}: {problem}",
        f"Cast spine['{name}'] to {needed.dtype} first.",
    )
