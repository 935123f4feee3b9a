"""A node of on-demand features is computed, Arrow in and Arrow out, in any engine."""

import pickle
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from featurestore.definitions.model.types import Array, Float64, Int64
from featurestore.definitions.model.view import Code
from featurestore.engines.on_demand.compute import (
    compute,
    compute_unchecked,
    inputs_of,
    with_on_demand,
)
from featurestore.errors import OnDemandError
from featurestore.query.nodes import Input, OnDemand, Output, Query

ROWS = pa.table({"x": pa.array([1, None, 3], pa.int64()), "l": [[1.5], None, []]})
CALLED = Code("f", "def f(inputs): ...", "1", "defs.shapes")


def node(transform: Mapping[str, str] | Code, *outputs: Output) -> OnDemand:
    declared = tuple(output.name for output in outputs)
    return OnDemand(
        "shape",
        inputs=(),
        outputs=outputs,
        declared=declared,
        transform=transform,
        origin="defs/shapes.py:3",
    )


TWICE = Output("now_twice", "twice", Int64)


def test_features_have_their_names_in_the_answer_and_their_types() -> None:
    tens = Output("tens", "tens", Array(Float64))
    sql = {"twice": "x * 2", "tens": "[v * 10 for v in l]", "other": "1 / 0"}

    features = compute(node(sql, TWICE, tens), ROWS)

    assert features.to_pydict() == {"now_twice": [2, None, 6], "tens": [[15.0], None, []]}
    assert features.schema.types == [pa.int64(), pa.list_(pa.field("element", pa.float64()))]


def test_no_rows_give_no_features_but_their_types() -> None:
    features = compute(node(CALLED, TWICE), ROWS.slice(0, 0), fail)

    assert (features.num_rows, features.schema) == (0, pa.schema([("now_twice", pa.int64())]))


def fail(rows: pa.Table) -> Any:
    raise LookupError("no such shop")


@pytest.mark.parametrize("rows_per_call", [1, 2, 3])
def test_the_answers_are_the_same_for_any_number_of_rows_per_call(rows_per_call: int) -> None:
    def double(inputs: pa.Table) -> dict[str, pa.ChunkedArray]:
        return {"twice": pc.multiply(inputs["x"], 2)}

    for transform, function in (({"twice": "x * 2"}, None), (CALLED, double)):
        features = compute(node(transform, TWICE), ROWS, function, rows_per_call=rows_per_call)

        assert features.to_pydict() == {"now_twice": [2, None, 6]}


def test_a_node_travels_to_another_process() -> None:
    sent = node({"twice": "x * 2"}, TWICE)

    assert compute(pickle.loads(pickle.dumps(sent)), ROWS).equals(compute(sent, ROWS))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(SELECT 7)", "subquery"),
        ("x; DROP TABLE inputs", "single expression"),
        ("x) FROM read_text('/etc/hosts') --", ""),
        ("getvariable('x')", "'getvariable'"),
        ("y * 2", "unknown column 'y'"),
    ],
)
def test_sql_that_somebody_put_into_the_registry_is_not_run(text: str, reason: str) -> None:
    with pytest.raises(OnDemandError) as refused:
        compute(node({"twice": text}, TWICE), ROWS)

    assert "'shape' (defs/shapes.py:3)" in refused.value.call
    assert refused.value.found.startswith("the SQL of 'twice': ")
    assert reason in refused.value.found
    assert "featurestore apply" in refused.value.fix


def test_a_function_may_return_a_record_batch() -> None:
    def double(inputs: pa.Table) -> pa.RecordBatch:
        return pa.record_batch({"twice": pc.multiply(inputs["x"], 2).combine_chunks()})

    features = compute(node(CALLED, TWICE), ROWS, double)

    assert features.to_pydict() == {"now_twice": [2, None, 6]}


@pytest.mark.parametrize(
    ("result", "facts"),
    [
        ({"twice": [1, "a", 2]}, ["list", "'twice'"]),
        ({"twice": [1.5, 1.5, 1.5]}, ["feature 'twice'", "double", "Int64"]),
        ({"twice": pa.array([2**63] * 3, pa.uint64())}, ["feature 'twice'", "Int64", str(2**63)]),
        ({"twice": [2**70, 1, 2]}, ["list", "'twice'", "int too large"]),
        ({"twice": pa.array([1, 2])}, ["2 values", "'twice'", "3 rows"]),
        ({"twice": pa.array([1, 2, 3]), "more": pa.array([1, 2, 3])}, ["'more'", "schema"]),
        ({"twcie": pa.array([1, 2, 3])}, ["'twice'", "'twcie'"]),
    ],
)
def test_a_function_s_result_is_checked(result: Any, facts: list[str]) -> None:
    def answer(inputs: pa.Table) -> Any:
        return {name: values[: len(inputs)] for name, values in result.items()}

    with pytest.raises(OnDemandError) as refused:
        compute(node(CALLED, TWICE), ROWS, answer)

    assert "'shape' (defs/shapes.py:3) by f()" in refused.value.call
    assert [fact for fact in facts if fact not in refused.value.found] == []


@pytest.mark.parametrize(
    ("result", "fact"), [([1, 2, 3], "list"), (ROWS.select(["x", "x"]), "['x', 'x']")]
)
def test_a_result_that_has_no_columns_by_name_is_refused(result: Any, fact: str) -> None:
    with pytest.raises(OnDemandError) as refused:
        compute(node(CALLED, TWICE), ROWS, lambda rows: result)

    assert fact in refused.value.found


def test_an_error_of_the_function_names_its_class_its_text_and_its_line() -> None:
    with pytest.raises(OnDemandError) as failed:
        compute(node(CALLED, TWICE), ROWS, fail)

    line = fail.__code__.co_firstlineno + 1
    assert "LookupError: no such shop" in failed.value.found
    assert failed.value.found.endswith(f"test_compute.py:{line}")
    assert isinstance(failed.value.__cause__, LookupError)


def test_a_function_that_was_not_imported_is_an_error() -> None:
    with pytest.raises(OnDemandError) as refused:
        compute(node(CALLED, TWICE), ROWS)

    assert "by f()" in refused.value.call
    assert "featurestore apply" in refused.value.fix


@pytest.mark.parametrize(
    ("function", "row", "values"),
    [
        (lambda rows: {"twice": [pc.sum(rows["x"]).as_py()] * len(rows)}, 1, ("4", "3")),
        (lambda rows: {"twice": rows["x"].to_pylist()[::-1]}, 1, ("None", "3")),
        (lambda rows: {"twice": list(range(len(rows)))}, 1, ("1", "0")),
    ],
)
def test_a_function_that_uses_other_rows_is_refused(
    function: Any, row: int, values: tuple[str, str]
) -> None:
    with pytest.raises(OnDemandError) as refused:
        compute(node(CALLED, TWICE), ROWS, function)

    among, alone = values
    assert f"'twice' of row {row} is {among} " in refused.value.found
    assert f" {alone} in a table of 2 " in refused.value.found
    assert "featurestore apply" in refused.value.fix


def test_other_rows_are_not_looked_for_where_that_is_left_out() -> None:
    features = compute_unchecked(
        node(CALLED, TWICE), ROWS, lambda rows: {"twice": list(range(len(rows)))}
    )

    assert features.to_pydict() == {"now_twice": [0, 1, 2]}


def test_stored_and_computed_features_come_in_the_query_s_order() -> None:
    """The inputs of a node are stored features, request values and the moment."""
    stored = Input("x", column="x_sum", dtype=Int64)
    price = Input("price", column="price", dtype=Int64, source="checkout")
    total = node({"total": "x * price"}, Output("total", "total", Int64))
    query = Query(
        "call()",
        (),
        on_demand=(replace(total, inputs=(stored, price)),),
        order=("total", "x_sum"),
    )
    answers = pa.table({"x_sum": [2, 3], "unused": [0, 0]})

    inputs = inputs_of(query, answers, [pa.table({"price": [10, 20]})])
    features = with_on_demand(query, answers, inputs, {})

    assert [table.to_pydict() for table in inputs] == [{"x": [2, 3], "price": [10, 20]}]
    assert list(features.to_pydict().items()) == [("total", [20, 60]), ("x_sum", [2, 3])]
