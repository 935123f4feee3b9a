"""SQL of on-demand views is checked against their inputs' types before it is applied."""

from collections.abc import Mapping

import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.references import manifest_of
from featurestore.definitions.model.source import DeltaSource, RequestSource
from featurestore.definitions.model.types import Boolean, Field, Float64, Int64, String
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.on_demand.sql_rules import sql_issues

CARD = Entity("card", join_keys=(Field("card_id", Int64),))
SHOP = DeltaSource("payments", path="payments", timestamp_field="paid_at")
ACTIVITY = FeatureView(
    "activity",
    entities=(CARD,),
    source=SHOP,
    schema=(Field("amount", Float64), Field("city", String)),
    aggregations=(
        Aggregation("amount", "sum", windows=("1d",)),
        Aggregation("*", "count", windows=("1d",), by="city"),
    ),
)
CHECKOUT = RequestSource("checkout", schema=(Field("price", Float64), Field("city", String)))


def manifest_with(transform: Mapping[str, str], *schema: Field, source=CHECKOUT) -> Manifest:
    view = OnDemandFeatureView(
        "shape", sources=(ACTIVITY, source), schema=schema, transform=transform
    )
    return manifest_of([view])


@pytest.mark.parametrize(
    ("field", "sql"),
    [
        (Field("share", Float64), "price / amount_sum_1d"),
        (Field("late", Boolean), "hour(event_timestamp) > 22"),
        (Field("here", Int64), "count_by_city_1d[city]"),
        (Field("name", String), "upper(city)"),
    ],
)
def test_sql_over_features_request_values_and_the_moment_has_no_issue(field, sql) -> None:
    assert list(sql_issues(manifest_with({field.name: sql}, field))) == []


@pytest.mark.parametrize(
    ("field", "sql", "facts"),
    [
        (Field("share", Float64), "pirce / 2", ["'pirce'", "'price'"]),
        (Field("share", Float64), "sum(price)", ["'sum'"]),
        (Field("share", Int64), "price / 2", ["double", "Int64"]),
    ],
)
def test_wrong_sql_is_an_issue_with_the_view_the_feature_and_its_origin(field, sql, facts) -> None:
    manifest = manifest_with({field.name: sql}, field)

    [issue] = sql_issues(manifest)

    assert issue.origin == manifest.on_demand_views[0].origin
    names = ["'shape'", f"'{field.name}'", *facts]
    assert [name for name in names if name not in issue.message] == []


def test_sql_over_inputs_without_a_valid_type_is_left_to_the_rules_of_inputs() -> None:
    untyped = RequestSource("checkout", schema=(Field("price", "Flota64"),))

    assert list(sql_issues(manifest_with({"a": "price"}, Field("a", Int64), source=untyped))) == []


def test_a_feature_without_sql_or_without_a_valid_type_is_left_to_other_rules() -> None:
    manifest = manifest_with({"a": " "}, Field("a", Int64), Field("b", "Flota64"))

    assert list(sql_issues(manifest)) == []
