"""A memory limit is kept by smaller chunks, and refused where no chunk would fit."""

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import Float64, Int64, String
from featurestore.engines.retrieval.answer import answer
from featurestore.engines.retrieval.budget import Budget, at_least, budget, format_bytes
from featurestore.engines.retrieval.cost import (
    LEAST_ROWS,
    ROWS_OF_WINDOWS,
    ROWS_PER_CHUNK,
    held_bytes,
    need_of,
)
from featurestore.errors import RequestError
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Query, ViewQuery, Window
from featurestore.settings import parse_bytes
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta.snapshot import Snapshot
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
SCHEMA = feature_table({"id": [1]}, [1], {"x": [0.5], "name": ["a"]}).schema


def spine(rows: int) -> pa.Table:
    return pa.table({"id": range(rows), "at": pa.array(range(rows), UTC_MICROS)})


def stored(*rows: int) -> dict[str, Snapshot]:
    """Return a table of files with so many rows, by the log."""
    paths = [f"{file}.parquet" for file in range(len(rows))]
    files = pa.table({"path": paths, "num_records": pa.array(rows, pa.int64())})
    return {"v": Snapshot("t", 0, files, SCHEMA)}


LARGE = stored(*[500_000] * 20)


def test_the_spine_its_order_and_the_answer_are_held() -> None:
    # 16 bytes a row and again in order, 6 words to sort by, then 8 and 32 for the values and a
    # byte each for null.
    assert held_bytes(ASKED, spine(1000)) == 1000 * (16 + 16 + 48 + 9 + 33)


def test_aggregated_columns_take_more_than_read_ones() -> None:
    read = replace(VIEW, columns=VIEW.columns[:1])

    assert need_of(WINDOWS, LARGE["v"]).stored > need_of(read, LARGE["v"]).stored


@given(
    limit=st.integers(10**6, 10**9),
    cores=st.integers(1, 64),
    rows=st.lists(st.integers(0, 500_000), max_size=9),
)
def test_what_is_held_and_read_at_once_never_exceeds_the_limit(limit, cores, rows) -> None:
    try:
        allowed = budget(ASKED, spine(1000), stored(*rows), limit, cores)
    except RequestError:
        return

    [need] = allowed.needs
    # Half as much again, where chunks end with files.
    most = 3 * allowed.rows_at_once(need) // 2
    assert allowed.held == held_bytes(ASKED, spine(1000))
    assert allowed.held + allowed.threads * need.of(most, most) <= limit or most == 1
    assert 1 <= allowed.threads <= cores
    assert 1 <= allowed.rows_at_once(need) <= ROWS_PER_CHUNK
    assert allowed.room.size == limit - allowed.held


def test_where_not_all_cores_fit_the_limit_fewer_threads_read() -> None:
    one = parse_bytes(floor(ASKED, spine(10), LARGE, 1_500_000, cores=1))

    assert floor(ASKED, spine(10), LARGE, 1_500_000, cores=64) == format_bytes(one)
    assert [budget(ASKED, spine(10), LARGE, n * one, 64).threads for n in (1, 2, 100)] == [
        1,
        2,
        64,
    ]


def test_windows_are_answered_in_smaller_chunks() -> None:
    needs = [need_of(view, LARGE["v"]) for view in (VIEW, WINDOWS)]

    found = [Budget(ASKED, (need,)).rows_at_once(need) for need in needs]

    assert found == [ROWS_PER_CHUNK, ROWS_OF_WINDOWS]
    assert ROWS_OF_WINDOWS < ROWS_PER_CHUNK


@given(
    limit=st.integers(1, 10**7),
    cores=st.integers(1, 64),
    spine_rows=st.integers(1, 50_000),
    rows=st.lists(st.integers(0, 500_000), max_size=9),
    view=st.sampled_from([VIEW, WINDOWS]),
)
def test_a_limit_too_small_is_told_as_asked_with_one_that_is_enough(
    limit, cores, spine_rows, rows, view
) -> None:
    query, asked, tables = Query("ask()", (view,)), spine(spine_rows), stored(*rows)
    try:
        budget(query, asked, tables, limit, cores)
    except RequestError as refused:
        message = str(refused)
    else:
        return

    said = re.search(r"memory_limit is (\w+);", message)
    assert said is not None
    assert parse_bytes(said[1]) == limit
    enough = parse_bytes(re.search(r"at least memory_limit='(\w+)'", message)[1])
    assert limit < enough
    assert budget(query, asked, tables, enough, cores).threads >= 1
    # Rounded up to a whole megabyte, and no further.
    with pytest.raises(RequestError):
        budget(query, asked, tables, enough - 1_000_000 or 1, cores)


@pytest.mark.parametrize(
    ("size", "exactly", "rounded"),
    [
        (20_000_000, "20MB", "20MB"),
        (480_000_000, "480MB", "480MB"),
        (480_000_001, "480000001B", "481MB"),
        (1_500_000, "1500kB", "2MB"),
        (2**30, "1GiB", "1074MB"),
        (2_000_000_000, "2GB", "2000MB"),
    ],
)
def test_limits_are_told_exactly_and_floors_rounded_up_if_need_be(size, exactly, rounded) -> None:
    assert (format_bytes(size), at_least(size)) == (exactly, rounded)
    assert parse_bytes(format_bytes(size)) == size


def test_a_small_table_needs_no_more_than_its_rows() -> None:
    need = need_of(VIEW, stored(142)["v"])

    assert floor(ASKED, spine(10), stored(142), 1000) == "1MB"
    assert need.least(10) == need.of(142, 10)
    assert need_of(VIEW, LARGE["v"]).least(10**6) == need_of(VIEW, LARGE["v"]).of(
        LEAST_ROWS, LEAST_ROWS
    )


def test_fewer_spine_rows_are_advised_where_they_help_and_as_many_as_fit() -> None:
    asked = spine(1_000_000)

    with pytest.raises(RequestError, match="ask with at most") as refused:
        budget(ASKED, asked, LARGE, 100_000_000, 2)

    most = int(re.search(r"at most ([\d,]+) spine", str(refused.value))[1].replace(",", ""))
    assert 100_000 < most < 1_000_000
    assert budget(ASKED, asked.slice(0, most), LARGE, 100_000_000, 2).threads == 1
    with pytest.raises(RequestError):
        budget(ASKED, asked.slice(0, most + 1), LARGE, 100_000_000, 2)


def test_fewer_features_are_advised_where_they_help_and_rows_do_not() -> None:
    wide = replace(
        WINDOWS, aggregates=tuple(replace(TOTAL, output=c, column=c) for c in "abcdefghij")
    )
    schema = pa.schema([*SCHEMA, *(pa.field(c, pa.float64()) for c in "abcdefghij")])
    tables = {"v": replace(LARGE["v"], schema=schema)}

    with pytest.raises(RequestError, match=r"'29MB', or ask for fewer features at a time\.$"):
        budget(Query("ask()", (wide,)), spine(10), tables, 20_000_000, 2)
    with pytest.raises(RequestError, match=r"at least memory_limit='29MB'\.$"):
        budget(Query("ask()", (wide,)), spine(10), tables, 5_000_000, 2)


def floor(query, asked, tables, limit, cores=2) -> str:
    """Return the limit that is said to be enough where this one is not."""
    with pytest.raises(RequestError, match="with one thread") as refused:
        budget(query, asked, tables, limit, cores)
    return enough(refused.value)


def enough(error: RequestError) -> str:
    return str(error).split("memory_limit='")[1].split("'")[0]


@pytest.fixture(scope="module")
def hot_key(tmp_path_factory) -> dict[str, Snapshot]:
    """600,000 rows of one key, and 3,000 of each of 100 others."""
    moments = np.arange(900_000, dtype=np.int64)
    keys = np.append(np.full(600_000, 7), np.repeat(np.arange(100, 200), 3_000))
    table = feature_table({"id": keys}, moments, {"x": np.sqrt(moments)})
    return {"v": write_runs(tmp_path_factory.mktemp("hot") / "table", [table])}


NUMBERS = Query("ask()", (replace(VIEW, columns=VIEW.columns[:1]),))


def test_a_hot_key_is_answered_within_a_limit_that_fits_it_and_refused_by_a_smaller_one(hot_key):
    asked = pa.table({"id": [7, 7, 100], "at": pa.array([5, 400_000, 600_002], UTC_MICROS)})

    with pytest.raises(RequestError, match=r"id=7 of view 'v' has 600,000 rows") as refused:
        answer(NUMBERS, asked, hot_key, memory_limit=50_000_000)
    found = answer(NUMBERS, asked, hot_key, memory_limit=parse_bytes(enough(refused.value)))

    assert "spine rows of it" not in str(refused.value)
    assert found["x"].to_pylist() == [np.sqrt(5), np.sqrt(400_000), np.sqrt(600_002)]


def test_chunks_that_turn_out_too_large_are_answered_by_halves(hot_key):
    keys = np.arange(100, 200)
    asked = pa.table({"id": keys, "at": pa.array([10**6] * 100, UTC_MICROS)})
    limit = parse_bytes(floor(NUMBERS, asked, hot_key, 1_000_000))

    # One chunk of 300,000 rows, where 10,000 fit.
    found = answer(NUMBERS, asked, hot_key, memory_limit=limit, rows_per_chunk=10**9)

    last = 600_000 + 3_000 * np.arange(1, 101) - 1
    assert found["x"].to_pylist() == np.sqrt(last).tolist()


def test_a_view_without_keys_that_does_not_fit_is_refused_with_a_limit_that_is_enough(tmp_path):
    view = replace(VIEW, keys=(), columns=VIEW.columns[:1])
    moments = np.arange(100_000, dtype=np.int64)
    table = feature_table({}, moments, {"x": np.sqrt(moments)})
    query, asked = Query("ask()", (view,)), spine(3).drop(["id"])
    snapshots = {"v": write_runs(tmp_path, [table])}

    with pytest.raises(RequestError, match=r"view 'v' has 50,000 rows, asked for by 3") as refused:
        answer(query, asked, snapshots, memory_limit=5_000_000)
    found = answer(query, asked, snapshots, memory_limit=parse_bytes(enough(refused.value)))

    assert found["x"].to_pylist() == [0.0, 1.0, np.sqrt(2)]
