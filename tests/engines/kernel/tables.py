"""Small worlds for the kernel's tests, with queries, rows and answers as literals."""

from collections.abc import Sequence

import pyarrow as pa

from featurestore.definitions.model.aggregation import output_type
from featurestore.definitions.model.functions import parse_function
from featurestore.definitions.model.types import DataType, Float64, Int64
from featurestore.engines.kernel import answer_view
from featurestore.query.nodes import Aggregate, Column, KeyBinding, ViewQuery, Window
from tests.engines.kernel.worlds import content_hash

EDGES = ("delay", "closed_right", "every", "offset")
ONE_KEY = (KeyBinding("id", "card", Int64),)


def as_of(*, dtype: DataType = Int64, keys: tuple[KeyBinding, ...] = ONE_KEY, **rest) -> ViewQuery:
    """Return a query for the column ``x``; the spine has ``card`` for the key, and ``at``."""
    return ViewQuery(
        "view", keys=keys, timestamp_field="at", columns=(Column("x", "x", dtype),), **rest
    )


def window(
    function: str,
    size: int | None = None,
    *,
    column: str = "x",
    dtype: DataType | None = Float64,
    empty: object = None,
    ddof: int = 1,
    **rest,
) -> ViewQuery:
    """Return a query for one aggregate, named ``x``; ``rest`` has edges such as ``delay``."""
    edges = {name: rest.pop(name) for name in EDGES if name in rest}
    aggregate = Aggregate(
        "x",
        column=column,
        dtype=dtype,
        function=parse_function(function).name,
        number=parse_function(function).number,
        window=Window(size, **edges),
        result=output_type(function, dtype),
        empty=empty,
        ddof=ddof,
    )
    return ViewQuery("view", keys=ONE_KEY, timestamp_field="at", aggregates=(aggregate,), **rest)


def stored(rows: Sequence[dict], dtype: pa.DataType | None = None) -> pa.Table:
    """Return rows of key 1, available at their event by default."""
    full = [{"id": 1, "available_timestamp": row["event_timestamp"], **row} for row in rows]
    columns = {name: [row[name] for row in full] for name in full[0]}
    columns["_row_hash"] = [content_hash(row) for row in full]
    table = pa.table({name: pa.array(values) for name, values in columns.items() if name != "x"})
    return table.append_column("x", pa.array(columns["x"], dtype))


def events(*pairs: tuple, dtype: pa.DataType | None = None) -> pa.Table:
    """Return rows of (event time, value) of key 1."""
    return stored([{"event_timestamp": at, "x": x} for at, x in pairs], dtype)


def answers_at(query: ViewQuery, rows: pa.Table, *times: int | None) -> list:
    """Return the answers ``x`` for key 1 at some times."""
    spine = pa.table(
        {"card": pa.array([1] * len(times), pa.int64()), "at": pa.array(times, pa.int64())}
    )
    return answer_view(query, spine, rows)["x"].to_pylist()
