"""A request becomes a query: names, renamed keys, prefixes, windows; wrong names are refused."""

from dataclasses import replace

import pytest

import featurestore as fs
from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import NotFoundError, RequestError
from featurestore.query.compile import compile_query, compile_view, output_fields
from featurestore.query.nodes import Column, Input, KeyBinding, Output, Rows, Window

card = fs.Entity("card", join_keys=(fs.Field("card_id", fs.String),))
payments = fs.DeltaSource(
    "payments",
    path="data/payments",
    timestamp_field="paid_at",
    sequence_field="line",
    deleted_field="gone",
    unique_by=("payment_id", "paid_at"),
)
profile = fs.FeatureView(
    "profile",
    entities=(card,),
    source=payments,
    schema=(fs.Field("risk", fs.Float64), fs.Field("city", fs.String)),
    ttl="1h",
    available_delay="10m",
)
activity = fs.FeatureView(
    "activity",
    entities=(card,),
    source=payments,
    schema=(fs.Field("amount", fs.Int32),),
    aggregations=(
        fs.Aggregation("amount", "sum", windows=("1h", "lifetime")),
        fs.Aggregation("*", "count", windows=("7d",), delay="1m", closed="right"),
        fs.Aggregation(
            "*",
            "count",
            windows=(fs.Sliding("7d", every="1d", offset="2h"), fs.Tumbling("1d")),
            delay="1m",
        ),
    ),
)
both = fs.FeatureService(
    "both",
    features=(
        activity[["count_7d"]],
        profile.with_join_keys({"card_id": "payer"}).with_prefix("payer_").strictly_before(),
        profile.at("asked_at"),
    ),
)
checkout = fs.RequestSource("checkout", schema=(fs.Field("price", fs.Float64),))
shape = fs.OnDemandFeatureView(
    "shape",
    sources=(
        activity[["amount_sum_1h", "count_7d"]],
        profile[["risk"]].strictly_before().with_prefix("last_"),
        checkout,
    ),
    schema=(fs.Field("share", fs.Float64), fs.Field("odd", fs.Int64)),
    transform={"share": "price / amount_sum_1h", "odd": "count_7d % 2"},
)
computed = fs.FeatureService(
    "computed", features=(shape[["odd"]].with_prefix("now_"), activity[["count_7d"]])
)
MANIFEST = Manifest.of([card, payments, profile, activity, both, checkout, shape, computed])


def test_a_service_gives_its_features_in_its_order_with_their_prefixes() -> None:
    query = compile_query(MANIFEST, "both", call="ask", timestamp_field="at")

    assert query.outputs == ("count_7d", "payer_risk", "payer_city", "risk", "city")
    assert [view.timestamp_field for view in query.views] == ["at", "at", "asked_at"]
    assert [view.strict for view in query.views] == [False, True, False]


def test_a_renamed_join_key_is_read_from_the_other_spine_column() -> None:
    query = compile_query(MANIFEST, "both", call="ask")

    assert query.views[1].keys == (KeyBinding("card_id", "payer", fs.String),)
    assert query.views[2].keys == (KeyBinding("card_id", "card_id", fs.String),)


def test_durations_and_the_life_of_rows_are_compiled_to_microseconds_and_stored_names() -> None:
    query = compile_view(profile)

    assert query.ttl == 3_600_000_000
    unique_by = ("payment_id", "event_timestamp")
    assert query.rows == Rows(600_000_000, unique_by, True, True, has_available=False)
    assert query.columns == (Column("risk", "risk", fs.Float64), Column("city", "city", fs.String))


def test_available_times_are_read_only_where_they_can_differ_from_the_events() -> None:
    logged = replace(payments, available_timestamp_field="logged_at")
    changed = replace(payments, change_feed=True)

    sources = (payments, logged, changed)

    rows = [compile_view(replace(profile, source=source)).rows for source in sources]
    assert [each.has_available for each in rows] == [False, True, True]


def test_a_number_in_a_functions_text_is_taken_apart() -> None:
    functions = ("last3", "p90", "stddev")
    view = replace(
        activity, aggregations=tuple(fs.Aggregation("amount", name) for name in functions)
    )

    aggregates = compile_view(view).aggregates

    assert [a.output for a in aggregates] == [f"amount_{name}_lifetime" for name in functions]
    assert [(a.function, a.number) for a in aggregates] == [
        ("last_n", 3),
        ("percentile", 90),
        ("stddev", None),
    ]
    assert [a.result for a in aggregates] == [fs.Array(fs.Int32), fs.Float64, fs.Float64]


def test_each_window_of_an_aggregation_is_a_feature_with_its_own_type() -> None:
    query = compile_view(activity)

    assert [(a.output, a.window) for a in query.aggregates] == [
        ("amount_sum_1h", Window(3_600_000_000)),
        ("amount_sum_lifetime", Window(None)),
        ("count_7d", Window(604_800_000_000, 60_000_000, True)),
        (
            "count_7d_every_1d",
            Window(604_800_000_000, 60_000_000, every=86_400_000_000, offset=7_200_000_000),
        ),
        ("count_1d_tumbling", Window(86_400_000_000, 60_000_000, every=86_400_000_000)),
    ]
    assert {a.result for a in query.aggregates} == {fs.Int64}
    assert query.value_columns == ("amount",)


def test_features_can_be_named_one_by_one_and_neighbours_share_one_use_of_their_view() -> None:
    names = ["profile:city", "profile:risk", "activity:count_7d", "profile"]
    with pytest.raises(RequestError) as caught:
        compile_query(MANIFEST, names, call="ask")
    assert (caught.value.call, "'profile:risk'" in caught.value.fix) == ("ask", True)

    query = compile_query(MANIFEST, names[:3], call="ask")

    assert query.outputs == ("city", "risk", "count_7d")
    assert len(query.views) == 2
    assert [field.dtype for field in output_fields(query)] == [fs.String, fs.Float64, fs.Int64]


@pytest.mark.parametrize(
    ("features", "found", "near"),
    [
        ("bth", "service 'bth'", "'both'?"),
        (["profil:risk"], "view 'profil'", "'profile'?"),
        (["profile:rsk"], "feature 'rsk'", "'risk'?"),
        (["shappe:share"], "view 'shappe'", "'shape'?"),
    ],
)
def test_an_unknown_name_is_refused_and_the_nearest_is_offered(features, found, near) -> None:
    with pytest.raises(NotFoundError) as caught:
        compile_query(MANIFEST, features, call="ask")

    error = caught.value
    assert (error.call, found in error.found, near in error.fix) == ("ask", True, True)


def test_two_views_with_a_column_of_one_name_are_refused_and_both_are_named() -> None:
    other = fs.FeatureView(
        "other", entities=(card,), source=payments, schema=(fs.Field("risk", fs.Float64),)
    )
    manifest = Manifest.of([profile, other])

    with pytest.raises(RequestError) as caught:
        compile_query(manifest, ["profile:risk", "other:risk"], call="ask")

    assert [
        name for name in ("'profile'", "'other'", "'risk'") if name not in caught.value.found
    ] == []
    assert "with_prefix" in caught.value.fix


def test_an_on_demand_view_shares_the_inputs_that_the_service_contains_and_adds_the_rest() -> None:
    query = compile_query(MANIFEST, "computed", call="ask", timestamp_field="at")

    assert query.outputs == ("now_odd", "count_7d")
    assert [(view.view, view.strict, view.outputs) for view in query.views] == [
        ("activity", False, ("count_7d", "amount_sum_1h, for shape")),
        ("profile", True, ("last_risk, for shape",)),
    ]
    [node] = query.on_demand
    assert node.inputs == (
        Input("amount_sum_1h", column="amount_sum_1h, for shape", dtype=fs.Int64),
        Input("count_7d", column="count_7d", dtype=fs.Int64),
        Input("last_risk", column="last_risk, for shape", dtype=fs.Float64),
        Input("price", column="price", dtype=fs.Float64, source="checkout"),
        Input("event_timestamp", column="at", dtype=fs.Timestamp, source=""),
    )
    assert node.outputs == (Output("now_odd", "odd", fs.Int64),)
    assert node.declared == ("share", "odd")
    assert output_fields(query) == (
        fs.Field("now_odd", fs.Int64),
        fs.Field("count_7d", fs.Int64),
    )


def test_what_the_tables_answer_is_a_query_of_its_own() -> None:
    stored = compile_query(MANIFEST, "shape:share", call="ask").stored

    assert stored.on_demand == ()
    assert stored.outputs == (
        *("amount_sum_1h, for shape", "count_7d, for shape"),
        "last_risk, for shape",
    )


@pytest.mark.parametrize("features", [[], (), iter([])])
def test_a_call_without_features_is_an_error_that_names_what_there_is(features) -> None:
    with pytest.raises(RequestError) as error:
        compile_query(MANIFEST, features, call="ask")

    assert error.value.call == "ask"
    assert all(name in error.value.fix for name in ("both", "profile", "shape"))
