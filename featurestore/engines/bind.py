"""Binding: the keys and times of the user's spine, in the types that a query needs.

Values that cannot be converted exactly are refused here, before any table is opened.
"""

from datetime import tzinfo
from functools import partial, singledispatch

import pyarrow as pa

from featurestore.definitions.model.types import (
    Boolean,
    DataType,
    Date,
    Int32,
    Int64,
    Scalar,
    String,
)
from featurestore.engines.arrays import decoded, first_failure, is_text
from featurestore.engines.spine_times import (
    NullTimes,
    bind_times,
    check_null_times,
    row_name,
)
from featurestore.errors import SpineError, nearest
from featurestore.query.nodes import KeyBinding, Query, ViewQuery

OTHER_TIME = "If the time column has another name, pass it as timestamp_field=."


def bind(
    query: Query,
    spine: pa.Table,
    *,
    timezone: str | tzinfo | None = None,
    null_times: NullTimes = "error",
) -> pa.Table:
    """Return the spine's key and time columns in the types that the kernel takes.

    Args:
        query: The query.
        spine: The user's rows.
        timezone: The time zone of naive times; None refuses naive times.
        null_times: ``"keep"`` answers rows without a time with nulls; ``"error"`` refuses them.

    Returns:
        A row for each spine row, in order: integer keys as int64, strings as string, times as UTC
        microseconds.

    Raises:
        SpineError: A column is missing, a key has another type, a time is naive, null or finer
            than a microsecond, or a feature has the name of a spine column.
        RequestError: There is no time zone of that name.

    Example:
        >>> bind(Query("ask", ()), pa.table({"x": [1, 2]})).num_rows
        2
    """
    _check_names(query, spine)
    columns = {}
    for view in query.views:
        for key in view.keys:
            role = f"join key of view {view.view!r}"
            column = column_of(query, spine, key.spine_column, role, _other_key(key))
            columns[key.spine_column] = _bind_key(query, key, column)
        if view.timestamp_field not in columns:
            column = time_column_of(query, spine, view)
            times = bind_times(query.call, view.timestamp_field, column, timezone)
            check_null_times(query.call, view.timestamp_field, times, null_times)
            columns[view.timestamp_field] = times
    # A table of no columns would lose the number of rows.
    return pa.table(columns) if columns else spine.select([])


def _check_names(query: Query, spine: pa.Table) -> None:
    twice = [name for name in spine.column_names if spine.column_names.count(name) > 1]
    if twice:
        raise SpineError(
            query.call, f"the spine has two columns named {twice[0]!r}", "Rename one of them."
        )
    for view in query.views:
        for name in view.outputs:
            if name in spine.column_names:
                raise SpineError(
                    query.call,
                    f"feature {name!r} of view {view.view!r} has the name of a spine column",
                    "Rename the spine's column, or use view.with_prefix('...') in the service.",
                )
    keys = {key.spine_column for view in query.views for key in view.keys}
    for view in query.views:
        if view.timestamp_field in keys:
            raise SpineError(
                query.call,
                f"column {view.timestamp_field!r} is a join key and the time column at once",
                OTHER_TIME,
            )


def column_of(
    query: Query, spine: pa.Table, name: str, role: str, fix: str = OTHER_TIME
) -> pa.ChunkedArray:
    """Return a column of the spine.

    Args:
        query: The query, for errors.
        spine: The spine.
        name: The column's name.
        role: What the query uses the column for, for errors.
        fix: What to do if the column has another name, for errors.

    Raises:
        SpineError: The spine does not have the column.
    """
    if name in spine.column_names:
        return spine[name]
    raise SpineError(
        query.call,
        f"the spine has no column {name!r}, the {role}",
        f"{nearest(name, spine.column_names)} {fix}",
    )


def time_column_of(query: Query, spine: pa.Table, view: ViewQuery) -> pa.ChunkedArray:
    """Return the spine's time column of a view.

    Raises:
        SpineError: The spine does not have the column.
    """
    name = view.timestamp_field
    if name == query.timestamp_field:
        return column_of(query, spine, name, "time column")
    role = f"time column of view {view.view!r} by .at({name!r}) in the service"
    fix = f"Add the column to the spine, or write another name in the service's .at({name!r})."
    return column_of(query, spine, name, role, fix)


def _other_key(key: KeyBinding) -> str:
    return (
        f"If the key column has another name, rename it to {key.spine_column!r}, or map it with "
        f"view.with_join_keys({{{key.key!r}: ...}}) in a service."
    )


def _bind_key(query: Query, key: KeyBinding, column: pa.ChunkedArray) -> pa.ChunkedArray:
    plain, target = decoded(column), _canonical(key.dtype)
    if pa.types.is_null(plain.type):
        return pa.chunked_array([pa.nulls(len(plain), target)])
    if not _matches(key.dtype, plain.type):
        raise SpineError(
            query.call,
            f"column {key.spine_column!r} has type {plain.type}, "
            f"the join key {key.key!r} has type {key.dtype}",
            _cast_advice(key, plain.type),
        )
    convert = partial(_cast, target)
    try:
        return convert(plain)
    except pa.ArrowInvalid as error:
        position = first_failure(plain, convert)
        raise SpineError(
            query.call,
            f"column {key.spine_column!r} has a value in {row_name(position)} that does not fit "
            f"the join key, which has type {key.dtype}: {error}",
            "Remove these rows, or set the value to null.",
        ) from None


def _cast(target: pa.DataType, values: pa.ChunkedArray) -> pa.ChunkedArray:
    cast = values.cast(target)
    if is_text(target):
        # Other libraries may hand over bytes that are no UTF-8 as text.
        cast.validate(full=True)
    return cast


def _cast_advice(key: KeyBinding, dtype: pa.DataType) -> str:
    if pa.types.is_floating(dtype):
        return (
            "Float keys cannot be compared exactly. Cast the column first, e.g. "
            f"spine['{key.spine_column}'].astype('Int64') in pandas (nulls stay nulls)."
        )
    return f"Cast the spine's column to {_canonical(key.dtype)}."


@singledispatch
def _canonical(dtype: DataType) -> pa.DataType:
    raise TypeError(dtype)


@_canonical.register
def _(dtype: Scalar) -> pa.DataType:
    return {
        Int32: pa.int64(),
        Int64: pa.int64(),
        String: pa.string(),
        Boolean: pa.bool_(),
        Date: pa.date32(),
    }[dtype]


def _matches(dtype: DataType, column_type: pa.DataType) -> bool:
    if dtype in (Int32, Int64):
        # DuckDB's HUGEINT comes as a decimal without digits after the point.
        is_whole = pa.types.is_decimal(column_type) and column_type.scale == 0
        return bool(pa.types.is_integer(column_type) or is_whole)
    if dtype == String:
        return is_text(column_type)
    if dtype == Date:
        return bool(pa.types.is_date(column_type))
    return bool(column_type == _canonical(dtype))
