"""The names of failed checks beside each row: rows that are not checked keep theirs."""

import pyarrow as pa
import pytest

from featurestore.engines.spark.write.masks import mask_rows

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


def masked(
    amounts: list[float | None], reasons: list[list[str] | None], **columns: pa.Array
) -> dict[str, list[object]]:
    rows = pa.table({"amount": amounts, **columns, "_reasons": pa.array(reasons, NAMES)})
    return mask_rows(evaluate, rows).select(["_reasons", "_warnings"]).to_pydict()


def test_each_row_has_its_reasons_and_warnings() -> None:
    assert masked([-1.0, 1.0, 200.0], [None, None, None]) == {
        "_reasons": [["low"], None, None],
        "_warnings": [None, None, ["high"]],
    }


def test_a_row_with_a_reason_is_not_checked() -> None:
    reasons = [None, ["null_key"], None, ["null_time"]]

    assert masked([-1.0, None, 200.0, None], reasons) == {
        "_reasons": [["low"], ["null_key"], None, ["null_time"]],
        "_warnings": [None, None, ["high"], None],
    }


def test_a_tombstone_is_not_checked() -> None:
    deleted = pa.array([True, False, None])

    assert masked([None, -1.0, -2.0], [None] * 3, _deleted=deleted) == {
        "_reasons": [None, ["low"], ["low"]],
        "_warnings": [None, None, None],
    }


@pytest.mark.parametrize("reasons", [[], [["null_key"]] * 2])
def test_there_may_be_no_row_to_check(reasons: list[list[str] | None]) -> None:
    amounts: list[float | None] = [None] * len(reasons)

    assert masked(amounts, reasons)["_reasons"] == reasons
