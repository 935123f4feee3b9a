"""Computing a node, Arrow in and Arrow out, as any engine may do it."""

import pickle
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from featurestore.definitions.model.types import Array, Float64, Int64
from featurestore.definitions.model.view import Code
from featurestore.engines.on_demand.compute import compute
from featurestore.errors import OnDemandError
from featurestore.query.nodes import OnDemand, Output

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
        place="defs/shapes.py:3",
    )


TWICE = Output("now_twice", "twice", Int64)


def test_outputs_come_under_their_names_in_the_answer_with_their_types() -> None:
    tens = Output("tens", "tens", Array(Float64))
    asked = node({"twice": "x * 2", "tens": "[v * 10 for v in l]", "other": "1 / 0"}, TWICE, tens)

    found = compute(asked, ROWS)

    assert found.to_pydict() == {"now_twice": [2, None, 6], "tens": [[15.0], None, []]}
    assert found.schema.types == [pa.int64(), pa.list_(pa.field("element", pa.float64()))]


@pytest.mark.parametrize("rows_at_once", [1, 2, 3])
def test_however_many_rows_are_computed_at_once_the_answers_are_the_same(
    rows_at_once: int,
) -> None:
    def double(inputs: pa.Table) -> dict[str, pa.ChunkedArray]:
        return {"twice": pc.multiply(inputs["x"], 2)}

    for asked, function in (
        (node({"twice": "x * 2"}, TWICE), None),
        (node(CALLED, TWICE), double),
    ):
        found = compute(asked, ROWS, function, rows_at_once=rows_at_once)

        assert found.to_pydict() == {"now_twice": [2, None, 6]}


def test_a_node_travels_to_another_process() -> None:
    asked = node({"twice": "x * 2"}, TWICE)

    assert compute(pickle.loads(pickle.dumps(asked)), ROWS).equals(compute(asked, ROWS))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(SELECT 7)", "the SQL for 'twice': it holds a subquery"),
        ("x; DROP TABLE inputs", "the SQL for 'twice': it is not one expression"),
        ("x) FROM read_text('/etc/hosts') --", "the SQL for 'twice': "),
        ("getvariable('x')", "'getvariable' gives another value each time"),
        ("y * 2", "unknown column 'y'"),
    ],
)
def test_text_that_somebody_put_into_the_registry_is_not_run(text: str, message: str) -> None:
    with pytest.raises(OnDemandError, match=r"'shape' \(defs/shapes.py:3\): ") as told:
        compute(node({"twice": text}, TWICE), ROWS)

    assert message in told.value.found


def test_a_function_may_return_a_record_batch() -> None:
    def double(inputs: pa.Table) -> pa.RecordBatch:
        return pa.record_batch({"twice": pc.multiply(inputs["x"], 2).combine_chunks()})

    found = compute(node(CALLED, TWICE), ROWS, double)

    assert found.to_pydict() == {"now_twice": [2, None, 6]}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"twice": [1, "a", 2]}, "it returned a list as 'twice'"),
        ({"twice": [1.5, 1.5, 1.5]}, "feature 'twice': it is double, not Int64: cast it"),
        ({"twice": pa.array([2**63] * 3, pa.uint64())}, "it is declared Int64, and Integer value"),
        ({"twice": [2**70, 1, 2]}, "it returned a list as 'twice' (Python int too large"),
        ({"twice": pa.array([1, 2])}, "it returned 2 values of 'twice' for 3 rows"),
    ],
)
def test_what_a_function_returns_is_looked_at(result: Any, message: str) -> None:
    def answer(inputs: pa.Table) -> Any:
        return {name: values[: len(inputs)] for name, values in result.items()}

    with pytest.raises(OnDemandError, match=r"\(defs/shapes.py:3\) by f\(\)") as told:
        compute(node(CALLED, TWICE), ROWS, answer)

    assert message in told.value.found


def test_a_function_that_nobody_imported_is_not_made_up() -> None:
    with pytest.raises(OnDemandError, match="its function was not imported"):
        compute(node(CALLED, TWICE), ROWS)


@pytest.mark.parametrize(
    "function",
    [
        lambda rows: {"twice": [pc.sum(rows["x"]).as_py()] * len(rows)},
        lambda rows: {"twice": rows["x"].to_pylist()[::-1]},
        lambda rows: {"twice": list(range(len(rows)))},
    ],
)
def test_a_function_that_looks_at_other_rows_is_found_out(function: Any) -> None:
    with pytest.raises(OnDemandError, match=r"without the others, .*row alone"):
        compute(node(CALLED, TWICE), ROWS, function)
