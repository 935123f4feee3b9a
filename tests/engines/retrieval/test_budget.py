"""A memory limit is kept by smaller chunks. It is refused only where no chunk fits."""

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from featurestore.definitions.model.types import Float64, Int64, String
from featurestore.engines.retrieval.answer import answer
from featurestore.engines.retrieval.budget import Budget, budget_for, require_rows_fit
from featurestore.engines.retrieval.cost import (
    MIN_ROWS_PER_CHUNK,
    ROWS_PER_CHUNK,
    WINDOW_ROWS_PER_CHUNK,
    cost_of,
    spine_and_answer_bytes,
    stored_row_bytes,
)
from featurestore.engines.retrieval.limiter import Limiter
from featurestore.errors import RequestError
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Query, ViewQuery, Window
from featurestore.sizes import format_bytes, format_megabytes, parse_bytes
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
QUERY = Query("call()", (VIEW,))
SCHEMA = feature_table({"id": [1]}, [1], {"x": [0.5], "name": ["a"]}).schema


def spine_of(rows: int) -> pa.Table:
    return pa.table({"id": range(rows), "at": pa.array(range(rows), UTC_MICROS)})


def table_of(*rows: int) -> dict[str, Snapshot]:
    """Return a table whose log lists one file for each number of rows."""
    paths = [f"{file}.parquet" for file in range(len(rows))]
    files = pa.table({"path": paths, "num_records": pa.array(rows, pa.int64())})
    return {"v": Snapshot("t", 0, files, SCHEMA)}


def smallest_limit(query: Query, spine: pa.Table, tables: dict[str, Snapshot]) -> int:
    """Return the bytes that one thread needs for the smallest chunk of the costliest view."""
    costs = [cost_of(view, tables[view.view]) for view in query.views]
    chunk = max(cost.of_smallest_chunk(spine.num_rows) for cost in costs)
    return spine_and_answer_bytes(query, spine, tables) + chunk


def limit_in(refused: pytest.ExceptionInfo[RequestError]) -> int:
    """Return the limit that a refusal proposes."""
    return parse_bytes(re.search(r"memory_limit='(\w+)'", refused.value.fix)[1])


LARGE = table_of(*[500_000] * 20)


def test_the_spine_its_sorted_copy_and_the_answer_are_counted() -> None:
    # A row of 16 bytes, once more in order, and 6 numbers for the sort. Then a value of 8 bytes,
    # and three copies of one of 32 bytes, each with 1 byte for null.
    row = 16 + 16 + 6 * 8 + (8 + 1) + (3 * 32 + 1)

    assert spine_and_answer_bytes(QUERY, spine_of(1000), LARGE) == 1000 * row


def test_aggregated_columns_cost_more_than_plain_ones() -> None:
    plain = replace(VIEW, columns=VIEW.columns[:1])

    costs = [cost_of(view, LARGE["v"]).per_stored_row for view in (plain, WINDOWS)]

    assert costs[0] < costs[1]


@given(
    limit=st.integers(10**5, 10**9),
    cores=st.integers(1, 64),
    rows=st.lists(st.integers(0, 500_000), max_size=9),
    view=st.sampled_from([VIEW, WINDOWS]),
)
def test_all_threads_together_keep_within_the_limit_if_one_of_them_does(limit, cores, rows, view):
    query, spine, tables = Query("call()", (view,)), spine_of(1000), table_of(*rows)
    assume(limit >= smallest_limit(query, spine, tables))

    budget = budget_for(query, spine, tables, limit, cores)

    [cost] = budget.costs
    # A chunk becomes half as large again where its edges are moved to those of files.
    largest = 3 * budget.rows_per_chunk(cost) // 2
    chunks = budget.threads * cost.of_chunk(largest, largest)
    assert budget.spine_and_answer == spine_and_answer_bytes(query, spine, tables)
    assert budget.spine_and_answer + chunks <= limit or largest == 1
    assert 1 <= budget.threads <= cores
    assert 1 <= budget.rows_per_chunk(cost) <= cost.fastest_rows
    assert budget.max_cached_key_rows(cost) == largest
    assert budget.limiter.size == limit - budget.spine_and_answer


@given(
    share=st.floats(0.01, 1, exclude_max=True),
    cores=st.integers(1, 64),
    spine_rows=st.integers(1, 50_000),
    rows=st.lists(st.integers(0, 500_000), max_size=9),
    view=st.sampled_from([VIEW, WINDOWS]),
)
def test_a_limit_too_small_for_one_thread_is_refused_with_the_next_megabyte_that_is_enough(
    share, cores, spine_rows, rows, view
) -> None:
    query, spine, tables = Query("call()", (view,)), spine_of(spine_rows), table_of(*rows)
    smallest = smallest_limit(query, spine, tables)
    limit = int(share * smallest)

    with pytest.raises(RequestError) as refused:
        budget_for(query, spine, tables, limit, cores)

    assert refused.value.call == "call()"
    assert f"memory_limit is {format_bytes(limit)}." in refused.value.found
    assert "'v'" in refused.value.found
    assert smallest <= limit_in(refused) < smallest + 1_000_000
    assert budget_for(query, spine, tables, limit_in(refused), cores).threads >= 1


def test_fewer_threads_run_where_the_limit_does_not_fit_all_cores() -> None:
    with pytest.raises(RequestError) as refused:
        budget_for(QUERY, spine_of(10), LARGE, 1_500_000, 1)
    one = limit_in(refused)

    budgets = [budget_for(QUERY, spine_of(10), LARGE, n * one, 64) for n in (1, 2, 100)]

    assert [budget.threads for budget in budgets] == [1, 2, 64]


def test_windows_are_answered_in_smaller_chunks() -> None:
    costs = [cost_of(view, LARGE["v"]) for view in (VIEW, WINDOWS)]

    rows = [Budget(QUERY, (cost,)).rows_per_chunk(cost) for cost in costs]

    assert rows == [ROWS_PER_CHUNK, WINDOW_ROWS_PER_CHUNK]
    assert WINDOW_ROWS_PER_CHUNK < ROWS_PER_CHUNK


def test_a_small_table_costs_no_more_than_its_rows() -> None:
    small, large = cost_of(VIEW, table_of(142)["v"]), cost_of(VIEW, LARGE["v"])

    assert small.of_smallest_chunk(10) == small.of_chunk(142, 10)
    assert large.of_smallest_chunk(10**6) == large.of_chunk(MIN_ROWS_PER_CHUNK, MIN_ROWS_PER_CHUNK)
    with pytest.raises(RequestError) as refused:
        budget_for(QUERY, spine_of(10), table_of(142), 1000, 2)
    assert limit_in(refused) == 1_000_000


def test_fewer_spine_rows_are_advised_where_they_help_and_as_many_as_fit() -> None:
    spine = spine_of(1_000_000)

    with pytest.raises(RequestError) as refused:
        budget_for(QUERY, spine, LARGE, 100_000_000, 2)

    most = int(re.search(r"at most ([\d,]+) spine rows", refused.value.fix)[1].replace(",", ""))
    assert 100_000 < most < 1_000_000
    assert budget_for(QUERY, spine.slice(0, most), LARGE, 100_000_000, 2).threads == 1
    with pytest.raises(RequestError):
        budget_for(QUERY, spine.slice(0, most + 1), LARGE, 100_000_000, 2)


def test_fewer_features_are_advised_where_they_help_and_rows_do_not() -> None:
    names = "abcdefghij"
    features = tuple(replace(TOTAL, output=name, column=name) for name in names)
    query = Query("call()", (replace(WINDOWS, aggregates=features),))
    schema = pa.schema([*SCHEMA, *(pa.field(name, pa.float64()) for name in names)])
    tables = {"v": replace(LARGE["v"], schema=schema)}

    refusals = []
    for limit in (20_000_000, 5_000_000):
        with pytest.raises(RequestError) as refused:
            budget_for(query, spine_of(10), tables, limit, 2)
        refusals.append((limit_in(refused), "features" in refused.value.fix))

    assert refusals == [(29_000_000, True), (29_000_000, False)]


def test_stored_rows_that_do_not_fit_are_refused_with_a_limit_that_is_enough() -> None:
    size = 1_000_000 * stored_row_bytes(VIEW, LARGE["v"])
    require_rows_fit("read()", VIEW, LARGE["v"], 1_000_000, None)
    require_rows_fit("read()", VIEW, LARGE["v"], 1_000_000, size)

    with pytest.raises(RequestError) as refused:
        require_rows_fit("read()", VIEW, LARGE["v"], 1_000_000, size - 1)

    assert refused.value.call == "read()"
    assert f"memory_limit is {format_bytes(size - 1)}." in refused.value.found
    assert "1,000,000 rows of view 'v'" in refused.value.found
    require_rows_fit("read()", VIEW, LARGE["v"], 1_000_000, limit_in(refused))


@pytest.fixture(scope="module")
def hot_key(tmp_path_factory) -> dict[str, Snapshot]:
    """600,000 rows of key 7, and 3,000 rows of each key from 100 to 199."""
    moments = np.arange(900_000, dtype=np.int64)
    keys = np.append(np.full(600_000, 7), np.repeat(np.arange(100, 200), 3_000))
    table = feature_table({"id": keys}, moments, {"x": np.sqrt(moments)})
    return {"v": write_runs(tmp_path_factory.mktemp("hot") / "table", [table])}


NUMBERS = Query("call()", (replace(VIEW, columns=VIEW.columns[:1]),))


def test_a_hot_key_is_refused_with_a_limit_that_is_enough_for_it(hot_key):
    spine = pa.table({"id": [7, 7, 100], "at": pa.array([5, 400_000, 600_002], UTC_MICROS)})

    with pytest.raises(RequestError) as refused:
        answer(NUMBERS, spine, hot_key, memory_limit=50_000_000)
    answers = answer(NUMBERS, spine, hot_key, memory_limit=limit_in(refused))

    facts = ("600,000 stored rows", "view 'v'", "id=7", "2 spine rows")
    assert [fact for fact in facts if fact not in refused.value.found] == []
    assert "spine rows" not in refused.value.fix
    assert answers["x"].to_pylist() == [np.sqrt(5), np.sqrt(400_000), np.sqrt(600_002)]


def test_fewer_spine_rows_of_a_hot_key_are_advised_where_they_help(hot_key):
    [view] = NUMBERS.views
    cost = cost_of(view, hot_key["v"])
    left = cost.of_chunk(600_000, 1_500_000)
    budget = Budget(NUMBERS, (cost,), limiter=Limiter(left))

    helps = budget.refusal(cost, "view 'v' with id=7", 600_000, 2_000_000)
    too_large = budget.refusal(cost, "view 'v' with id=7", 600_000, 4_000_000)

    assert "spine rows" in helps.fix
    assert "spine rows" not in too_large.fix
    assert f"memory_limit leaves {format_megabytes(left)}" in helps.found


def test_a_chunk_that_is_too_large_is_answered_in_halves(hot_key):
    keys = np.arange(100, 200)
    spine = pa.table({"id": keys, "at": pa.array([10**6] * 100, UTC_MICROS)})
    with pytest.raises(RequestError) as refused:
        budget_for(NUMBERS, spine, hot_key, 1_000_000, 2)

    # One chunk of 300,000 rows, where 10,000 fit.
    answers = answer(NUMBERS, spine, hot_key, memory_limit=limit_in(refused), rows_per_chunk=10**9)

    last = 600_000 + 3_000 * np.arange(1, 101) - 1
    assert answers["x"].to_pylist() == np.sqrt(last).tolist()


def test_a_view_without_keys_that_does_not_fit_is_refused_with_a_limit_that_is_enough(tmp_path):
    view = replace(VIEW, keys=(), columns=VIEW.columns[:1])
    moments = np.arange(100_000, dtype=np.int64)
    table = feature_table({}, moments, {"x": np.sqrt(moments)})
    query, spine = Query("call()", (view,)), spine_of(3).drop(["id"])
    snapshots = {"v": write_runs(tmp_path, [table])}

    with pytest.raises(RequestError) as refused:
        answer(query, spine, snapshots, memory_limit=5_000_000)
    answers = answer(query, spine, snapshots, memory_limit=limit_in(refused))

    facts = ("50,000 stored rows", "view 'v'", "3 spine rows")
    assert [fact for fact in facts if fact not in refused.value.found] == []
    assert answers["x"].to_pylist() == [0.0, 1.0, np.sqrt(2)]
