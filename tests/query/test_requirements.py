"""The columns and the times that a query needs follow from its features and its rows."""

from dataclasses import replace

import pytest

from featurestore.definitions.model.types import Float64, Int64
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Rows, ViewQuery, Window
from featurestore.query.requirements import needed_columns, time_bounds


def window(size: int | None, delay: int = 0, every: int | None = None) -> Aggregate:
    return Aggregate(
        f"x_{size}",
        column="x",
        dtype=Float64,
        function="sum",
        window=Window(size, delay, every=every),
        result=Float64,
    )


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"columns": (Column("x", "x", Float64),)}, (None, 90)),
        ({"columns": (Column("x", "x", Float64),), "ttl": 10}, (40, 90)),
        ({"aggregates": (window(5), window(20, 3))}, (27, 90)),
        ({"aggregates": (window(20), window(9, 3, 10))}, (28, 90)),
        ({"aggregates": (window(5), window(None))}, (None, 90)),
        ({"aggregates": (window(5),), "rows": Rows(unique_by=("n",))}, (None, 90)),
    ],
)
def test_the_earliest_event_that_can_matter_follows_from_ttl_and_windows(features, expected):
    query = ViewQuery("v", keys=(), timestamp_field="t", **features)

    assert time_bounds(query, 50, 90) == expected


def test_the_kernel_gets_each_needed_column_once() -> None:
    query = ViewQuery(
        "v",
        keys=(KeyBinding("id", "id", Int64),),
        timestamp_field="t",
        rows=Rows(unique_by=("n", "x"), has_sequence=True, has_deleted=True),
        aggregates=(window(5), replace(window(7), by="category")),
    )

    assert needed_columns(query) == [
        "id",
        "event_timestamp",
        "available_timestamp",
        "_seq",
        "_deleted",
        "n",
        "x",
        "category",
        "_row_hash",
    ]
