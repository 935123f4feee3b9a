"""What is applied, as lists, by words and by name."""

from pathlib import Path

import pandas as pd
import pytest

import featurestore as fs
from featurestore.errors import NotFoundError, RequestError
from tests.site.conftest import DEFINITIONS, new_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> fs.FeatureStore:
    return new_store(tmp_path_factory.mktemp("shop"), DEFINITIONS)


def test_views_are_listed_with_their_sources_and_entities(store: fs.FeatureStore) -> None:
    listed = [(v.name, v.kind, v.entities, v.source, v.features) for v in store.views()]

    assert listed == [
        ("activity", "view", ("card",), "paid", 3),
        ("daily", "view", ("card",), "activity", 1),
        ("profile", "view", ("card",), "paid", 1),
        ("share", "on-demand view", (), "", 1),
    ]
    assert store.views()[2].owner == "https://example.com/people"


def test_features_are_listed_with_what_they_are_and_who_uses_them(store: fs.FeatureStore) -> None:
    by_name = {(each.view, each.name): each for each in store.features()}

    total = by_name["activity", "amount_sum_1d_tumbling"]
    assert (total.type, total.function, total.window) == ("Float64", "sum", "1d every 1d")
    assert (total.column, total.services, total.owner) == (
        "amount", ("fraud",), "risk@example.com",
    )  # fmt: skip
    assert total.description == "The price paid, in euro"
    assert by_name["daily", "amount"].services == ()
    assert by_name["activity", "count_lifetime"].column == ""
    assert len(by_name) == 6
    assert [each.name for each in store.features("share")] == ["share"]


def test_entities_sources_and_services_are_listed(store: fs.FeatureStore) -> None:
    [card] = store.entities()
    [basket, paid] = store.sources()
    [fraud] = store.services()

    assert (card.join_keys, card.views) == (("id Int64",), ("activity", "daily", "profile"))
    assert (basket.type, basket.path, basket.views) == ("values of the request", None, ("share",))
    assert (paid.path, paid.views) == ("data/paid", ("activity", "profile"))
    assert (fraud.features, fraud.views) == (5, ("profile", "activity", "share"))


def test_a_list_is_a_table_dicts_and_a_data_frame(store: fs.FeatureStore) -> None:
    found = store.views()

    assert isinstance(found, list)
    assert found.to_dicts()[0]["schedule"] == "0 * * * *"
    frame = found.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["name"]) == ["activity", "daily", "profile", "share"]
    assert "activity" in repr(found)


def test_a_long_list_shows_its_first_rows_and_has_all(tmp_path: Path) -> None:
    store = new_store(tmp_path, """
import featurestore as fs
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at")
wide = fs.FeatureView("wide", entities=(), source=paid,
                      schema=[fs.Field(f"x{n}", fs.Int64) for n in range(100)])
""")  # fmt: skip

    found = store.features()

    assert len(found.to_dicts()) == 100
    assert "x59" in repr(found)
    assert "x60" not in repr(found) + found._repr_html_()
    assert "100" in repr(found).splitlines()[-1]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(
    store: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))

    for each in (store.views(), store.entities(), store.services(), store.search("amount")):
        lines = repr(each).splitlines()
        if "─" in lines[1]:  # else it is too narrow for columns, and each row is a block
            assert max(map(len, lines)) <= width


def test_a_narrow_terminal_shows_fewer_columns(
    store: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    narrow = repr(store.views()).splitlines()[0].split()
    monkeypatch.setenv("COLUMNS", "200")
    wide = repr(store.views()).splitlines()[0].split()

    assert wide == ["name", "kind", "entities", "source", "features", "owner", "description"]
    assert narrow == ["name", "entities", "source", "features", "description"]


def test_a_search_finds_words_with_typing_errors_the_best_first(store: fs.FeatureStore) -> None:
    found = store.search("amuont 2h")

    assert [(each.kind, each.view, each.name) for each in found] == [
        ("feature", "activity", "amount_sum_2h")
    ]
    assert [each.owner for each in found] == ["risk@example.com"]
    scores = [each.score for each in store.search("amount", limit=None)]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) > 2
    assert len(store.search("amount", limit=2)) == 2
    assert store.search("") == store.search("zzzz") == []


def test_a_feature_is_described_with_rules_uses_and_snippets(store: fs.FeatureStore) -> None:
    for name in ("amount_sum_2h", "activity:amount_sum_2h"):
        found = store.describe(name)

        assert (found.kind, found.view, found.name) == ("feature", "activity", "amount_sum_2h")
        assert found.used_by == ("fraud", "share")
        assert found.facts["type"] == "Float64"
        assert found.facts["event times"] == "[t - 2h, t)"
        assert "activity:amount_sum_2h" in found.snippets["python"]
        assert set(found.snippets) == {"python", "shell", "sql"}
    assert store.describe("city").used_by == ("fraud as card_city",)
    assert set(store.describe("profile:city").snippets) == {"python", "shell", "sql"}


@pytest.mark.parametrize(
    ("name", "kind", "used_by"),
    [
        ("activity", "view", ("fraud", "daily", "share")),
        ("fraud", "service", ()),
        ("card", "entity", ("activity", "daily", "profile")),
        ("paid", "source", ("activity", "profile")),
        ("basket", "source", ("share",)),
    ],
)
def test_a_definition_is_described_with_its_fields_and_uses(
    store: fs.FeatureStore, name: str, kind: str, used_by: tuple[str, ...]
) -> None:
    found = store.describe(name)

    assert (found.kind, found.used_by) == (kind, used_by)
    assert found.facts
    assert found.origin.startswith("feature_defs/shop.py:")


def test_one_name_of_several_things_needs_the_kind_or_the_view(store: fs.FeatureStore) -> None:
    with pytest.raises(RequestError) as refused:
        store.describe("share")

    assert not isinstance(refused.value, NotFoundError)
    assert "share:share" in refused.value.found
    assert store.describe("share", "on-demand view").kind == "on-demand view"
    assert store.describe("share", kind="feature").kind == "feature"
    assert store.describe("share:share").kind == "feature"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("activty", "'activity'"),
        ("amuont_sum_2h", "'amount_sum_2h'"),
        ("activity:amuont_sum_2h", "'activity:amount_sum_2h'"),
        ("activty:amount_sum_2h", "'activity:amount_sum_2h'"),
    ],
)
def test_an_unknown_name_is_an_error_with_near_names(
    store: fs.FeatureStore, name: str, near: str
) -> None:
    with pytest.raises(NotFoundError) as refused:
        store.describe(name)

    assert near in refused.value.fix
    assert f"featurestore search {name}" in refused.value.fix
    assert repr(name) in refused.value.call


def test_wrong_arguments_are_errors_with_what_is_right(store: fs.FeatureStore) -> None:
    with pytest.raises(RequestError) as kind:
        store.describe("activity", kind="viw")
    with pytest.raises(NotFoundError) as view:
        store.features("activty")
    with pytest.raises(RequestError):
        store.search(7)
    with pytest.raises(RequestError):
        store.search("amount", limit=0)

    assert "'view'" in kind.value.fix
    assert "'activity'" in view.value.fix


def test_nothing_applied_is_an_error_with_the_next_step(tmp_path: Path) -> None:
    store = new_store(tmp_path, "")

    for call in (store.views, store.features, store.entities, store.sources, store.services):
        with pytest.raises(NotFoundError) as refused:
            call()
        assert "featurestore apply" in refused.value.fix
