"""Keys that a view has no row of are counted, exactly or not at all."""

import pyarrow as pa
import pytest

from featurestore.definitions.model.types import Array, Float64, Int64, Map, String
from featurestore.engines.explain.absent_keys import absent_keys
from featurestore.engines.kernel import answer_view
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Query, ViewQuery, Window
from featurestore.store.columns import UTC_MICROS
from tests.tables import feature_table, write_runs

HOUR = 3_600_000_000
X = Column("x", "x", Float64)
SUM = Aggregate(
    "x_sum", column="x", dtype=Float64, function="sum", window=Window(HOUR), result=Float64
)
COUNT = Aggregate("n", column="*", dtype=None, function="count", window=Window(1), result=Int64)
LISTS = Aggregate(
    "l",
    column="x",
    dtype=Float64,
    function="last_n",
    window=Window(1),
    result=Array(Float64),
    number=2,
)
MAPS = Aggregate(
    "m",
    column="*",
    dtype=None,
    function="count",
    window=Window(1),
    result=Map(String, Int64),
    by="id",
)
FILLED = Aggregate(
    "f", column="x", dtype=Float64, function="sum", window=Window(1), result=Float64, empty=0.5
)


def view(*keys: KeyBinding, **features: tuple[object, ...]) -> ViewQuery:
    return ViewQuery("load", keys=keys, timestamp_field="t", **features)


def found(tmp_path, query, stored, spine, limit=None):
    keys = {each.key: stored[each.key] for each in query.keys}
    rows = len(next(iter(stored.values())))
    times = [HOUR * (1 + number) for number in range(rows)]
    values = {"x": [1.0] * rows}
    snapshot = write_runs(tmp_path / "t", [feature_table(keys, times, values)])
    bound = pa.table(spine)
    bound = bound.append_column("t", pa.array([100 * HOUR] * bound.num_rows, UTC_MICROS))
    answers = answer_view(query, bound, pa.table(feature_table(keys, times, values)))
    result = absent_keys(Query("ask", (query,)), bound, answers, {"load": snapshot}, limit)
    return result.get("load")


SITE = KeyBinding("id", "site", String)


def test_keys_without_their_zeros_are_named_with_the_stored_ones(tmp_path):
    spine = {"site": ["40", "41", "7", None]}

    absent = found(tmp_path, view(SITE, columns=(X,)), {"id": ["007", "040"]}, spine)

    assert (absent.view, absent.rows, absent.of) == ("load", 3, 3)
    assert absent.key == {"site": "40"}
    assert absent.stored == {"site": ("007", "040")}
    assert "dtype={'site': str}" in str(absent)


@pytest.mark.parametrize(
    "features", [(SUM,), (COUNT,), (LISTS,), (MAPS,), (FILLED,), (SUM, COUNT)]
)
def test_windows_without_rows_of_a_key_count_too(tmp_path, features):
    spine = {"site": ["x", "y", "007"]}

    absent = found(tmp_path, view(SITE, aggregates=features), {"id": ["007"]}, spine)

    assert (absent.rows, absent.of) == (2, 3)


def test_a_stored_key_without_an_answer_is_not_absent(tmp_path):
    # The windows are empty at the moment, but the view has rows of both keys.
    spine = {"site": ["a", "b"]}

    assert found(tmp_path, view(SITE, aggregates=(SUM,)), {"id": ["a", "b"]}, spine) is None


def test_a_few_unknown_keys_are_usual(tmp_path):
    spine = {"site": ["a", "b", "new"]}

    assert found(tmp_path, view(SITE, columns=(X,)), {"id": ["a", "b"]}, spine) is None


def test_keys_compare_as_tuples_and_by_value(tmp_path):
    keys = KeyBinding("id", "a", Int64), KeyBinding("part", "b", Int64)
    stored = {"id": pa.array([1, 2], pa.int32()), "part": [10, 20]}
    spine = {"a": [1, 2, 1], "b": [20, 10, 10]}

    absent = found(tmp_path, view(*keys, columns=(X,)), stored, spine)

    assert (absent.rows, absent.of, absent.key) == (2, 3, {"a": 1, "b": 20})


def test_nothing_is_looked_up_beyond_the_memory_limit_or_without_keys(tmp_path):
    spine = {"site": ["x"]}

    assert found(tmp_path, view(SITE, columns=(X,)), {"id": ["a"]}, spine, limit=1) is None


def test_nulls_alone_are_no_absent_keys(tmp_path):
    spine = {"site": pa.array([None, None], pa.string())}

    assert found(tmp_path, view(SITE, columns=(X,)), {"id": ["a"]}, spine) is None
