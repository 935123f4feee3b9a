"""Binding: the keys and times of the user's spine, in the types that a query needs.

Values that cannot be converted exactly are refused here, before any table is opened.
"""

from functools import singledispatch
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.definitions.model.types import (
    Boolean,
    DataType,
    Date,
    Int32,
    Int64,
    Scalar,
    String,
)
from featurestore.errors import RequestError, SpineError, nearest
from featurestore.query.nodes import KeyBinding, Query, ViewQuery
from featurestore.store.columns import UTC_MICROS
from featurestore.times import timezone_problem

NullTimes = Literal["error", "keep"]

OTHER_TIME = "If the time column has another name, pass it as timestamp_field=."
_NANOS_PER_MICRO = 1000


def bind(
    query: Query,
    spine: pa.Table,
    *,
    timezone: str | None = None,
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
            times = bind_times(query, view.timestamp_field, column, timezone)
            check_null_times(query, view.timestamp_field, times, null_times)
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
    plain = _decoded(column)
    if pa.types.is_null(plain.type):
        return pa.chunked_array([pa.nulls(len(plain), _canonical(key.dtype))])
    if not _matches(key.dtype, plain.type):
        raise SpineError(
            query.call,
            f"column {key.spine_column!r} has type {plain.type}, "
            f"the join key {key.key!r} has type {key.dtype}",
            _cast_advice(key, plain.type),
        )
    try:
        return plain.cast(_canonical(key.dtype))
    except pa.ArrowInvalid as error:
        raise SpineError(
            query.call,
            f"column {key.spine_column!r} has a value that does not fit the join key: {error}",
            "Remove these rows, or set the value to null.",
        ) from None


def _cast_advice(key: KeyBinding, dtype: pa.DataType) -> str:
    if pa.types.is_floating(dtype):
        return (
            "Float keys cannot be compared exactly. Cast the column first, e.g. "
            f"spine['{key.spine_column}'].astype('Int64') in pandas (nulls stay nulls)."
        )
    return f"Cast the spine's column to {_canonical(key.dtype)}."


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


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
        return bool(pa.types.is_integer(column_type))
    if dtype == String:
        return column_type in (pa.string(), pa.large_string(), pa.string_view())
    return bool(column_type == _canonical(dtype))


def bind_times(
    query: Query, name: str, column: pa.ChunkedArray, timezone: str | None
) -> pa.ChunkedArray:
    """Return a time column as UTC microseconds.

    Args:
        query: The query, for errors.
        name: The column's name, for errors.
        column: Timestamps, or texts of times.
        timezone: The time zone of naive times; None refuses naive times.

    Raises:
        SpineError: A time is naive, is no time, or is finer than a microsecond.
        RequestError: There is no time zone of that name.
    """
    plain = _decoded(column)
    if _matches(String, plain.type):
        plain = _parse_text(query, name, plain.cast(pa.string()), timezone)
    if pa.types.is_null(plain.type):
        return pa.chunked_array([pa.nulls(len(plain), UTC_MICROS)])
    if not pa.types.is_timestamp(plain.type):
        raise SpineError(
            query.call,
            f"time column {name!r} has type {plain.type}",
            _time_advice(name, plain.type),
        )
    return _to_utc(query, name, _whole_micros(query, name, plain), timezone)


def _time_advice(name: str, dtype: pa.DataType) -> str:
    if pa.types.is_integer(dtype) or pa.types.is_floating(dtype):
        return (
            "Convert the numbers to timestamps in UTC with their unit, e.g. "
            f"pd.to_datetime(spine['{name}'], unit='s', utc=True) in pandas."
        )
    if pa.types.is_date(dtype):
        return "Convert the dates to timestamps with a time zone: a date is not a moment."
    return "Convert the column to timestamps with a time zone."


def _parse_text(
    query: Query, name: str, column: pa.ChunkedArray, timezone: str | None
) -> pa.ChunkedArray:
    try:
        return column.cast(pa.timestamp("us") if timezone else UTC_MICROS)
    except pa.ArrowInvalid as error:
        raise SpineError(
            query.call,
            f"time column {name!r} has a text that is no exact time ({error})",
            "Write every time like '2026-01-31T09:30:00+01:00', or pass timezone= for texts "
            "without an offset.",
        ) from None


def _whole_micros(query: Query, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    target = pa.timestamp("us", column.type.tz)
    if column.type.unit != "ns":
        return column.cast(target)
    nanos = column.cast(pa.int64())
    micros = pc.multiply(pc.divide(nanos, _NANOS_PER_MICRO), _NANOS_PER_MICRO)
    finer = pc.sum(pc.not_equal(micros, nanos)).as_py()
    if finer:
        raise SpineError(
            query.call,
            f"{finer} of {len(column)} times in column {name!r} are finer than a microsecond",
            f"Round them down first: spine['{name}'] = spine['{name}'].dt.floor('us') in pandas.",
        )
    return column.cast(target)


def _to_utc(
    query: Query, name: str, column: pa.ChunkedArray, timezone: str | None
) -> pa.ChunkedArray:
    if column.type.tz is not None:
        return column.cast(UTC_MICROS)
    if timezone is None:
        raise SpineError(
            query.call,
            f"time column {name!r} is naive: its times have no time zone",
            "Pass timezone='UTC', or the time zone of these times.",
        )
    try:
        return pc.assume_timezone(column, timezone).cast(UTC_MICROS)
    except pa.ArrowInvalid as error:
        if wrong := timezone_problem(timezone):
            problem, _, fix = wrong.partition(". ")
            raise RequestError(query.call, problem, fix) from None
        raise SpineError(
            query.call,
            f"time column {name!r} in time zone {timezone!r}: {error}",
            "Times in a clock change are ambiguous or do not exist. Convert them to UTC first.",
        ) from None


def check_null_times(
    query: Query, name: str, times: pa.ChunkedArray, null_times: NullTimes
) -> None:
    """Check a time column for nulls.

    Raises:
        SpineError: It has nulls, and ``null_times`` is ``"error"``.
    """
    if times.null_count and null_times == "error":
        raise SpineError(
            query.call,
            f"{times.null_count} of {len(times)} rows have no time in {name!r}",
            "Remove these rows, or pass null_times='keep' to answer them with nulls.",
        )
