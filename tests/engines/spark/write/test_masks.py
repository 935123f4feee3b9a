"""The names of failed checks beside each row: a row that is not checked has none."""

import pyarrow as pa
import pytest

from featurestore.engines.spark.write.masks import verdicts

NAMES = pa.list_(pa.string())


def evaluate(rows: pa.Table) -> tuple[pa.Array, pa.Array]:
    """Fail amounts below 0, and warn of those above 100; refuse rows that must not be checked."""
    amounts = rows["amount"].to_pylist()
    if None in amounts:
        raise ValueError(amounts)
    return (
        pa.array([["low"] if amount < 0 else None for amount in amounts], NAMES),
        pa.array([["high"] if amount > 100 else None for amount in amounts], NAMES),
    )


def named(amounts: list[float | None], is_checked: list[bool]) -> dict[str, list[object]]:
    rows = pa.table({"amount": pa.array(amounts, pa.float64())})
    found = verdicts(evaluate, rows, pa.array(is_checked, pa.bool_()))
    return {name: found.field(name).to_pylist() for name in ("_reasons", "_warnings")}


def test_each_row_has_its_reasons_and_warnings() -> None:
    assert named([-1.0, 1.0, 200.0], [True] * 3) == {
        "_reasons": [["low"], None, None],
        "_warnings": [None, None, ["high"]],
    }


def test_a_row_that_is_not_checked_has_no_names() -> None:
    is_checked = [False, True, False, True, True, False]

    assert named([None, -1.0, None, 1.0, 200.0, None], is_checked) == {
        "_reasons": [None, ["low"], None, None, None, None],
        "_warnings": [None, None, None, None, ["high"], None],
    }


@pytest.mark.parametrize("count", [0, 2])
def test_there_may_be_no_row_to_check(count: int) -> None:
    assert named([None] * count, [False] * count) == {
        "_reasons": [None] * count,
        "_warnings": [None] * count,
    }
