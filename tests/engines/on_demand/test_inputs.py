"""Request values come in their declared types, times included, by node and name."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from featurestore.definitions.model.types import (
    Array,
    DataType,
    Decimal,
    Float64,
    String,
    Timestamp,
)
from featurestore.engines.on_demand.inputs import bind_request_inputs
from featurestore.errors import SpineError
from featurestore.query.nodes import Input, OnDemand, Query

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ask(dtype: DataType) -> Query:
    """Return a query with one request value and the moment."""
    inputs = (
        Input("amount", column="amount", dtype=dtype, source="checkout"),
        Input("event_timestamp", column="at", dtype=Timestamp, source=""),
    )
    node = OnDemand(
        "shape", inputs=inputs, outputs=(), declared=(), transform={}, place="defs.py:1"
    )
    return Query("ask", (), "at", (node,))


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (pa.array([3, None], pa.int8()), Float64, [3.0, None]),
        (pa.array([3, None]), Decimal(5, 2), [3, None]),
        (pa.array(["a", None]).dictionary_encode(), String, ["a", None]),
        (pa.array([["a"], None], pa.large_list(pa.large_string())), Array(String), [["a"], None]),
        (pa.array(["2026-03-01T13:00:00+01:00", None]), Timestamp, [NOON, None]),
        (pa.array([None, None]), Float64, [None, None]),
    ],
)
def test_values_come_in_the_declared_type(
    values: pa.Array, dtype: DataType, expected: list[object]
) -> None:
    spine = pa.table({"amount": values, "at": pa.array([NOON, NOON])})

    [table] = bind_request_inputs(ask(dtype), spine)

    assert table.column_names == ["amount", "event_timestamp"]
    assert table["amount"].to_pylist() == expected
    assert table["event_timestamp"].to_pylist() == [NOON, NOON]


def test_naive_times_need_a_zone() -> None:
    naive = pa.array([datetime(2026, 3, 1, 13)])  # noqa: DTZ001  # naive on purpose
    spine = pa.table({"amount": naive, "at": naive})

    with pytest.raises(SpineError, match="'amount' is naive"):
        bind_request_inputs(ask(Timestamp), spine)
    [table] = bind_request_inputs(ask(Timestamp), spine, timezone="Europe/Paris")
    assert table["amount"].to_pylist() == table["event_timestamp"].to_pylist() == [NOON]


def test_the_moment_is_needed_under_the_requests_name() -> None:
    with pytest.raises(SpineError, match="no column 'at', the time column"):
        bind_request_inputs(ask(Float64), pa.table({"amount": [1.0], "event_timestamp": [NOON]}))
