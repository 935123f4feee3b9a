"""A memory limit is kept by smaller chunks, and refused where no chunk would fit."""

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.types import Float64, Int64, String
from featurestore.engines.memory import (
    LEAST_ROWS,
    ROWS_PER_CHUNK,
    bytes_per_row,
    held_bytes,
    rows_at_once,
)
from featurestore.errors import RequestError
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Query, ViewQuery, Window
from featurestore.store.columns import UTC_MICROS

VIEW = ViewQuery(
    "v",
    keys=(KeyBinding("id", "id", Int64),),
    timestamp_field="at",
    columns=(Column("x", "x", Float64), Column("name", "name", String)),
)
ASKED = Query("ask()", (VIEW,))


def spine(rows: int) -> pa.Table:
    return pa.table({"id": range(rows), "at": pa.array(range(rows), UTC_MICROS)})


def test_the_spine_its_order_and_the_answer_are_held() -> None:
    # 16 bytes a row and again in order, then 8 and 32 for the values and a byte each for null.
    assert held_bytes(ASKED, spine(1000)) == 1000 * (16 + 16 + 9 + 33)


def test_aggregated_columns_take_more_than_read_ones() -> None:
    total = Aggregate(
        "s", column="x", dtype=Float64, function="sum", window=Window(5), result=Float64
    )

    windows = replace(VIEW, columns=(), aggregates=(total,))

    assert bytes_per_row(windows) > bytes_per_row(VIEW)


@given(limit=st.integers(10**7, 10**9), threads=st.integers(1, 64))
def test_what_is_held_and_read_at_once_never_exceeds_the_limit(limit: int, threads: int) -> None:
    try:
        rows = rows_at_once(ASKED, spine(1000), limit, threads)[VIEW]
    except RequestError:
        rows = 0

    needed = held_bytes(ASKED, spine(1000)) + rows * threads * bytes_per_row(VIEW)
    assert needed <= limit
    assert rows == 0 or LEAST_ROWS <= rows <= ROWS_PER_CHUNK


def test_a_limit_too_small_is_refused_with_one_that_is_enough() -> None:
    with pytest.raises(RequestError, match="memory_limit is 2MB") as refused:
        rows_at_once(ASKED, spine(1000), 1_500_000, 2)

    enough = int(str(refused.value).split("memory_limit='")[1].split("MB")[0])
    assert rows_at_once(ASKED, spine(1000), enough * 1_000_000, 2)[VIEW] >= LEAST_ROWS
