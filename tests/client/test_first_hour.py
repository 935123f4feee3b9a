"""The calls of a first hour: definitions instead of names, other stores' words, and a notebook."""

import copy
import re

import pytest

import featurestore as fs
from featurestore.errors import NotFoundError, RequestError, TableError
from tests.client.shop import at

SPINE = [{"id": 1, "event_timestamp": at(3)}, {"id": 2, "event_timestamp": at(8)}]


def views_of(store: fs.FeatureStore) -> dict[str, fs.FeatureView]:
    return {view.name: view for view in store.load().views}


def test_every_call_takes_definitions_where_it_takes_names(filled):
    service, views = filled.load().service("fraud"), views_of(filled)
    profile = views["profile"]

    assert filled.get_historical_features(service, SPINE).to_arrow() == (
        filled.get_historical_features("fraud", SPINE).to_arrow()
    )
    assert filled.get_latest_features(profile, [{"id": 1}]).to_arrow() == (
        filled.get_latest_features(["profile"], [{"id": 1}]).to_arrow()
    )
    assert filled.get_label_spine(profile) == filled.get_label_spine("profile")
    assert filled.get_label_spine("profile", columns="city") == (
        filled.get_label_spine("profile", columns=["city"])
    )
    assert filled.verify(service, sample=5).ok
    by_name = fs.Label("profile", "*", "count", horizon="1h")
    by_view = fs.Label(profile, "*", "count", horizon="1h")
    assert by_view.call == by_name.call.replace(str(by_name.origin), str(by_view.origin))
    assert filled.get_training_set("fraud", SPINE, label=by_view).to_arrow() == (
        filled.get_training_set("fraud", SPINE, label=by_name).to_arrow()
    )


def test_definitions_are_no_plan(filled):
    with pytest.raises(RequestError) as refused:
        filled.apply([filled.load().view("profile")])

    assert "store.apply(store.plan())" in refused.value.fix


def test_the_status_of_chosen_views(filled):
    assert [each.view for each in filled.status("activity")] == ["activity"]
    assert len(filled.status("fraud")) == len(filled.status()) == 3
    with pytest.raises(NotFoundError) as refused:
        filled.status("activty")
    assert "'activity'" in refused.value.fix


def test_latest_features_as_of_another_moment(filled):
    rows = [{"id": 1}, {"id": 2}]

    frame = filled.get_latest_features("fraud", rows, at="1970-01-01T03:00:00Z")

    spine = [{**row, "event_timestamp": at(3)} for row in rows]
    assert frame.to_arrow() == filled.get_historical_features("fraud", spine).to_arrow()
    with pytest.raises(RequestError):
        filled.get_latest_features("fraud", rows, at="yesterday")


def test_a_preview_of_an_unknown_name_offers_a_near_one(store):
    with pytest.raises(NotFoundError) as refused:
        store.preview("activty", SPINE)

    assert "'activity'" in refused.value.fix


@pytest.mark.parametrize(
    ("method", "arguments", "name"),
    [
        ("get_historical_features", {"entity_df": [], "features": []}, "spine"),
        ("get_training_set", {"df": [], "features": []}, "spine"),
        ("get_latest_features", {"entity_rows": [], "features": []}, "rows"),
        ("get_latest_features", {"features": [], "entity_df": []}, "rows"),
        ("get_historical_features", {"feature_service": "fraud"}, "features"),
        ("get_historical_features", {"timestamp_feild": "x"}, "timestamp_field"),
        ("materialize", {"feature_views": []}, "views"),
        ("materialize", {"start_date": "2026-01-01"}, "start"),
    ],
)
def test_an_argument_of_another_store_names_ours(store, method, arguments, name):
    with pytest.raises(RequestError) as refused:
        getattr(store, method)(**arguments)

    assert refused.value.call == f"{method}()"
    assert re.search(rf"\b{name}\b", refused.value.fix)


@pytest.mark.parametrize(
    ("method", "ours"),
    [
        ("get_online_features", "get_latest_features"),
        ("materialize_incremental", "materialize"),
        ("get_feature_service", "service"),
    ],
)
def test_a_method_of_another_store_names_ours(store, method, ours):
    with pytest.raises(AttributeError, match=ours):
        getattr(store, method)


def test_a_store_is_copied_though_it_answers_for_missing_methods(store):
    assert copy.copy(store).settings == store.settings


def test_a_closed_store_opens_its_tables_again(filled):
    with fs.FeatureStore(filled.settings.folder) as store:
        before = store.get_historical_features("fraud", SPINE).to_arrow()

    assert store.get_historical_features("fraud", SPINE).to_arrow() == before
    store.close()
    store.close()


def test_every_class_of_errors_is_public():
    values = vars(fs.errors)
    kinds = {name for name in values if name.endswith("Error")}

    assert len(kinds) > 10
    assert kinds - set(fs.__all__) == set()
    assert all(getattr(fs, name) is values[name] for name in kinds)


def test_all_views_that_were_never_materialized_are_named_at_once(store):
    with pytest.raises(TableError) as refused:
        store.get_latest_features("fraud", [{"id": 1}])

    assert refused.value.fix == "Run `featurestore materialize profile activity rate`."
