"""Services, views, uses of views and their names select the same features and views."""

from dataclasses import replace

import pytest

import featurestore as fs
from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import NotFoundError, RequestError
from featurestore.query.compile import compile_query
from featurestore.query.selection import selected_views, selection_names, selection_text
from tests.query.test_compile import MANIFEST, activity, both, checkout, computed, profile, shape

ALIKE = [
    ("both", both),
    ("profile", profile),
    ("shape", shape),
    (["profile:city"], profile[["city"]]),
    (["activity:count_7d", "profile"], [activity[["count_7d"]], profile]),
    (["shape:odd"], (shape[["odd"]],)),
    (["both"], iter([both])),
]


@pytest.mark.parametrize(("names", "definitions"), ALIKE)
def test_definitions_select_what_their_names_select(names, definitions) -> None:
    assert compile_query(MANIFEST, definitions, call="ask") == compile_query(
        MANIFEST, names, call="ask"
    )


def test_a_name_and_a_list_of_one_name_are_alike() -> None:
    for name in ("both", "profile", "shape", "profile:city"):
        assert compile_query(MANIFEST, name, call="ask") == compile_query(
            MANIFEST, [name], call="ask"
        )


def test_services_views_and_features_can_be_mixed() -> None:
    query = compile_query(MANIFEST, ["both", shape[["odd"]].with_prefix("my_")], call="ask")

    assert query.outputs == (
        "count_7d", "payer_risk", "payer_city", "risk", "city", "my_odd",
    )  # fmt: skip


def test_a_use_keeps_its_prefix_keys_and_time_column() -> None:
    use = profile[["risk"]].with_join_keys({"card_id": "payer"}).with_prefix("p_").at("seen")

    [view] = compile_query(MANIFEST, use, call="ask").views

    assert (view.outputs, view.keys[0].spine_column, view.timestamp_field) == (
        ("p_risk",), "payer", "seen",
    )  # fmt: skip


CHANGED = [
    replace(profile, ttl="2h"),
    replace(profile, schema=(fs.Field("risk", fs.Float32), fs.Field("city", fs.String))),
    replace(profile, entities=()),
    replace(activity, aggregations=activity.aggregations[:1]),
    replace(activity, available_delay="1m"),
    replace(both, features=both.features[1:]),
    replace(both, features=(activity[["count_7d"]].with_prefix("x_"), *both.features[1:])),
    replace(shape, schema=shape.schema[:1]),
]


@pytest.mark.parametrize("changed", CHANGED)
def test_a_definition_that_is_not_the_applied_one_is_refused(changed) -> None:
    with pytest.raises(RequestError) as caught:
        compile_query(MANIFEST, changed, call="ask")

    assert caught.value.call == "ask"
    assert repr(changed.name) in caught.value.found
    assert "featurestore apply" in caught.value.fix


@pytest.mark.parametrize(
    ("selected", "name"),
    [
        (replace(profile, name="profil"), "profile"),
        (replace(both, name="bth"), "both"),
        (replace(shape, name="shappe")[["odd"]], "shape"),
        ("profil", "profile"),
        ("shpe", "shape"),
        (["bth"], "both"),
    ],
)
def test_a_near_name_is_offered_of_services_and_views_alike(selected, name) -> None:
    with pytest.raises(NotFoundError) as caught:
        compile_query(MANIFEST, selected, call="ask")

    assert repr(name) in caught.value.fix


@pytest.mark.parametrize(
    ("name", "owners", "spellings"),
    [
        ("city", ["profile"], ["profile:city"]),
        ("profile__city", ["profile"], ["profile:city"]),
        ("odd", ["shape"], ["shape:odd"]),
        ("shape__odd", ["shape"], ["shape:odd"]),
        ("payer_risk", ["both"], ["both:payer_risk"]),
        ("both__payer_risk", ["both"], ["both:payer_risk"]),
        ("risk", ["profile", "copy"], ["profile:risk", "copy:risk"]),
        ("copy__risk", ["copy"], ["copy:risk"]),
    ],
)
def test_a_feature_without_its_view_is_refused_with_the_names_that_select_it(
    name, owners, spellings
) -> None:
    copy = replace(profile, name="copy", schema=profile.schema[:1])
    manifest = Manifest.of([*MANIFEST.definitions, copy])

    with pytest.raises(NotFoundError) as caught:
        compile_query(manifest, ["activity", name], call="ask")

    assert caught.value.call == "ask"
    assert repr(name) in caught.value.found
    assert all(repr(each) in caught.value.found for each in owners)
    assert all(repr(each) in caught.value.fix for each in spellings)
    assert caught.value.fix.count(":") == len(spellings)
    assert compile_query(manifest, spellings[0], call="ask").outputs == (
        spellings[0].partition(":")[2],
    )


def test_of_a_feature_in_many_views_some_are_named() -> None:
    copies = [replace(profile, name=f"copy_{number}") for number in range(9)]

    with pytest.raises(NotFoundError) as caught:
        compile_query(Manifest.of([*MANIFEST.definitions, *copies]), "city", call="ask")

    assert caught.value.fix.count(":city") == 5
    assert " 5 " in caught.value.found


def test_a_name_that_is_no_feature_of_its_view_is_unknown() -> None:
    with pytest.raises(NotFoundError) as caught:
        compile_query(MANIFEST, "profile__odd", call="ask")

    assert "featurestore apply" in caught.value.fix


@pytest.mark.parametrize("wrong", [7, None, [7], checkout, {"profile": "city"}])
def test_another_object_is_refused(wrong) -> None:
    with pytest.raises(RequestError) as caught:
        compile_query(MANIFEST, wrong, call="ask")

    assert "'view:feature'" in caught.value.fix


def names_of(manifest: Manifest, views: object) -> list[str]:
    return [view.name for view in selected_views(manifest, views, "ask")]


def test_a_service_stands_for_all_views_that_it_needs() -> None:
    assert names_of(MANIFEST, "computed") == ["activity", "profile", "shape"]
    assert names_of(MANIFEST, [computed, "profile", profile]) == ["activity", "profile", "shape"]
    assert names_of(MANIFEST, profile) == names_of(MANIFEST, "profile") == ["profile"]


def test_a_service_stands_for_the_views_from_which_its_views_are_derived() -> None:
    derived = replace(profile, name="derived", source=profile)
    service = fs.FeatureService("whole", features=(derived,))
    manifest = Manifest.of([*MANIFEST.definitions, derived, service])

    assert names_of(manifest, service) == ["profile", "derived"]
    assert names_of(manifest, derived) == ["derived"]


def test_where_views_are_selected_a_view_comes_before_a_service_of_its_name() -> None:
    manifest = Manifest.of([*MANIFEST.definitions, replace(both, name="profile")])

    assert names_of(manifest, "profile") == ["profile"]


def test_messages_name_what_was_selected() -> None:
    assert selection_text(both) == "'both'"
    assert selection_text([both, profile[["risk", "city"]]]) == (
        "['both', 'profile:risk', 'profile:city']"
    )
    assert selection_text("a:x") == "'a:x'"
    assert selection_names(profile) == ["profile"]
