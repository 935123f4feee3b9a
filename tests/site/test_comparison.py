"""Two builds of a site are compared by the data of their pages."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

import featurestore as fs
from featurestore.cli import main
from featurestore.errors import RequestError
from featurestore.site.build import build_site
from featurestore.site.comparison import FieldDifference, _fields, compare_sites
from featurestore.site.folder import MARKER
from tests.client.shop import HOUR, write_view
from tests.site.conftest import DEFINITIONS, NOW
from tests.site.profiles import put_profiles
from tests.site.trained import save_and_record
from tests.tables import feature_table


@pytest.fixture
def builds(store: fs.FeatureStore, tmp_path: Path) -> tuple[Path, Path]:
    old, new = tmp_path / "old", tmp_path / "new"
    build_site(store, old, NOW)
    file = store.settings.definitions_folder / "shop.py"
    changed = DEFINITIONS.replace('ttl="4h"', 'ttl="5h"').partition("share = ")[0]
    file.write_text(changed, "utf-8")
    store.apply(store.plan())
    write_view(store, "profile", feature_table({"id": [1]}, [HOUR], {"city": ["a"]}))
    save_and_record(store)
    build_site(store, new, NOW + timedelta(minutes=5))
    return old, new


def test_pages_are_added_removed_and_changed(builds: tuple[Path, Path]) -> None:
    found = {(each.kind, each.name): each for each in compare_sites(*builds)}

    actions = {key: each.action for key, each in found.items()}
    assert actions["on-demand view", "share"] == actions["service", "fraud"] == "removed"
    assert actions["feature", "share:share"] == "removed"
    assert actions["training set", "fraud_2026_01"] == actions["model", "fraud_model"] == "added"
    assert actions["feature", "profile:city"] == "changed"
    fields = {each.field: each for each in found["view", "profile"].fields}
    assert fields["ttl"] == FieldDifference("ttl", "4h", "5h")
    assert fields["freshness.state"].new == "current"
    assert ("view", "daily") not in actions


def test_two_builds_of_the_same_store_do_not_differ(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    for name, now in (("a", NOW), ("b", NOW + timedelta(minutes=5))):
        build_site(store, tmp_path / name, now)

    assert compare_sites(tmp_path / "a", tmp_path / "b") == []


def test_the_verb_prints_a_tree_and_json(
    builds: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for options in ((), ("--json",)):
        with pytest.raises(SystemExit) as ended:
            main(["docs", "compare", *map(str, builds), *options])
        assert ended.value.code == 0
    printed = capsys.readouterr().out
    tree, _, text = printed.partition("{")

    assert "    ~ ttl: 4h -> 5h" in tree.splitlines()
    assert "- service fraud" in tree.splitlines()
    found = json.loads("{" + text)["site_comparison"]
    assert {each["action"] for each in found} == {"added", "changed", "removed"}


def test_a_folder_that_is_no_site_or_is_damaged_is_refused(
    builds: tuple[Path, Path], tmp_path: Path
) -> None:
    old, new = builds
    with pytest.raises(RequestError):
        compare_sites(old, tmp_path)
    (new / "api/v1/views/profile.json").write_text("{")
    with pytest.raises(RequestError) as caught:
        compare_sites(old, new)
    assert "profile.json" in caught.value.found


def test_a_changed_marker_names_no_file_elsewhere(
    builds: tuple[Path, Path], tmp_path: Path
) -> None:
    old, new = builds
    (tmp_path / "secret.json").write_text('{"kind": "view", "name": "secret"}')
    marker = json.loads((new / MARKER).read_text())
    marker["files"].append("api/v1/../../../secret.json")
    (new / MARKER).write_text(json.dumps(marker))

    assert "secret" not in {each.name for each in compare_sites(old, new)}


def test_no_two_members_of_a_list_have_the_same_path() -> None:
    drift = [{"feature": "amount", "measure": "psi"}, {"feature": "amount", "measure": "nulls"}]
    columns = [{"source": "paid", "column": "id"}, {"source": "other", "column": "id"}]
    same = [{"name": "a", "value": 1}, {"name": "a", "value": 2}]
    document = {"drift": drift, "columns": columns, "same": same}

    paths = [path for path, _ in _fields(document)]

    assert len(set(paths)) == len(paths)
    assert "columns[other.id].column" in paths
    assert "same[a#2].value" in paths


def test_a_new_profile_differs_in_its_values_only(store: fs.FeatureStore, tmp_path: Path) -> None:
    put_profiles(store.layout, NOW - timedelta(hours=3))
    build_site(store, tmp_path / "a", NOW)
    put_profiles(store.layout, NOW)
    build_site(store, tmp_path / "b", NOW)

    found = {each.name: each for each in compare_sites(tmp_path / "a", tmp_path / "b")}

    # The last profile is of the same rows.
    assert "profile:city" not in found
