"""A memory limit is kept by smaller chunks, and refused where no chunk would fit."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.types import Float64, Int64, String
from featurestore.engines.local import answer
from featurestore.engines.memory import (
    LEAST_ROWS,
    ROWS_OF_WINDOWS,
    ROWS_PER_CHUNK,
    Budget,
    budget,
    bytes_per_row,
    held_bytes,
)
from featurestore.errors import RequestError
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Query, ViewQuery, Window
from featurestore.store.columns import UTC_MICROS
from tests.tables import feature_table, write_runs

VIEW = ViewQuery(
    "v",
    keys=(KeyBinding("id", "id", Int64),),
    timestamp_field="at",
    columns=(Column("x", "x", Float64), Column("name", "name", String)),
)
TOTAL = Aggregate("s", column="x", dtype=Float64, function="sum", window=Window(5), result=Float64)
WINDOWS = replace(VIEW, columns=(), aggregates=(TOTAL,))
ASKED = Query("ask()", (VIEW,))


def spine(rows: int) -> pa.Table:
    return pa.table({"id": range(rows), "at": pa.array(range(rows), UTC_MICROS)})


def test_the_spine_its_order_and_the_answer_are_held() -> None:
    # 16 bytes a row and again in order, then 8 and 32 for the values and a byte each for null.
    assert held_bytes(ASKED, spine(1000)) == 1000 * (16 + 16 + 9 + 33)


def test_aggregated_columns_take_more_than_read_ones() -> None:
    assert bytes_per_row(WINDOWS) > bytes_per_row(VIEW)


@given(limit=st.integers(10**7, 10**9), cores=st.integers(1, 64))
def test_what_is_held_and_read_at_once_never_exceeds_the_limit(limit: int, cores: int) -> None:
    try:
        allowed = budget(ASKED, spine(1000), limit, cores)
    except RequestError:
        return

    # Half as much again, where chunks end with files.
    rows = 3 * allowed.rows_at_once(VIEW) // 2
    read = rows * allowed.threads * bytes_per_row(VIEW)
    assert held_bytes(ASKED, spine(1000)) + read <= limit
    assert 1 <= allowed.threads <= cores
    assert 2 * LEAST_ROWS // 3 <= allowed.rows_at_once(VIEW) <= ROWS_PER_CHUNK
    allowed.check(VIEW, rows)


def test_where_not_all_cores_fit_the_limit_fewer_threads_read() -> None:
    one = enough_for(1_500_000, cores=1)

    assert enough_for(1_500_000, cores=64) == one
    assert [budget(ASKED, spine(10), n * one, 64).threads for n in (1, 2, 100)] == [1, 2, 64]


def enough_for(limit: int, cores: int) -> int:
    """Return the limit that is said to be enough where this one is not."""
    with pytest.raises(RequestError, match="with one thread") as refused:
        budget(ASKED, spine(10), limit, cores)
    return enough(refused.value)


def test_windows_are_answered_in_smaller_chunks() -> None:
    assert Budget("ask()").rows_at_once(WINDOWS) == ROWS_OF_WINDOWS < ROWS_PER_CHUNK


def test_a_limit_too_small_is_refused_with_one_that_is_enough() -> None:
    with pytest.raises(RequestError, match="memory_limit is 2MB") as refused:
        budget(ASKED, spine(1000), 1_500_000, 2)

    assert budget(ASKED, spine(1000), enough(refused.value), 2).share > 0


@pytest.mark.parametrize("cores", [2, 64])
def test_a_key_with_more_rows_than_fit_is_refused_with_a_limit_that_is_enough(cores: int) -> None:
    allowed = budget(ASKED, spine(1000), 100_000_000, cores)

    with pytest.raises(RequestError, match="keys of view 'v' have 5,000,000 rows") as refused:
        allowed.check(VIEW, 5_000_000)

    budget(ASKED, spine(1000), enough(refused.value), cores).check(VIEW, 5_000_000)


def enough(error: RequestError) -> int:
    return int(str(error).split("memory_limit='")[1].split("MB")[0]) * 1_000_000


def test_a_hot_key_is_answered_within_a_limit_that_fits_it_and_refused_by_a_smaller_one(tmp_path):
    rows = 600_000
    moments = np.arange(rows, dtype=np.int64)
    table = feature_table({"id": np.full(rows, 7)}, moments, {"x": np.sqrt(moments)})
    snapshot = write_runs(tmp_path, [table])
    query = Query("ask()", (replace(VIEW, columns=VIEW.columns[:1]),))
    asked = pa.table({"id": [7, 7], "at": pa.array([5, 400_000], UTC_MICROS)})

    with pytest.raises(RequestError, match=r"rows, which take .*; memory_limit leaves") as refused:
        answer(query, asked, {"v": snapshot}, memory_limit=50_000_000)
    found = answer(query, asked, {"v": snapshot}, memory_limit=enough(refused.value))

    assert found["x"].to_pylist() == [np.sqrt(5), np.sqrt(400_000)]
