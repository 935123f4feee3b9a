"""Verification computes each row's on-demand features alone and finds use of other rows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given

import featurestore as fs
from featurestore.client.reader import Reader
from featurestore.client.request import Request
from featurestore.client.verify import on_demand
from featurestore.client.verify.on_demand import SampledRows
from featurestore.engines.kernel.functions.table import AGGREGATORS
from featurestore.errors import DefinitionError, OnDemandError, RequestError
from featurestore.query.compile import compile_query
from tests.client.on_demand_shop import SPINE, fill, filled_shop, project, returning
from tests.client.shop import DEFINITIONS, HOUR, at, write_view
from tests.client.test_on_demand import NAMES, TYPES, rows_of_spines
from tests.effort import examples
from tests.tables import feature_table

TABLE = pa.table(SPINE)
# Each call tries two rows alone: of five, the third and the last. Both have a price.
PRICES = pa.array([3.0, None, 5.0, 1.0, 2.0], pa.float64())
FILLED = '{"worth": pc.fill_null(total, pc.mean(total)), "known": pc.is_valid(total)}'
CALM = """
calm = fs.OnDemandFeatureView(
    "calm",
    sources=(activity[["amount_sum_2h", "count_2h"]], rate),
    schema=(fs.Field("each", fs.Float64),),
    transform={"each": "coalesce(amount_sum_2h / count_2h, euro)"},
)
"""


def shop_with(folder: Path, text: str) -> fs.FeatureStore:
    store = project(folder, text)
    store.apply(store.plan())
    fill(store)
    return store


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> fs.FeatureStore:
    return filled_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def filling(tmp_path_factory: pytest.TempPathFactory) -> fs.FeatureStore:
    """A store whose function replaces nulls with the mean of all rows."""
    return shop_with(tmp_path_factory.mktemp("filling"), returning(FILLED))


def test_right_functions_and_expressions_are_verified(shop: fs.FeatureStore) -> None:
    result = shop.verify(["worth", "shape"], spine=TABLE)

    assert (result.ok, result.cells) == (True, 45)
    assert [(view.view, view.version, view.rows, view.cells) for view in result.views] == [
        ("activity", 0, 5, 15), ("profile", 0, 5, 5),
        ("worth", None, 5, 10), ("shape", None, 5, 15),
    ]  # fmt: skip


def test_a_function_that_uses_other_rows_is_found_even_if_its_trial_finds_nothing(
    filling: fs.FeatureStore,
) -> None:
    spine = TABLE.set_column(2, "price", PRICES)
    answers = filling.get_historical_features("worth", spine).to_arrow()["worth"].to_pylist()

    result = filling.verify("worth", spine=spine)

    assert answers == [3.0, 8.0, 15.0, 4.0, 10.0]
    (difference,) = result.differences
    assert (difference.view, difference.feature) == ("worth", "worth")
    assert (difference.engine, difference.reference) == (8.0, None)
    assert (difference.key, difference.moment) == ({"price": None, "pieces": 2}, at(5))
    line = filling.applied().on_demand_view("worth").origin.line
    for part in ("worth_of()", f"feature_defs/shop.py:{line}", "5 in all"):
        assert part in difference.reason
    assert difference.reason.endswith(
        "price = null, pieces = 2, event_timestamp = 1970-01-01 05:00:00+00:00"
    )
    assert difference.explain_command == (
        "featurestore explain worth price,pieces=2 --at 1970-01-01T05:00:00+00:00"
    )
    assert str(result).startswith("1 of 10 values differ")


@given(rows=rows_of_spines)
@examples(40)
def test_exactly_the_rows_that_are_filled_from_others_differ(
    filling: fs.FeatureStore, rows: list[tuple[Any, ...]]
) -> None:
    columns = zip(NAMES, TYPES, zip(*rows, strict=True), strict=True)
    spine = pa.table({name: pa.array(values, kind) for name, kind, values in columns})
    missing = [price is None or pieces is None for _, _, price, pieces in rows]

    differences = filling.verify("worth", spine=spine).differences

    assert len(differences) == (0 if all(missing) else sum(missing))
    assert {each.feature for each in differences} <= {"worth"}


@given(rows=rows_of_spines)
@examples(10)
def test_right_functions_have_no_difference_whatever_the_rows_hold(
    shop: fs.FeatureStore, rows: list[tuple[Any, ...]]
) -> None:
    columns = zip(NAMES, TYPES, zip(*rows, strict=True), strict=True)
    spine = pa.table({name: pa.array(values, kind) for name, kind, values in columns})

    assert shop.verify("everything", spine=spine).differences == ()


def test_a_function_that_fails_for_a_row_alone_is_found(tmp_path: Path) -> None:
    body = '{"worth": total, "known": pc.equal(total, total[1])}'
    store = shop_with(tmp_path, returning(body))

    differences = store.verify("worth", spine=TABLE).differences

    assert len(differences) == 10
    assert {each.reference for each in differences} == {on_demand.FAILS}
    assert "IndexError" in differences[0].reason


def test_a_function_that_fails_for_all_rows_or_was_changed_is_an_error(tmp_path: Path) -> None:
    store = shop_with(tmp_path, returning('{"worth": inputs["prize"]}'))

    with pytest.raises(OnDemandError, match=r"KeyError: .*prize"):
        store.verify("worth", spine=TABLE)
    project(tmp_path, returning('{"worth": inputs["price"]}'))
    with pytest.raises(DefinitionError, match=r"worth_of"):
        store.verify("worth", spine=TABLE)


def test_without_a_spine_features_with_request_values_are_skipped(shop: fs.FeatureStore) -> None:
    result = shop.verify("everything", sample=20)

    assert result.ok
    assert [(each.view, each.features) for each in result.skipped] == [
        ("worth", ("worth", "known")), ("shape", ("now_hour", "now_share")),
    ]  # fmt: skip
    for each in result.skipped:
        assert "'price', 'pieces'" in each.reason
        assert "spine=" in each.fix
    assert str(result).endswith("not checked: worth, known, now_hour, now_share")


def test_a_missing_request_value_is_named_with_near_columns(shop: fs.FeatureStore) -> None:
    spine = TABLE.rename_columns({"price": "prices"})

    result = shop.verify("worth", spine=spine)

    assert [view.view for view in result.views] == ["activity"]
    (skipped,) = result.skipped
    assert (skipped.view, skipped.features) == ("worth", ("worth", "known"))
    assert "'price'" in skipped.reason
    assert "'prices' or 'pieces'" in skipped.fix


def test_without_request_values_moments_around_events_are_checked(tmp_path: Path) -> None:
    store = shop_with(tmp_path, DEFINITIONS + CALM)
    write_view(store, "rate", feature_table({}, [HOUR], {"euro": [1.5]}))

    result = store.verify("calm", sample=30)

    assert (result.ok, result.skipped) == (True, ())
    view = result.views[-1]
    assert (view.view, view.rows, view.cells) == ("calm", result.views[0].rows, view.rows)
    assert view.rows > 10


def test_inputs_whose_keys_no_view_has_together_are_skipped(
    tmp_path: Path,
) -> None:
    payer = CALM.replace("activity[[", 'activity.with_join_keys({"id": "payer"})[[')
    two = payer.replace("rate)", "profile)").replace("euro)", "length(city))")
    store = shop_with(tmp_path, DEFINITIONS + two)
    spine = [{"id": 1, "payer": 1, "event_timestamp": at(hour)} for hour in (1, 2, 3)]

    (skipped,) = store.verify("calm").skipped
    result = store.verify("calm", spine=spine)

    assert ("keys" in skipped.reason, "spine=" in skipped.fix) == (True, True)
    assert (result.ok, result.skipped, result.views[-1].rows) == (True, (), 3)


def test_a_wrong_input_is_one_difference_with_the_features_that_use_it(
    shop: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(AGGREGATORS, "sum", AGGREGATORS["max"])

    result = shop.verify(["shape"], spine=TABLE)

    assert {(each.view, each.used_by) for each in result.differences} == {
        ("activity", ("shape:share",))
    }


def test_a_leak_names_the_on_demand_features_that_use_it(shop: fs.FeatureStore) -> None:
    spine = TABLE.set_column(1, "event_timestamp", pa.array([at(2)] * 5, TYPES[1]))

    (leak,) = shop.verify("shape", spine=spine, leakage=True).leaks

    assert (leak.view, leak.feature) == ("profile", "last_city, for shape")
    assert leak.used_by == ("shape:at_home",)
    assert "profile.strictly_before()" in leak.fix
    assert "sources of shape" in leak.fix


def test_no_more_rows_than_the_limit_are_computed_alone(
    filling: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_demand, "MOST_SINGLE_ROWS", 2)

    (view,) = filling.verify("worth", spine=TABLE).views

    assert (view.rows, view.cells, view.unchecked_rows) == (2, 4, 3)


def test_no_rows_give_no_difference(filling: fs.FeatureStore) -> None:
    (view,) = filling.verify("worth", spine=TABLE.slice(0, 0)).views

    assert (view.rows, view.differences) == (0, ())


def test_inputs_are_answered_within_the_memory_limit(shop: fs.FeatureStore) -> None:
    settings = replace(shop.settings, memory_limit=50)
    reader = Reader(shop.layout, settings)
    query = compile_query(shop.applied(), "worth", call="verify('worth')")
    snapshots = reader.pin(query, shop.applied())
    sampled = SampledRows(Request(query.call, "worth"), reader, snapshots, [TABLE], True, 0)

    with pytest.raises(RequestError, match="memory_limit is 50B"):
        on_demand.check_on_demand(query, query.on_demand[0], None, sampled)
