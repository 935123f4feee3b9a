"""Rows as texts, with the types of join keys and request values: ``key=value,key=value``."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from featurestore.client.spines.rows import without_columns
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.types import Array, DataType, Map, Timestamp
from featurestore.engines.files.exact_text import UnfitValueError, example_of, from_text
from featurestore.errors import RequestError, nearest
from featurestore.query.compile import compile_query
from featurestore.query.nodes import Query
from featurestore.query.requirements import time_columns
from featurestore.store.columns import UTC_MICROS, arrow_type
from featurestore.times import parse_moment


def typed_rows(
    manifest: Manifest, features: str | list[str], texts: Sequence[str], call: str = "latest"
) -> pa.Table:
    """Return rows from the command line as a table.

    Args:
        manifest: The applied definitions.
        features: A service's name, or references.
        texts: Rows as ``key=value,key=value``. A key's name without ``=`` is null. An empty text
            is a row without values.
        call: The verb, for error messages.

    Raises:
        RequestError: A text has no ``=``, or a value does not fit its column's type.
    """
    query = compile_query(manifest, features, call=call)
    types = dict.fromkeys(time_columns(query), Timestamp) | _types(query)
    rows = [_values(text, set(types), call) for text in texts]
    names = dict.fromkeys(name for row in rows for name in row)
    if not names:
        return without_columns(len(rows))
    return pa.table({name: _column(name, rows, types.get(name), call) for name in names})


def takes_values(manifest: Manifest, features: str | list[str]) -> bool:
    """Return whether rows need keys or request values for these features.

    Args:
        manifest: The applied definitions.
        features: The names of services, views and features.
    """
    return bool(_types(compile_query(manifest, features, call="latest")))


def rows_at(
    manifest: Manifest, features: str | list[str], texts: Sequence[str], at: str | None
) -> pa.Table:
    """Return rows from the command line with their moments, as a table.

    Args:
        manifest: The applied definitions.
        features: The names of services, views and features.
        texts: Rows as ``key=value,key=value``. They may have time columns too.
        at: The moment of time columns that the rows do not name. None if they name all.

    Raises:
        RequestError: A text is no row, or a row has no moment.
    """
    rows = typed_rows(manifest, features, texts, "historical")
    times = time_columns(compile_query(manifest, features, call="historical"))
    missing = [name for name in times if name not in rows.column_names]
    if at is None and missing:
        raise RequestError(
            f"historical {' '.join(texts)}",
            f"the rows have no moment ({', '.join(missing)})",
            "Add e.g. --at 2026-01-31T09:30:00Z. For values as of now: featurestore latest.",
        )
    if at is not None and not missing and times:
        raise RequestError(
            f"historical {' '.join(texts)} --at {at}",
            f"the rows have a value for {', '.join(times)} too",
            "Leave out --at, or the values in the rows.",
        )
    for name in missing:
        moment = pa.array([parse_moment(at or "")] * rows.num_rows, UTC_MICROS)
        rows = rows.append_column(name, moment)
    return rows


def typed_row(
    manifest: Manifest,
    features: str | list[str],
    row: str | Mapping[str, str | None],
    at: str | None,
    now: datetime,
) -> tuple[pa.Table, list[str]]:
    """Return one row of texts as a table of one row.

    Keys and request values that the row does not name are null. Time columns that it does not
    name have the moment ``at``.

    Args:
        manifest: The applied definitions.
        features: A service's name, or references.
        row: The row, as ``key=value,key=value`` or as texts by names. It may have time columns.
        at: The moment. None for ``now``.
        now: The present moment.

    Returns:
        The table, and the names of keys and request values that the row does not name.

    Raises:
        RequestError: The row names another column, or the moment is no ISO 8601 time.
    """
    query = compile_query(manifest, features, call="explain")
    types, times = _types(query), time_columns(query)
    known, call = dict.fromkeys(times, Timestamp) | types, f"explain {_shown(row)}"
    texts = _values(row, set(known), "explain") if isinstance(row, str) else row
    for name in texts:
        if name not in known:
            found = f"no key, request value or time column is named {name!r}"
            raise RequestError(call, found, nearest(name, [*types, *times]))
    if at is not None and times and set(times) <= set(texts):
        found = f"the row has a value for {', '.join(times)} too"
        raise RequestError(f"{call} --at {at}", found, "Leave out --at, or the value in the row.")
    columns = {name: _cast(name, text, known[name], "explain") for name, text in texts.items()}
    missing = [name for name in types if name not in columns]
    moment = pa.array([now if at is None else parse_moment(at)], UTC_MICROS)
    nulls = {name: pa.nulls(1, arrow_type(types[name])) for name in missing}
    return pa.table(dict.fromkeys(times, moment) | columns | nulls), missing


def _shown(row: str | Mapping[str, str | None]) -> str:
    if isinstance(row, str):
        return row
    return ",".join(name if text is None else f"{name}={text}" for name, text in row.items())


def _types(query: Query) -> dict[str, DataType]:
    """Return the types of keys and request values, by the names of their spine columns."""
    requests = {
        each.column: each.dtype
        for node in query.on_demand
        for each in node.request_inputs
        if each.source
    }
    keys = {key.spine_column: key.dtype for view in query.views for key in view.keys}
    return {**requests, **keys}


def _values(text: str, names: set[str], call: str) -> dict[str, str | None]:
    _require_utf_8(text, call)
    row: dict[str, str | None] = {}
    for pair in text.split(",") if text else ():
        name, value = _pair(pair, names, f"{call} {text!r}")
        if name in row:
            fix = "Write it once. For several rows, write several KEYS with blanks between them."
            raise RequestError(f"{call} {text!r}", f"{name!r} has two values", fix)
        row[name] = value
    return row


def _require_utf_8(text: str, call: str) -> None:
    """Check a text from the command line: the shell passes any bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        fix = "Write it in UTF-8, or pass the row in a file."
        raise RequestError(call, f"{text!r} has bytes that are no UTF-8", fix) from None


def _pair(text: str, names: set[str], call: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if equals:
        return name, value
    if name in names:
        return name, None
    listed = ", ".join(sorted(names))
    fix = f"Write name=value, e.g. id=7. Only these may be written without a value: {listed}."
    if "," in call:
        fix += f" A comma ends a value. {_without_example(call)}"
    raise RequestError(call, f"there is no '=' in {text!r}", fix)


def _column(
    name: str, rows: Sequence[dict[str, str | None]], dtype: DataType | None, call: str
) -> pa.Array:
    texts = [row.get(name) for row in rows]
    if dtype is None:
        return pa.array(texts, pa.string())
    parts = [_cast(name, text, dtype, call) for text in texts]
    return pa.concat_arrays(parts)


def _cast(name: str, text: str | None, dtype: DataType, call: str) -> pa.Array:
    if text is None:
        return pa.nulls(1, arrow_type(dtype))
    if dtype == Timestamp:
        return pa.array([parse_moment(text)], arrow_type(dtype))
    fix = f"Write e.g. {name}={example_of(dtype)}, or {name} alone for null."
    try:
        if not isinstance(dtype, Array | Map):
            return from_text(pa.array([text]), dtype)
        fix = _without_example(call)
    except UnfitValueError:
        pass
    raise RequestError(
        f"{call} {name}={text}", f"{name!r} has the type {dtype}, but {text!r} is none", fix
    )


def _without_example(call: str) -> str:
    if call.startswith("latest"):
        return "Pass the row in a file: --rows."
    if call.startswith("historical"):
        return "Pass the row in a file."
    return "Such a value needs Python: get_historical_features(...).explain(0, feature)."
