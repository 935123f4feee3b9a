"""The pages of applied versions: what changed, whose it is, and what it rebuilt."""

import json
import shutil
from pathlib import Path

import pytest

import featurestore as fs
from featurestore.errors import NotFoundError
from tests.site.conftest import DEFINITIONS, NOW, Make, site_of
from tests.site.page import Page
from tests.site.test_pages import add_version


@pytest.fixture
def changed(store: fs.FeatureStore) -> fs.FeatureStore:
    for old, new in (("Payments of cards", "All payments"), ('"city", fs', '"town", fs')):
        file = store.settings.definitions_folder / "shop.py"
        file.write_text(DEFINITIONS.replace(old, new), "utf-8")
        store.apply(store.plan())
    return store


def data(site: dict[str, str], page: str) -> dict[str, object]:
    return json.loads(site[f"api/v1/{page}.json"])


def test_a_version_says_whose_its_changes_are_and_what_they_rebuild(
    changed: fs.FeatureStore,
) -> None:
    site = site_of(changed)
    first, second, third = (data(site, f"history/{number}") for number in (1, 2, 3))

    assert first["builds"] == ["activity", "daily", "profile"]
    assert second["builds"] == []
    assert third["builds"] == ["profile"]
    owners = {each["name"]: each["owner"] for each in third["differences"]}
    assert owners["profile"] == "https://example.com/people"
    assert "profile" in Page(site["history/3.html"]).text.partition("built anew for it")[2]
    assert "No table is built anew" in Page(site["history/2.html"]).text


def test_the_scripts_of_the_comparison_have_each_version_but_the_first(
    changed: fs.FeatureStore,
) -> None:
    site = site_of(changed)
    (text,) = (text for path, text in site.items() if path.startswith("history/changes-"))

    found = json.loads(text.removeprefix("featurestoreChanges(").removesuffix(");\n"))

    assert sorted(found) == ["2", "3"]
    assert found["3"]["differences"] == data(site, "history/3")["differences"]


def test_with_one_version_there_is_nothing_to_compare(make_store: Make) -> None:
    site = site_of(make_store(""))

    assert "nothing to compare" in Page(site["compare.html"]).text
    assert not [path for path in site if path.startswith("history/changes-")]


def test_any_two_versions_are_compared_in_python(changed: fs.FeatureStore) -> None:
    assert changed.compare(2, 2) == []
    forward = {(each.kind, each.name): each.action for each in changed.compare(1, 3)}
    (back,) = (each for each in changed.compare(3, 2) if each.name == "profile")

    assert forward["view", "profile"] == "changed"
    assert {each.field for each in back.details} >= {"schema.city", "schema.town"}
    with pytest.raises(NotFoundError):
        changed.compare(1, 4)


def test_a_version_that_cannot_be_read_says_so_and_all_others_stay(
    store: fs.FeatureStore,
) -> None:
    (first,) = store.history()
    newer = first.document.replace("featurestore.manifest/1", "featurestore.manifest/2")
    rows = {"applied_at": NOW, "applied_by": "me", "digest": first.digest, "changes": "[]"}
    add_version(store, {**rows, "version": 2, "manifest": newer})
    add_version(store, {**rows, "version": 3, "manifest": first.document})

    site = site_of(store)
    (text,) = (text for path, text in site.items() if path.startswith("history/changes-"))
    found = json.loads(text.removeprefix("featurestoreChanges(").removesuffix(");\n"))

    assert "manifest/2" in data(site, "history/2")["error"]
    assert {number: bool(each["error"]) for number, each in found.items()} == {
        "2": True,
        "3": True,
    }
    assert data(site, "history/1")["error"] is None
    assert data(site, "views/profile")["ttl"] == "4h"


def test_an_apply_that_was_killed_leaves_the_site_as_it_was(store: fs.FeatureStore) -> None:
    before = site_of(store)
    registry = Path(store.layout.registry())
    # What an apply leaves before its commit: the file of its row, and its lock.
    shutil.copy(next(registry.glob("*.parquet")), registry / "part-unfinished.parquet")
    Path(store.layout.registry_lock()).touch()

    assert site_of(store) == before
