from dataclasses import replace

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.types import Field, Float64, String
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.origin import place
from featurestore.query.compile import compile_view
from featurestore.store.columns import stored_columns
from tests.definitions.rules.cases import CARD, PAYMENTS, messages, view

SHOP = Entity("shop", join_keys=(Field("merchant", String),))
REVISED = replace(PAYMENTS, unique_by=("payment_id",))
FED = replace(REVISED, change_feed=True)


def derived(source: FeatureView, **changes: object) -> FeatureView:
    given = {"source": source, "schema": (Field("amount", Float64),), **changes}
    return view("daily", **given)


def test_a_view_may_be_made_of_another_one_under_other_keys() -> None:
    assert messages(derived(view(), entities=(SHOP,))) == []


def test_a_derived_view_without_transform_takes_columns_that_are_stored() -> None:
    found = messages(derived(view(), schema=(Field("amuont", Float64),)))

    near = "Did you mean 'amount'?"
    assert found == [f"view 'daily': view 'activity' stores no column 'amuont'. {near}"]


def test_a_transform_may_make_columns() -> None:
    sql = "SELECT *, amount * 2 AS double FROM {source}"

    assert messages(derived(view(), schema=(Field("double", Float64),), transform=sql)) == []


def test_rows_that_are_revised_keep_their_keys_unless_a_change_feed_takes_them_back() -> None:
    revised, fed = view(source=REVISED), view(source=FED)

    assert messages(derived(revised)) == messages(derived(fed, entities=(SHOP,))) == []
    assert messages(derived(revised, entities=(SHOP,))) == [
        "view 'daily' has other keys than view 'activity' (card_id), whose rows are revised or "
        "deleted: under another key a row could not be taken back; keep the keys, or read the "
        "source by change_feed=True"
    ]


def test_a_view_is_not_derived_from_itself() -> None:
    circle = view("daily", source=derived(view()))
    place(circle, replace(circle.origin, line=1))

    found = messages(circle)

    assert "view 'daily' is derived from itself: daily <- daily" in found


def test_a_view_of_an_on_demand_view_is_refused() -> None:
    computed = OnDemandFeatureView(
        "ratio", sources=(view(),), schema=(Field("x", Float64),), transform={"x": "amount"}
    )

    [found] = messages(derived(computed))

    assert found.startswith("view 'daily': source is an OnDemandFeatureView; expected")


def test_names_of_events_marks_and_delays_are_inherited() -> None:
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


def test_a_derived_table_is_another_one_when_its_source_views_table_is() -> None:
    made = table_fingerprint(derived(view()))

    assert table_fingerprint(derived(view(ttl="1d", name="renamed"))) == made
    assert table_fingerprint(derived(view(available_delay="1h"))) != made
    assert table_fingerprint(derived(view(entities=(CARD, SHOP)))) != made
