"""The engine in process answers as the reference does, for any files and chunks."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import Int64
from featurestore.engines import reference
from featurestore.engines.retrieval.answer import answer
from featurestore.errors import SumOverflowError
from featurestore.query.nodes import Aggregate, KeyBinding, Query, ViewQuery, Window
from featurestore.store.columns import UTC_MICROS
from tests.effort import examples
from tests.engines.kernel.compare import wrong_cells
from tests.engines.kernel.worlds import World, worlds
from tests.engines.stored_world import MANY, ask_world, write_world
from tests.tables import feature_table, write_runs


@given(worlds(), st.integers(1, 3), st.sampled_from([1, 3, MANY]))
@examples(60)
def test_answers_equal_the_reference_for_any_files_and_chunks(
    world: World, commits: int, rows_per_chunk: int
) -> None:
    try:
        expected = reference.answer(world.query, world.spine, world.rows)
    except reference.IntegerOverflowError:
        expected = None
    with tempfile.TemporaryDirectory() as folder:
        snapshot = write_world(world, Path(folder) / "table", commits=commits)
        try:
            answers = ask_world(world, snapshot, rows_per_chunk)
        except SumOverflowError:
            answers = None

    assert (answers is None) == (expected is None)
    if expected is not None:
        assert wrong_cells(world, expected, answers) == []


def test_a_sum_that_overflows_names_the_call_the_feature_and_the_row_of_the_spine(tmp_path):
    total = Aggregate("s", column="n", dtype=Int64, function="sum", window=Window(9), result=Int64)
    view = ViewQuery(
        "v",
        keys=(KeyBinding("id", "card", Int64),),
        timestamp_field="at",
        aggregates=(total, replace(total, output="m", function="max")),
    )
    table = feature_table({"id": [1, 2, 2]}, [1, 2, 3], {"n": [5, 2**62, 2**62]})
    snapshots = {"v": write_runs(tmp_path, [table])}
    spine = pa.table({"card": [2, 1, 2], "at": pa.array([9, 9, 3], UTC_MICROS)})

    fits = answer(Query("call()", (view,)), spine.slice(1), snapshots)
    with pytest.raises(SumOverflowError) as overflow:
        answer(Query("call()", (view,)), spine, snapshots)

    assert fits.to_pydict() == {"s": [5, 2**62], "m": [5, 2**62]}
    assert overflow.value.call.startswith("call()")
    assert "(row 0)" in overflow.value.found
    assert "'s'" in str(overflow.value)


def test_a_query_without_views_has_a_row_without_columns_for_each_spine_row() -> None:
    spine = pa.table({"at": pa.array([9, 9], UTC_MICROS)})

    answers = answer(Query("call()", ()), spine, {})

    assert (answers.num_rows, answers.column_names) == (2, [])
