"""The inputs that come with the spine have their declared types, times included."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from featurestore.definitions.model.types import (
    Array,
    DataType,
    Decimal,
    Float64,
    Int32,
    String,
    Timestamp,
)
from featurestore.engines.on_demand.inputs import bind_request_inputs
from featurestore.errors import SpineError
from featurestore.query.nodes import Input, OnDemand, Output, Query

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CATEGORIES = pa.DictionaryArray.from_arrays([0, None], pa.array(["a"], pa.string_view()))
"""As of Polars."""


def query_with(dtype: DataType) -> Query:
    """Return a query with one request value and the moment."""
    inputs = (
        Input("amount", column="amount", dtype=dtype, source="checkout"),
        Input("event_timestamp", column="at", dtype=Timestamp, source=""),
    )
    node = OnDemand(
        "shape", inputs=inputs, outputs=(), declared=(), transform={}, origin="defs.py:1"
    )
    return Query("call", (), "at", (node,))


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (pa.array([3, None], pa.int8()), Float64, [3.0, None]),
        (pa.array([3, None]), Decimal(5, 2), [3, None]),
        (pa.array(["a", None]).dictionary_encode(), String, ["a", None]),
        (pa.array([["a"], None], pa.large_list(pa.large_string())), Array(String), [["a"], None]),
        (pa.array(["2026-03-01T13:00:00+01:00", None]), Timestamp, [NOON, None]),
        (pa.array([None, None]), Float64, [None, None]),
        (CATEGORIES, String, ["a", None]),
        (pc.run_end_encode(pa.array(["a", None])), String, ["a", None]),
        (pa.array([["a"], None], pa.list_(pa.string_view(), 1)), Array(String), [["a"], None]),
    ],
)
def test_values_come_in_the_declared_type(
    values: pa.Array, dtype: DataType, expected: list[object]
) -> None:
    spine = pa.table({"amount": values, "at": pa.array([NOON, NOON])})

    [table] = bind_request_inputs(query_with(dtype), spine)

    assert table.column_names == ["amount", "event_timestamp"]
    assert table["amount"].to_pylist() == expected
    assert table["event_timestamp"].to_pylist() == [NOON, NOON]


def test_naive_times_need_a_zone() -> None:
    naive = pa.array([datetime(2026, 3, 1, 13)])  # noqa: DTZ001  # naive on purpose
    spine = pa.table({"amount": naive, "at": naive})

    with pytest.raises(SpineError) as refused:
        bind_request_inputs(query_with(Timestamp), spine)
    assert "'amount'" in refused.value.found
    assert "timezone=" in refused.value.fix
    [table] = bind_request_inputs(query_with(Timestamp), spine, timezone="Europe/Paris")
    assert table["amount"].to_pylist() == table["event_timestamp"].to_pylist() == [NOON]


def test_the_moment_is_needed_under_the_requests_name() -> None:
    spine = pa.table({"amount": [1.0], "event_timestamp": [NOON]})

    with pytest.raises(SpineError) as refused:
        bind_request_inputs(query_with(Float64), spine)

    assert "'at'" in refused.value.found
    assert "timestamp_field=" in refused.value.fix


def test_a_request_value_that_is_missing_is_named_with_its_view_source_and_near_column() -> None:
    with pytest.raises(SpineError) as refused:
        bind_request_inputs(query_with(Float64), pa.table({"amuont": [1.0], "at": [NOON]}))

    names = ("'amount'", "'shape'", "'checkout'")
    assert [name for name in names if name not in refused.value.found] == []
    assert "'amuont'" in refused.value.fix


@pytest.mark.parametrize(
    ("values", "dtype", "facts"),
    [
        (pa.array(["3"]), Float64, ["string", "Float64"]),
        (pa.array([2**53 + 1]), Float64, ["Float64", str(2**53 + 1)]),
    ],
)
def test_a_request_value_of_another_type_is_refused_with_the_cast(
    values: pa.Array, dtype: DataType, facts: list[str]
) -> None:
    with pytest.raises(SpineError) as refused:
        bind_request_inputs(query_with(dtype), pa.table({"amount": values, "at": [NOON]}))

    names = ["'amount'", "'checkout'", "'shape'", *facts]
    assert [name for name in names if name not in refused.value.found] == []
    assert "spine['amount']" in refused.value.fix


def test_a_feature_with_the_name_of_a_spine_column_is_refused() -> None:
    query = query_with(Float64)
    [plain] = query.on_demand
    named = replace(plain, outputs=(Output("share", "share", Float64),))
    spine = pa.table({"amount": [1.0], "at": [NOON], "share": [0.5]})

    with pytest.raises(SpineError) as refused:
        bind_request_inputs(replace(query, on_demand=(named,)), spine)

    names = ("'share'", "'shape'")
    assert [name for name in names if name not in refused.value.found] == []
    assert "view.with_prefix(" in refused.value.fix


def test_a_value_that_its_type_does_not_hold_is_refused_with_its_row() -> None:
    spine = pa.table({"amount": [1, 2**31], "at": pa.array([NOON, NOON])})

    with pytest.raises(SpineError) as refused:
        bind_request_inputs(query_with(Int32), spine)

    facts = ("'amount'", "row 1", str(2**31), "Int32")
    assert [fact for fact in facts if fact not in refused.value.found] == []
