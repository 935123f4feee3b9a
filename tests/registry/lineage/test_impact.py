"""What a source column reaches: views, features, services, training sets and models."""

import pytest

import featurestore as fs
from featurestore.definitions.model.expectations import DeclaredCheck, DeclaredExpectations
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import Code
from featurestore.errors import NotFoundError, RequestError
from featurestore.registry.lineage.columns import SourceColumn
from featurestore.registry.lineage.impact import Impact, Impacts, Reach

card = fs.Entity("card", join_keys=fs.Field("id", fs.Int64))
paid = fs.DeltaSource("paid", path="p", timestamp_field="at", available_timestamp_field="known_at")
notes = fs.FileSource(
    "notes", path="n.csv", timestamp_field="at",
    schema=[fs.Field(n, fs.String) for n in ("id", "at", "Text", "text", "unused")],
)  # fmt: skip
basket = fs.RequestSource("basket", schema=fs.Field("price", fs.Float64))
amount, city = fs.Field("amount", fs.Float64), fs.Field("city", fs.String)
plain = fs.FeatureView("plain", entities=card, source=paid, schema=[amount, city])
windows = fs.FeatureView(
    "windows", entities=card, source=paid, schema=[amount, city],
    aggregations=[
        fs.Aggregation("amount", "sum", by="city", windows="1h"),
        fs.Aggregation("*", "count", windows="1h"),
    ],
)  # fmt: skip
by_sql = fs.FeatureView(
    "by_sql", entities=card, source=paid, schema=fs.Field("euros", fs.Float64),
    transform="SELECT *, CENTS / 100 AS euros FROM {source} WHERE status = 'ok'",
)  # fmt: skip
derived = fs.FeatureView(
    "derived", entities=card, source=by_sql, schema=fs.Field("more", fs.Float64),
    transform="SELECT _row_metadata, id, event_timestamp, Euros + 1 AS more FROM {source}",
)  # fmt: skip
by_code = fs.FeatureView(
    "by_code", entities=card, source=notes, schema=fs.Field("length", fs.Int64),
    transform=Code("length", "def length(rows): ...", "f1"),
)  # fmt: skip
share = fs.OnDemandFeatureView(
    "share", sources=(windows.with_prefix("w_"), basket), schema=[amount, city],
    transform={"amount": "PRICE / w_count_1h", "city": "'Oslo'"},
)  # fmt: skip
fraud = fs.FeatureService("fraud", features=[plain[["amount"]], share])
people = fs.FeatureService("people", features=[plain[["city"]]])
MANIFEST = Manifest.of(
    [card, paid, notes, basket, plain, windows, by_sql, derived, by_code, share, fraud, people]
)


def impact(name: str) -> Impact:
    impacts = Impacts(
        MANIFEST,
        training_sets={"fraud_2026": [("plain", "amount"), ("gone", "x")]},
        models={"fraud_model": [("plain", "amount")], "other": [("plain", "city")]},
    )
    return impacts.of(impacts.find(name))


def features(name: str) -> dict[str, str]:
    return {f"{each.view}:{each.name}": str(each.reach) for each in impact(name).features}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "paid.amount",
            {
                "plain:amount": "value",
                "plain:city": "run",
                "windows:amount_sum_by_city_1h": "value",
                "windows:count_1h": "run",
                "share:amount": "run",
                "share:city": "run",
            },
        ),
        ("paid.cents", {"by_sql:euros": "value", "derived:more": "value"}),
        ("paid.status", {"by_sql:euros": "rows", "derived:more": "rows"}),
        ("basket.price", {"share:amount": "value", "share:city": "run"}),
        ("notes.unused", {"by_code:length": "possible"}),
    ],
)
def test_a_column_reaches_features(name: str, expected: dict[str, str]) -> None:
    assert features(name) == expected


def test_keys_and_times_reach_all_features_of_the_source() -> None:
    for name in ("paid.id", "paid.at", "paid.known_at"):
        reached = features(name)

        # A constant needs the other inputs of its view only to be called.
        assert reached.pop("share:city") == "run"
        assert set(reached.values()) == {"rows"}
        assert {view.partition(":")[0] for view in reached} == {
            "plain", "windows", "by_sql", "derived", "share",
        }  # fmt: skip


def test_services_training_sets_and_models_have_the_strongest_way() -> None:
    found = impact("paid.amount")

    assert [(each.name, each.reach) for each in found.services] == [
        ("fraud", Reach.value),
        ("people", Reach.run),
    ]
    assert [(each.name, each.reach) for each in found.training_sets] == [
        ("fraud_2026", Reach.value)
    ]
    assert [(each.name, each.reach) for each in found.models] == [
        ("fraud_model", Reach.value),
        ("other", Reach.run),
    ]
    assert [each.name for each in found.views] == ["plain", "share", "windows"]
    assert not found.is_unused


def test_functions_are_named_as_unknown() -> None:
    assert impact("notes.Text").unknown == ("by_code",)
    assert impact("paid.amount").unknown == ()


def test_a_derived_function_cannot_run_without_what_its_upstream_view_uses() -> None:
    code = fs.FeatureView(
        "code", entities=card, source=by_sql, schema=amount, transform=Code("f", "", "f2")
    )
    impacts = Impacts(Manifest.of([card, paid, by_sql, code]))

    found = impacts.of(impacts.find("paid.cents"))

    assert {each.view: each.reach for each in found.features} == {
        "by_sql": Reach.value,
        "code": Reach.run,
    }
    assert impacts.lineage.features["code", "amount"].possible == {
        SourceColumn("paid", name) for name in ("CENTS", "at", "id", "known_at", "status")
    }
    assert found.unknown == ()  # it reads the stored columns of by_sql only


def test_what_a_function_of_a_call_uses_is_not_known_but_the_call_needs_all_inputs() -> None:
    code = fs.OnDemandFeatureView(
        "code", sources=(plain, basket), schema=amount, transform=Code("f", "", "f3")
    )
    impacts = Impacts(Manifest.of([card, paid, basket, plain, code]))

    inputs = impacts.lineage.features["code", "amount"]
    found = {
        name: [
            each.reach for each in impacts.of(impacts.find(name)).features if each.view == "code"
        ]
        for name in ("basket.price", "paid.city", "paid.id")
    }

    assert inputs.values == set()
    assert inputs.possible == {
        SourceColumn("basket", "price"),
        SourceColumn("paid", "amount"),
        SourceColumn("paid", "city"),
    }
    assert found == {
        "basket.price": [Reach.run],
        "paid.city": [Reach.run],
        "paid.id": [Reach.rows],
    }


def test_checks_of_rows_decide_which_rows_there_are() -> None:
    checks = (DeclaredCheck("city:not_null", ""), DeclaredCheck("amount:ge", "", severity="warn"))
    view = fs.FeatureView(
        "v", entities=card, source=paid, schema=[amount, city],
        expectations=DeclaredExpectations(checks),
    )  # fmt: skip
    impacts = Impacts(Manifest.of([card, paid, view]))

    ways = {
        name: [str(each.reach) for each in impacts.of(impacts.find(name)).features]
        for name in ("paid.city", "paid.amount")
    }

    assert ways == {"paid.city": ["rows", "value"], "paid.amount": ["value", "run"]}


@pytest.mark.parametrize(
    ("name", "error", "near"),
    [
        ("pade.amount", NotFoundError, "'paid'"),
        ("paid.amuont", NotFoundError, "'amount'"),
        ("paid", RequestError, "amount"),
        ("paid.", RequestError, "amount"),
        ("", NotFoundError, "paid"),
        ("amount", NotFoundError, "'paid.amount'"),
        ("derived.amount", NotFoundError, "'paid.amount'"),
        ("plain", NotFoundError, "'paid.COLUMN'"),
    ],
)
def test_a_wrong_name_is_an_error_that_offers_near_ones(
    name: str, error: type[RequestError], near: str
) -> None:
    with pytest.raises(error) as caught:
        impact(name)

    assert caught.value.call == f"impact({name!r})"
    assert near in caught.value.fix


def test_case_counts_only_where_two_columns_differ_in_it() -> None:
    assert impact("notes.TEXT").column in ("Text", "text")
    assert impact("notes.Text").column == "Text"
    assert impact("notes.text").column == "text"
    assert impact("paid.CENTS").column == impact("paid.cents").column


def test_a_column_of_the_data_that_no_definition_names_is_unused() -> None:
    impacts = Impacts(MANIFEST)

    column = impacts.find("paid.comment", {"paid": ["comment"]})

    assert impacts.of(column).is_unused
    assert not impacts.of(column).is_declared


def test_what_refuses_the_loss_of_an_unused_column_is_known() -> None:
    frozen = fs.FeatureView(
        "frozen", entities=card, source=notes, schema=fs.Field("text", fs.String),
        schema_contract="freeze",
    )  # fmt: skip
    impacts = Impacts(Manifest.of([card, notes, frozen]))

    found = impacts.of(impacts.find("notes.unused"))

    assert found.is_unused
    assert found.is_declared
    assert found.frozen_by == ("frozen",)
