from dataclasses import replace

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.types import Field, Float64, String
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.origin import set_origin
from featurestore.query.compile import compile_view
from featurestore.store.columns import stored_columns
from tests.definitions.rules.cases import CARD, PAYMENTS, issues, missing, view

SHOP = Entity("shop", join_keys=(Field("merchant", String),))
REVISED = replace(PAYMENTS, unique_by=("payment_id",))
FED = replace(REVISED, change_feed=True)


def derived(source: FeatureView, **changes: object) -> FeatureView:
    arguments = {"source": source, "schema": (Field("amount", Float64),), **changes}
    return view("daily", **arguments)


def test_a_view_may_derive_from_a_view_with_other_keys() -> None:
    assert issues(derived(view(), entities=(SHOP,))) == []


def test_a_derived_view_without_transform_takes_columns_that_are_stored() -> None:
    amuont = Field("amuont", Float64)

    [issue] = issues(derived(view(), schema=(amuont,)))

    assert (issue.rule, issue.origin) == ("derived_columns_exist", amuont.origin)
    assert missing(issue, "view 'daily'", "view 'activity'", "'amuont'", "'amount'?") == []


def test_a_transform_may_make_columns() -> None:
    sql = "SELECT *, amount * 2 AS double FROM {source}"

    assert issues(derived(view(), schema=(Field("double", Float64),), transform=sql)) == []


def test_views_of_revised_rows_keep_their_keys_unless_a_change_feed_retracts_them() -> None:
    revised, fed = view(source=REVISED), view(source=FED)

    assert issues(derived(revised)) == issues(derived(fed, entities=(SHOP,))) == []
    [issue] = issues(derived(revised, entities=(SHOP,)))
    assert issue.rule == "retractable_rows_keep_their_keys"
    parts = ("view 'daily'", "view 'activity'", "(card_id)", "change_feed=True")
    assert missing(issue, *parts) == []


def test_a_view_does_not_derive_from_itself() -> None:
    cycle = view("daily", source=derived(view()))
    set_origin(cycle, replace(cycle.origin, line=1))

    [issue] = [
        issue for issue in issues(cycle) if issue.rule == "views_are_not_derived_from_themselves"
    ]

    assert issue.origin == cycle.origin
    assert missing(issue, "view 'daily'", "daily <- daily") == []


def test_a_view_of_an_on_demand_view_is_refused() -> None:
    computed = OnDemandFeatureView(
        "ratio", sources=(view(),), schema=(Field("x", Float64),), transform={"x": "amount"}
    )

    [issue] = issues(derived(computed))

    assert issue.rule == "arguments_have_their_types"
    assert missing(issue, "view 'daily'", "source", "OnDemandFeatureView", "FeatureView") == []


def test_unique_columns_system_columns_and_delays_are_inherited() -> None:
    upstream = view(source=FED, available_delay="1h")
    made = derived(upstream, entities=(SHOP,), available_delay="30m")

    assert made.unique_columns == ("card_id", "payment_id")
    assert stored_columns(made) == (
        *("merchant", "event_timestamp", "available_timestamp", "_seq", "_deleted"),
        *("card_id", "payment_id", "amount", "_row_hash"),
    )
    assert compile_view(made).rows.available_delay == 90 * 60 * 1_000_000
    assert [each.name for each in made.lineage] == ["activity"]
    assert view().lineage == ()


def test_a_derived_table_changes_with_the_table_of_its_source_view() -> None:
    made = table_fingerprint(derived(view()))

    assert table_fingerprint(derived(view(ttl="1d", name="renamed"))) == made
    assert table_fingerprint(derived(view(available_delay="1h"))) != made
    assert table_fingerprint(derived(view(entities=(CARD, SHOP)))) != made


def test_a_derived_view_has_no_schema_contract() -> None:
    [issue] = issues(derived(view(), schema_contract="freeze"))

    assert issue.rule == "derived_views_have_no_contract"
    assert missing(issue, "view 'daily'", "view 'activity'", "schema_contract='freeze'") == []


def test_a_schema_contract_changes_no_table() -> None:
    assert table_fingerprint(view(schema_contract="freeze")) == table_fingerprint(view())
