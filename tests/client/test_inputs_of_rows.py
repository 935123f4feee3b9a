"""Tests of on-demand views get their inputs exactly, as a store gets request values."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

import featurestore as fs
from featurestore.errors import SpineError
from featurestore.testing import on_demand_rows

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TYPES: dict[str, Any] = {
    "Int64": fs.Int64,
    "Float32": fs.Float32,
    "Float64": fs.Float64,
    "Date": fs.Date,
    "Timestamp": fs.Timestamp,
    "Decimal": fs.Decimal(5, 2),
    "String": fs.String,
}


def echoed(kind: str, value: Any, moment: Any = NOON) -> Any:
    """Return what a view that returns its input gives for a value."""
    request = fs.RequestSource("request", schema=(fs.Field("value", TYPES[kind]),))
    view = fs.OnDemandFeatureView(
        "echo",
        sources=(request,),
        schema=(fs.Field("same", TYPES[kind]),),
        transform={"same": "value"},
    )
    return on_demand_rows(view, given=[{"value": value, "event_timestamp": moment}])[0]["same"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Int64", 2**62),
        ("Int64", None),
        ("Float32", 0.5),
        ("Float64", 7),
        ("Date", date(2026, 3, 1)),
        ("Timestamp", NOON),
        ("Decimal", Decimal("1.50")),
        ("String", "007"),
    ],
)
def test_a_value_comes_as_it_is(kind: str, value: object) -> None:
    assert echoed(kind, value) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Int64", 1.0),
        ("Int64", "1"),
        ("Float64", 2**53 + 1),
        ("Date", NOON),
        ("Timestamp", NOON.replace(tzinfo=None)),
        ("Timestamp", pd.Timestamp("2026-03-01T12:00:00.000000001Z")),
        ("Decimal", Decimal("1.005")),
        ("String", b"007"),
        ("String", "\ud800"),
    ],
)
def test_a_value_of_another_type_is_refused(kind: str, value: object) -> None:
    with pytest.raises(SpineError, match="'value'"):
        echoed(kind, value)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(SpineError, match="'event_timestamp'"):
        echoed("Int64", 1, NOON.replace(tzinfo=None))
