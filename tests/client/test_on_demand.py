"""On-demand features use stored features, request values and the moment, the same in each call."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import featurestore as fs
from tests.client.on_demand_shop import (
    ON_DEMAND,
    SPINE,
    answers,
    fill,
    filled_shop,
    project,
)
from tests.client.shop import DEFINITIONS, NOW, at
from tests.effort import examples

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture
def shop(tmp_path: Path, session: "SparkSession | None") -> fs.FeatureStore:
    return filled_shop(tmp_path, session)


@pytest.fixture(scope="module")
def one_shop(tmp_path_factory: pytest.TempPathFactory) -> fs.FeatureStore:
    """The same project for all examples."""
    return filled_shop(tmp_path_factory.mktemp("shop"))


def test_features_are_computed_from_stored_ones_request_values_and_the_moment(shop, engine):
    frame = shop.get_historical_features("shape", pa.table(SPINE), engine=engine)

    assert frame.features == ("share", "at_home", "hour")
    assert answers(frame) == {
        "share": [3.0 / 3.0, 14.0 / 3.0, 15.0 / 10.0, None, None],
        "at_home": [False, False, None, None, None],
        "hour": [2, 5, 5, 5, 5],
    }
    assert frame.to_arrow().column_names == [*SPINE, "share", "at_home", "hour"]
    assert set(frame.versions) == {"activity", "profile"}


@pytest.mark.every_engine
def test_a_service_returns_its_features_in_order_and_no_other_inputs(shop, engine):
    frame = shop.get_historical_features("everything", pa.table(SPINE), engine=engine)

    assert frame.features == (
        *("worth", "known", "now_hour", "now_share"),
        *("amount_sum_2h", "amount_sum_lifetime", "count_2h"),
    )
    features = answers(frame)
    assert features["worth"] == [6.0, 28.0, 30.0, 8.0, None]
    assert features["known"] == [True, False, True, False, False]
    assert features["amount_sum_lifetime"] == [3.0, 3.0, 10.0, None, None]


def test_references_select_single_features(shop, engine):
    references = ["shape:hour", "activity:count_2h", "worth:known"]

    frame = shop.get_historical_features(references, pa.table(SPINE), engine=engine)

    assert frame.features == ("hour", "count_2h", "known")


def test_a_training_set_has_on_demand_features_too(shop, engine):
    spine = pa.table({**SPINE, "label": [0, 1, 0, 1, 0]})

    frame = shop.get_training_set("everything", spine, label="label", engine=engine)

    assert answers(frame) == answers(shop.get_historical_features("everything", pa.table(SPINE)))


def test_latest_equals_historical_at_now(shop):
    rows = [{"id": 1, "price": 2.5, "pieces": 2}, {"id": 9, "price": 1, "pieces": None}]
    then = pa.Table.from_pylist([{**row, "event_timestamp": NOW} for row in rows])

    latest = shop.get_latest_features("everything", rows)

    assert answers(latest) == answers(shop.get_historical_features("everything", then))
    assert answers(latest)["now_hour"] == [12, 12]


def test_an_input_with_another_time_column_has_its_value_as_of_that_column(
    tmp_path, session, engine
):
    later = ON_DEMAND.replace("(activity[[", '(activity.at("paid_at")[[')
    store = project(tmp_path, DEFINITIONS + later, session)
    store.apply(store.plan())
    fill(store)
    spine = pa.table({**SPINE, "paid_at": [at(1.5)] * 5})

    historical = answers(store.get_historical_features("shape", spine, engine=engine))

    assert historical["share"] == [3.0, 14.0, None, None, None]
    assert historical["hour"] == [2, 5, 5, 5, 5]
    latest = store.get_latest_features("shape", [{"id": 2, "price": 5, "pieces": 1}])
    assert answers(latest)["share"] == [0.5]


NAMES = ("id", "event_timestamp", "price", "pieces")
TYPES = (pa.int64(), pa.timestamp("us", "UTC"), pa.float64(), pa.int32())
prices = st.none() | st.floats(-1e6, 1e6) | st.just(math.nan)
rows_of_spines = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, None]),
        st.integers(0, 20).map(lambda half_hours: at(half_hours / 2)),
        prices,
        st.none() | st.integers(-(2**31), 2**31 - 1),
    ),
    min_size=1,
    max_size=12,
)


@given(rows=rows_of_spines, cut=st.integers(0, 12))
@examples(40)
def test_each_row_equals_plain_python_in_any_part_of_the_spine(one_shop, rows, cut):
    columns = zip(NAMES, TYPES, zip(*rows, strict=True), strict=True)
    spine = pa.table({name: pa.array(values, kind) for name, kind, values in columns})
    whole = answers(one_shop.get_historical_features(["shape", "worth"], spine))
    stored = answers(one_shop.get_historical_features("activity", spine))
    parts = [
        answers(one_shop.get_historical_features(["shape", "worth"], part))
        for part in (spine.slice(0, cut), spine.slice(cut))
    ]

    for name, values in whole.items():
        assert [str(value) for value in values] == [
            str(value) for part in parts for value in part[name]
        ]
    for row, (_, moment, price, pieces) in enumerate(rows):
        total = None if price is None or pieces is None else price * pieces
        amount_sum = stored["amount_sum_lifetime"][row]
        share = None if total is None or amount_sum is None else total / amount_sum
        worth = None if total is None else total * 2.0
        assert str(whole["share"][row]) == str(share)
        assert str(whole["worth"][row]) == str(worth)
        assert whole["hour"][row] == moment.hour


@given(spine=rows_of_spines)
@examples(15)
def test_latest_equals_historical_at_now_for_any_rows(one_shop, spine):
    rows = [
        {"id": key, "price": price, "pieces": pieces, "event_timestamp": NOW}
        for key, _, price, pieces in spine
    ]
    then = pa.Table.from_pylist(rows, pa.schema(list(zip(NAMES, TYPES, strict=True))))
    now = then.drop_columns("event_timestamp")

    latest = answers(one_shop.get_latest_features("everything", now))

    assert str(latest) == str(answers(one_shop.get_historical_features("everything", then)))


def test_a_cell_is_explained_with_its_expression_and_inputs(shop):
    frame = shop.get_historical_features(["shape", "worth"], pa.table(SPINE))

    share = frame.explain(1, "share")

    assert (share.feature, share.view, share.reason) == ("share", "shape", "computed")
    expression, *inputs = share.text.split("; ")
    assert expression == "price * pieces / amount_sum_lifetime"
    starts = ("amount_sum_lifetime = 3.0, ", "price = 7.0, ", "pieces = 2, ")
    assert [text.startswith(start) for text, start in zip(inputs, starts, strict=True)] == [
        True
    ] * 3
    assert [(each.feature, each.view, each.reason) for each in share.inputs] == [
        ("amount_sum_lifetime", "activity", "answered"),
        ("price", "checkout", "request"),
        ("pieces", "checkout", "request"),
    ]
    assert frame.explain(3, "share").inputs[0].reason == "no_row"
    hour = frame.explain(1, "hour")
    assert hour.text.startswith(
        "hour(event_timestamp); event_timestamp = 1970-01-01 05:00:00+00:00, "
    )
    worth = frame.explain(0, "worth")
    assert worth.text.startswith("worth_of() of feature_defs.shop; amount_sum_2h = 3.0, ")
    assert [each.feature for each in worth.inputs] == [
        *("amount_sum_2h", "amount_sum_lifetime", "count_2h"),
        *("price", "pieces", "event_timestamp"),
    ]


def test_a_stored_feature_of_the_same_call_is_explained_too(shop):
    frame = shop.get_historical_features("everything", pa.table(SPINE))

    assert frame.explain(1, "amount_sum_lifetime").reason == "answered"
