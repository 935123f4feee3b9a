"""Rows typed on the shell, as tables with the types of join keys and request values."""

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from featurestore.cli.output import say
from featurestore.client.retrieve import time_columns
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.types import DataType, Decimal, Timestamp
from featurestore.errors import RequestError, nearest
from featurestore.query.compile import compile_query
from featurestore.query.nodes import Query
from featurestore.store.columns import UTC_MICROS, arrow_type
from featurestore.times import parse_moment

_EXAMPLES = {
    "Int32": "7",
    "Int64": "7",
    "Float32": "1.5",
    "Float64": "1.5",
    "Boolean": "true",
    "Date": "2026-01-31",
    "Timestamp": "2026-01-31T09:30:00Z",
}


def typed_rows(
    manifest: Manifest, features: str | list[str], texts: Sequence[str], call: str = "latest"
) -> pa.Table:
    """Return rows typed on the shell as a table.

    Args:
        manifest: What is applied.
        features: A service's name, or references.
        texts: Rows as ``key=value`` or ``key=value,key=value``; a key's name alone is null, a
            row of no text has no values.
        call: The verb, for error messages.

    Raises:
        RequestError: A text has no ``=``, or a value is none of its column's type.
    """
    query = compile_query(manifest, features, call=call)
    types = dict.fromkeys(time_columns(query), Timestamp) | _types(query)
    rows = [_values(text, set(types), call) for text in texts]
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column(name, rows, types.get(name), call) for name in names})


def asked_row(
    manifest: Manifest, features: str | list[str], text: str, at: str | None, now: datetime
) -> pa.Table:
    """Return one row typed on the shell; keys and request values that it leaves out are null.

    Args:
        manifest: What is applied.
        features: A service's name, or references.
        text: The row, as ``key=value,key=value``; time columns may be among them.
        at: The moment that the time columns hold which the row leaves out.
        now: The same, where there is no ``at``.

    Raises:
        RequestError: The text names another column, or the moment is no ISO 8601 time.
    """
    query = compile_query(manifest, features, call="explain")
    types, times = _types(query), time_columns(query)
    row = typed_rows(manifest, features, [text], "explain")
    given = {name: row[name] for name in row.column_names}
    for name in given:
        if name not in (*types, *times):
            raise RequestError(
                f"explain {text}", f"no key {name!r}", nearest(name, [*types, *times])
            )
    if at is not None and times and set(times) <= set(given):
        raise RequestError(
            f"explain {text} --at {at}", "the row gives the moment too", "Leave one of them out."
        )
    for name in types:
        if name not in given:
            say("{} is not given, and so null", name)
            given[name] = pa.nulls(1, arrow_type(types[name]))
    moment = pa.array([now if at is None else parse_moment(at)], UTC_MICROS)
    return pa.table(dict.fromkeys(times, moment) | given)


def _types(query: Query) -> dict[str, DataType]:
    """Return the types of keys and request values, by the columns that bring them."""
    given = {
        each.column: each.dtype for node in query.on_demand for each in node.given if each.source
    }
    keys = {key.spine_column: key.dtype for view in query.views for key in view.keys}
    return {**given, **keys}


def _values(text: str, known: set[str], call: str) -> dict[str, str | None]:
    return dict(_pair(pair, known, f"{call} {text!r}") for pair in text.split(",") if text)


def _pair(text: str, known: set[str], call: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if equals:
        return name, value
    if name in known:
        return name, None
    fix = "Write key=value, e.g. card_id=c1; the name of a key alone is null."
    raise RequestError(call, f"no '=' in {text!r}", fix)


def _column(
    name: str, rows: Sequence[dict[str, str | None]], dtype: DataType | None, call: str
) -> pa.Array:
    texts = [row.get(name) for row in rows]
    if dtype is None:
        return pa.array(texts, pa.string())
    parts = [_cast(name, text, dtype, call) for text in texts]
    return pa.concat_arrays(parts)


def _cast(name: str, text: str | None, dtype: DataType, call: str) -> pa.Array:
    kind = arrow_type(dtype)
    if text is not None and dtype == Timestamp:
        return pa.array([parse_moment(text)], kind)
    try:
        return pa.array([text], pa.string()).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        example = "1.50" if isinstance(dtype, Decimal) else _EXAMPLES.get(str(dtype))
        shown = (
            f"Write for example {name}={example}, or {name} for null."
            if example
            else "Give it in a file of rows."
        )
        raise RequestError(
            f"{call} {name}={text}", f"{name!r} is {dtype}, which {text!r} is not", shown
        ) from None
