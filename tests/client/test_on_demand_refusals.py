"""Errors of on-demand features: at plan time where possible, otherwise when they are read."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import featurestore as fs
from featurestore.engines.on_demand.sql_session import _database
from featurestore.errors import (
    DefinitionError,
    NotFoundError,
    OnDemandError,
    RequestError,
    SetupError,
    SpineError,
)
from tests.client.on_demand_shop import (
    FUNCTION,
    ON_DEMAND,
    SERVICES,
    SPINE,
    answers,
    filled_shop,
    project,
    returning,
)
from tests.client.shop import DEFINITIONS, at

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TIMES = pa.timestamp("us", "UTC")


@pytest.fixture
def shop(tmp_path: Path, session: "SparkSession | None") -> fs.FeatureStore:
    return filled_shop(tmp_path, session)


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ({"pirce": [1.0]}, ["'price'", "'shape'", "'checkout'", "Did you mean 'pirce'"]),
        ({"price": ["1.0"]}, ["'price'", "'checkout'", "string", "Float64", "spine['price']"]),
        ({"price": [1.0], "pieces": [2.5]}, ["'pieces'", "double", "Int32", "spine['pieces']"]),
        ({"price": [1.0], "pieces": [2**31]}, ["'pieces'", "Int32", str(2**31)]),
        ({"price": [2**53 + 1]}, ["'price'", "Float64", str(2**53 + 1)]),
        ({"price": [1.0], "share": [1.0]}, ["'share'", "'shape'", "spine column", "with_prefix"]),
    ],
)
def test_request_values_have_their_declared_types_or_are_an_error(
    shop: fs.FeatureStore, columns: dict[str, Any], parts: list[str], engine: str
) -> None:
    spine = pa.table({"id": [1], "event_timestamp": [at(5)], "pieces": [1], **columns})

    with pytest.raises(SpineError) as error:
        shop.get_historical_features("shape", spine, engine=engine).to_arrow()

    assert [part for part in parts if part not in str(error.value)] == []


def test_rows_without_a_moment_are_an_error_or_kept_with_the_features_that_need_none(
    shop: fs.FeatureStore, engine: str
) -> None:
    spine = pa.table({**SPINE, "event_timestamp": pa.array([None] * 5, TIMES)})

    with pytest.raises(SpineError, match="5 of 5 rows"):
        shop.get_historical_features("worth", spine, engine=engine)
    kept = answers(
        shop.get_historical_features(["shape", "worth"], spine, null_times="keep", engine=engine)
    )
    assert kept["hour"] == [None] * 5
    assert kept["worth"] == [6.0, 28.0, 30.0, 8.0, None]


def test_only_the_applied_function_is_run(shop: fs.FeatureStore, tmp_path: Path) -> None:
    faster = FUNCTION.replace("RATE = 2.0", "RATE = 3.0")
    project(tmp_path, DEFINITIONS + ON_DEMAND + faster + SERVICES)

    with pytest.raises(DefinitionError, match=r"worth_of"):
        shop.get_historical_features("worth", pa.table(SPINE))
    hours = answers(shop.get_historical_features("shape:hour", pa.table(SPINE)))
    assert hours == {"hour": [2, 5, 5, 5, 5]}

    shop.apply(shop.plan())
    frame = shop.get_historical_features("worth:worth", pa.table(SPINE))
    assert answers(frame) == {"worth": [9.0, 42.0, 45.0, 12.0, None]}


def test_a_new_comment_does_not_change_a_function(shop: fs.FeatureStore, tmp_path: Path) -> None:
    remarked = FUNCTION.replace("    total =", "    # in euros\n    total =")
    project(tmp_path, DEFINITIONS + ON_DEMAND + remarked + SERVICES)

    assert shop.plan().is_empty
    frame = shop.get_historical_features("worth:worth", pa.table(SPINE))
    assert answers(frame) == {"worth": [6.0, 28.0, 30.0, 8.0, None]}


def test_sql_features_and_status_do_not_import_definitions(
    shop: fs.FeatureStore, tmp_path: Path
) -> None:
    (tmp_path / "feature_defs" / "shop.py").write_text("raise RuntimeError('imported')")

    hours = answers(shop.get_historical_features("shape:hour", pa.table(SPINE)))

    assert hours == {"hour": [2, 5, 5, 5, 5]}
    states = [(view.view, view.features, view.state) for view in shop.status()]
    assert states[-2:] == [("shape", 3, "on demand"), ("worth", 2, "on demand")]
    with pytest.raises(DefinitionError, match=r"shop.py:1: .*RuntimeError: import"):
        shop.get_historical_features("worth", pa.table(SPINE))


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ('{"worth": inputs["price"]}', ["'known'"]),
        ('{"worth": total, "known": total, "more": total}', ["'more'"]),
        (
            '{"worth": pc.is_null(total), "known": pc.is_null(total)}',
            ["'worth'", "bool, not Float64"],
        ),
        ('{"worth": 3.0, "known": total}', ["float", "'worth'"]),
        ("inputs.to_pylist()", ["list", "pyarrow.Table"]),
        ('inputs.select(["price", "price"])', ["['price', 'price']"]),
        ('{"worth": inputs["prize"]}', ["KeyError", "prize", "feature_defs/shop.py:"]),
        ('{"worth": 1 / 0}', ["ZeroDivisionError: division by zero", "shop.py:"]),
    ],
)
def test_a_wrong_function_is_an_error_with_its_file_and_line(
    tmp_path: Path, body: str, parts: list[str], session: "SparkSession | None", engine: str
) -> None:
    store = project(tmp_path, returning(body), session)
    store.apply(store.plan())

    with pytest.raises(OnDemandError) as error:
        store.get_historical_features("worth", pa.table(SPINE), engine=engine).to_arrow()

    require_parts(store, error.value, parts)


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ('{"worth": total[:2], "known": pc.is_null(total)}', ["2 values of 'worth' for 5 rows"]),
        (
            '{"worth": pc.cumulative_sum(total, skip_nulls=True), "known": pc.is_valid(total)}',
            ["'worth' of row 2", "32.0", "5 rows", "15.0"],
        ),
    ],
)
def test_a_function_that_depends_on_its_rows_is_an_error_with_their_number(
    tmp_path: Path, body: str, parts: list[str]
) -> None:
    """In process, where all rows are together."""
    store = project(tmp_path, returning(body))
    store.apply(store.plan())

    with pytest.raises(OnDemandError) as error:
        store.get_historical_features("worth", pa.table(SPINE))

    require_parts(store, error.value, parts)


def require_parts(store: fs.FeatureStore, error: OnDemandError, parts: list[str]) -> None:
    """Fail unless an error names the on-demand view, its function, and some parts."""
    line = store.applied().on_demand_view("worth").origin.line
    origin = f"on-demand view 'worth' (feature_defs/shop.py:{line})"
    expected = [origin, "worth_of()", *parts]
    assert [part for part in expected if part not in str(error)] == []


def test_a_function_may_return_a_table_with_its_columns_in_any_order(
    tmp_path: Path, session: "SparkSession | None", engine: str
) -> None:
    body = 'pa.table({"known": pc.is_valid(total), "worth": inputs["pieces"]})'
    store = project(tmp_path, returning(body), session)
    store.apply(store.plan())

    frame = store.get_historical_features("worth", pa.table(SPINE), engine=engine)

    assert answers(frame) == {
        "worth": [1.0, 2.0, 3.0, 4.0, 5.0],
        "known": [True, True, True, True, False],
    }


def test_features_of_request_values_alone_need_no_table(tmp_path: Path) -> None:
    store = project(tmp_path, returning('{"worth": doubled(total), "known": pc.is_valid(total)}'))
    store.apply(store.plan())

    frame = store.get_latest_features("worth", [{"price": 2, "pieces": 3}])

    assert answers(frame) == {"worth": [12.0], "known": [True]}


def test_wrong_sql_is_an_error_of_plan_with_its_file_and_line(tmp_path: Path) -> None:
    wrong = ON_DEMAND.replace("price * pieces", "pirce * pieces").replace("= 'a'", "|| 'a'")
    store = project(tmp_path, DEFINITIONS + wrong)

    with pytest.raises(DefinitionError) as error:
        store.plan()

    before = (DEFINITIONS + ON_DEMAND).partition("shape =")[0]
    origin = f"shop.py:{before.count(chr(10)) + 1}: on-demand view 'shape'"
    share, at_home = [line for line in str(error.value).splitlines() if origin in line]
    for part in ("'share'", "'pirce'", "Did you mean 'price'"):
        assert part in share
    for part in ("'at_home'", "string", "Boolean"):
        assert part in at_home


def test_without_duckdb_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = project(tmp_path, DEFINITIONS + ON_DEMAND)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    _database.cache_clear()

    with pytest.raises(SetupError, match=r"duckdb.*featurestore\[duckdb\]"):
        store.plan()


def test_an_on_demand_view_cannot_be_materialized(shop: fs.FeatureStore) -> None:
    with pytest.raises(NotFoundError, match=r"'shape'.*on-demand"):
        shop.materialize(["shape"])


def test_names_that_are_not_applied_are_errors_with_near_names(shop: fs.FeatureStore) -> None:
    with pytest.raises(NotFoundError, match=r"'shap'.*Did you mean 'shape'"):
        shop.get_latest_features("shap:hour", [{"id": 1}])
    with pytest.raises(NotFoundError, match=r"'hours'.*Did you mean 'hour"):
        shop.get_latest_features("shape:hours", [{"id": 1}])
    with pytest.raises(RequestError, match=r"'hour'.*'shape'.*'shape:hour'"):
        shop.get_latest_features(["shape:hour", "activity", "shape:hour"], [{"id": 1}])
