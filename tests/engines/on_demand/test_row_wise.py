"""Two rows, computed once more without the others, show whether a function uses other rows."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from featurestore.engines.on_demand.row_wise import Columns, other_rows_problem, same_answer

ROWS = pa.table({"x": [1.0, 2.0, 4.0, 8.0, 16.0]})


def feature(values: pa.ChunkedArray) -> Columns:
    return {"feature": values}


@pytest.mark.parametrize(
    ("compute", "row"),
    [
        (lambda rows: feature(pc.cumulative_sum(rows["x"])), 2),
        (lambda rows: feature(pa.chunked_array([[pc.max(rows["x"]).as_py()] * len(rows)])), None),
        (lambda rows: feature(pc.subtract(rows["x"], pc.mean(rows["x"]))), 2),
        (lambda rows: feature(pc.multiply(rows["x"], 2)), None),
    ],
    ids=["running sum", "maximum, which is the last row's", "distance to the mean", "row by row"],
)
def test_the_first_of_the_two_rows_that_differs_is_named(
    compute: Callable[[pa.Table], Columns], row: int | None
) -> None:
    problem = other_rows_problem(ROWS, compute(ROWS), compute)

    assert problem.startswith(f"'feature' of row {row} is ") if row is not None else not problem


def test_a_single_row_is_not_computed_again() -> None:
    def fail(rows: pa.Table) -> Columns:
        raise AssertionError(rows)

    assert other_rows_problem(ROWS.slice(0, 1), feature(ROWS["x"].slice(0, 1)), fail) == ""


@pytest.mark.parametrize(
    ("among", "alone", "same"),
    [
        (1e6, 1e6 + 1e-4, True),
        (1e6, 1e6 + 1e-2, False),
        ([1e6, None], [1e6 + 1e-4, None], True),
        (float("nan"), float("nan"), True),
        (float("inf"), 1e300, False),
        (10**9, 10**9 + 1, False),
        ("a", "b", False),
        (None, 0.0, False),
    ],
)
def test_only_floats_may_differ_and_by_a_billionth_at_most(among, alone, same) -> None:
    assert same_answer(among, alone) == same
