"""A check of answers computes each row's on-demand features alone: who looked around is found."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given

import featurestore as fs
from featurestore.client.verify import on_demand
from featurestore.client.verify.report import Skipped
from featurestore.engines.kernel.functions.table import AGGREGATORS
from featurestore.errors import DefinitionError, OnDemandError
from tests.client.on_demand_shop import SPINE, fill, filled_shop, project, returning
from tests.client.shop import DEFINITIONS, HOUR, at, write_view
from tests.client.test_on_demand import NAMES, TYPES, rows_of_spines
from tests.effort import examples
from tests.tables import feature_table

TABLE = pa.table(SPINE)
# Two rows are tried at each call, of five the third and the last: not the one without a price.
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
    """A function that puts the mean of the rows in place of nulls."""
    return shop_with(tmp_path_factory.mktemp("filling"), returning(FILLED))


def test_right_functions_and_expressions_are_verified(shop: fs.FeatureStore) -> None:
    found = shop.verify(["worth", "shape"], spine=TABLE)

    assert found.ok
    assert [(view.view, view.version, view.rows, view.cells) for view in found.views] == [
        ("activity", 0, 5, 15), ("profile", 0, 5, 5),
        ("worth", None, 5, 10), ("shape", None, 5, 15),
    ]  # fmt: skip
    assert str(found) == "45 values are as the rules give them"


def test_a_function_that_sees_other_rows_is_found_where_its_trial_sees_nothing(
    filling: fs.FeatureStore,
) -> None:
    spine = TABLE.set_column(2, "price", PRICES)
    answered = filling.get_historical_features("worth", spine).to_arrow()["worth"].to_pylist()

    found = filling.verify("worth", spine=spine)

    assert answered == [3.0, 8.0, 15.0, 4.0, 10.0]
    (difference,) = found.differences
    assert (difference.view, difference.feature) == ("worth", "worth")
    assert (difference.engine, difference.reference) == (8.0, None)
    assert (difference.key, difference.moment) == ({"price": None, "pieces": 2}, at(5))
    line = filling.applied().on_demand_view("worth").origin.line
    assert difference.why == (
        f"worth_of() of feature_defs.shop (feature_defs/shop.py:{line}) gives this for the row "
        "alone, and the other among 5 rows: each row's answer may depend on that row alone. Its "
        "inputs: price = null, pieces = 2, event_timestamp = 1970-01-01 05:00:00+00:00"
    )
    assert difference.explain == (
        "featurestore explain worth price,pieces=2 --at 1970-01-01T05:00:00+00:00"
    )
    assert str(found) == "1 of 10 values differ from what the rules give"


@given(drawn=rows_of_spines)
@examples(40)
def test_what_differs_is_exactly_what_is_another_value_among_the_rows(
    filling: fs.FeatureStore, drawn: list[tuple[Any, ...]]
) -> None:
    columns = zip(NAMES, TYPES, zip(*drawn, strict=True), strict=True)
    spine = pa.table({name: pa.array(values, kind) for name, kind, values in columns})
    missing = [price is None or pieces is None for _, _, price, pieces in drawn]

    found = filling.verify("worth", spine=spine).differences

    assert len(found) == (0 if all(missing) else sum(missing))
    assert {each.feature for each in found} <= {"worth"}


@given(drawn=rows_of_spines)
@examples(10)
def test_right_ones_are_verified_whatever_the_rows_hold(
    shop: fs.FeatureStore, drawn: list[tuple[Any, ...]]
) -> None:
    columns = zip(NAMES, TYPES, zip(*drawn, strict=True), strict=True)
    spine = pa.table({name: pa.array(values, kind) for name, kind, values in columns})

    assert shop.verify("everything", spine=spine).differences == ()


def test_a_function_that_fails_for_a_row_alone_is_found(tmp_path: Path) -> None:
    body = '{"worth": total, "known": pc.equal(total, total[1])}'
    store = shop_with(tmp_path, returning(body))

    found = store.verify("worth", spine=TABLE).differences

    assert len(found) == 10
    assert {each.reference for each in found} == {"it fails"}
    assert "fails for the row by itself (IndexError: " in found[0].why


def test_one_that_fails_for_all_rows_is_an_error_and_so_is_one_that_was_changed(
    tmp_path: Path,
) -> None:
    store = shop_with(tmp_path, returning('{"worth": inputs["prize"]}'))

    with pytest.raises(OnDemandError, match=r"KeyError: .*prize"):
        store.verify("worth", spine=TABLE)
    project(tmp_path, returning('{"worth": inputs["price"]}'))
    with pytest.raises(DefinitionError, match=r"is not the one that was applied"):
        store.verify("worth", spine=TABLE)


def test_without_a_spine_what_needs_request_values_is_skipped_with_the_way_out(
    shop: fs.FeatureStore,
) -> None:
    found = shop.verify("everything", sample=20)

    assert found.ok
    why = "moments around stored events have no request values ('price', 'pieces')"
    fix = "Give rows that have them, by spine= or --spine."
    assert found.skipped == (
        Skipped("worth", ("worth", "known"), why, fix),
        Skipped("shape", ("now_hour", "now_share"), why, fix),
    )
    assert str(found).endswith(
        "the rules give them; not checked: worth, known, now_hour, now_share"
    )


def test_a_request_value_that_the_spine_lacks_is_named_with_the_nearest(
    shop: fs.FeatureStore,
) -> None:
    spine = TABLE.rename_columns({"price": "prices"})

    found = shop.verify("worth", spine=spine)

    assert [view.view for view in found.views] == ["activity"]
    assert found.skipped == (
        Skipped(
            "worth",
            ("worth", "known"),
            "the spine lacks 'price'",
            "Did you mean 'prices' or 'pieces'? Give request values with each row.",
        ),
    )


def test_without_request_values_the_moments_around_events_do(tmp_path: Path) -> None:
    store = shop_with(tmp_path, DEFINITIONS + CALM)
    write_view(store, "rate", feature_table({}, [HOUR], {"euro": [1.5]}))

    found = store.verify("calm", sample=30)

    assert (found.ok, found.skipped) == (True, ())
    view = found.views[-1]
    assert (view.view, view.rows, view.cells) == ("calm", found.views[0].rows, view.rows)
    assert view.rows > 10


def test_keys_that_no_view_has_together_are_skipped_with_the_way_out(tmp_path: Path) -> None:
    payer = CALM.replace("activity[[", 'activity.with_join_keys({"id": "payer"})[[')
    two = payer.replace("rate)", "profile)").replace("euro)", "length(city))")
    store = shop_with(tmp_path, DEFINITIONS + two)
    spine = [{"id": 1, "payer": 1, "event_timestamp": at(hour)} for hour in (1, 2, 3)]

    (skipped,) = store.verify("calm").skipped
    found = store.verify("calm", spine=spine)

    assert skipped.why == "its inputs have keys or times that no one view's events have together"
    assert (found.ok, found.skipped, found.views[-1].rows) == (True, (), 3)


def test_a_wrong_input_is_told_once_with_those_who_use_it(
    shop: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(AGGREGATORS, "sum", AGGREGATORS["max"])

    found = shop.verify(["shape"], spine=TABLE)

    assert {(each.view, each.used_by) for each in found.differences} == {
        ("activity", ("shape:share",))
    }


def test_what_is_computed_from_a_leak_is_named_with_it(shop: fs.FeatureStore) -> None:
    spine = TABLE.set_column(1, "event_timestamp", pa.array([at(2)] * 5, TYPES[1]))

    (leak,) = shop.verify("shape", spine=spine, leakage=True).leaks

    assert (leak.view, leak.feature) == ("profile", "last_city, for shape")
    assert leak.used_by == ("shape:at_home",)
    assert leak.fix == (
        "Use profile.strictly_before() among the sources of shape: "
        "then an event at t never answers."
    )


def test_no_more_rows_than_the_limit_are_computed_alone(
    filling: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_demand, "MOST_ALONE", 2)

    (view,) = filling.verify("worth", spine=TABLE).views

    assert (view.rows, view.cells, view.left_out) == (2, 4, 3)


def test_no_rows_give_no_difference(filling: fs.FeatureStore) -> None:
    (view,) = filling.verify("worth", spine=TABLE.slice(0, 0)).views

    assert (view.rows, view.differences) == (0, ())
