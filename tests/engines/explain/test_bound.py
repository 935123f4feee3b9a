"""A cell of an answer is explained from the rows of the pinned version."""

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from featurestore.definitions.model.types import Float64, Int64
from featurestore.engines.explain.bound import explain_bound
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Query, ViewQuery, Window
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta.snapshot import Snapshot
from tests.tables import feature_table, write_runs

KEYS = (KeyBinding("id", "card", Int64),)
NEWEST = ViewQuery("v", keys=KEYS, timestamp_field="at", columns=(Column("x", "x", Float64),))
TOTAL = Aggregate("s", column="x", dtype=Float64, function="sum", window=Window(9), result=Float64)
TOTALS = ViewQuery("w", keys=KEYS, timestamp_field="paid_at", aggregates=(TOTAL,))
QUERY = Query("call()", (NEWEST, TOTALS))
BOUND = pa.table(
    {
        "card": pa.array([2, 1, None]),
        "at": pa.array([30, 25, 30], UTC_MICROS),
        "paid_at": pa.array([12, 20, 12], UTC_MICROS),
    }
)


@pytest.fixture
def snapshots(tmp_path) -> dict[str, Snapshot]:
    """Keys 1 and 2, each with rows at 10 and 20. A later commit adds a row of key 1 at 24."""
    table = feature_table({"id": [1, 1, 2, 2]}, [10, 20, 10, 20], {"x": [1.0, 2.0, 3.0, 4.0]})
    pinned = {name: write_runs(tmp_path / name, [table]) for name in "vw"}
    newer = feature_table({"id": [1]}, [24], {"x": [9.0]})
    write_deltalake(str(tmp_path / "v"), newer, mode="append")
    return pinned


def test_the_winning_row_is_the_one_of_the_pinned_version(snapshots) -> None:
    explanation = explain_bound(QUERY, BOUND, snapshots, {}, 1, "x")

    assert (explanation.reason, explanation.view) == ("answered", "v")
    assert explanation.version == snapshots["v"].version
    assert explanation.row["x"] == 2.0


def test_a_view_is_explained_at_its_own_time_column(snapshots) -> None:
    explanation = explain_bound(QUERY, BOUND, snapshots, {}, 0, "s")

    assert (explanation.view, explanation.reason) == ("w", "answered")
    assert [row["x"] for row in explanation.rows] == [3.0]


def test_a_null_key_is_explained_without_rows(snapshots) -> None:
    explanation = explain_bound(QUERY, BOUND, snapshots, {}, 2, "x")

    assert (explanation.reason, explanation.row) == ("null_key", None)
    assert "'card'" in explanation.text


def test_an_explanation_is_printed_with_its_feature_view_and_version(snapshots) -> None:
    explanation = explain_bound(QUERY, BOUND, snapshots, {}, 1, "x")

    version = snapshots["v"].version
    assert str(explanation) == f"x (v at version {version}): {explanation.text}"
    assert explanation.lines == (explanation.text,)
