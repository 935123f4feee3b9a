"""Any two applied versions are compared in the browser, from the differences of each version."""

from itertools import combinations
from pathlib import Path

import pytest

import featurestore as fs
from tests.browser.conftest import Visit, built, expect, new_store
from tests.site.conftest import DEFINITIONS

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
EXTRA = '\nextra = fs.FeatureService("extra", features=profile, owner="<b>x</b>")\n'
# Added and removed again; changed and changed back; changed twice; removed and added again.
VERSIONS = (
    DEFINITIONS,
    DEFINITIONS.replace('ttl="4h"', 'ttl="5h"') + EXTRA,
    DEFINITIONS.replace('ttl="4h"', 'ttl="6h"').partition("fraud = ")[0],
    DEFINITIONS.replace("The card's holder", "The holder") + EXTRA,
    DEFINITIONS + EXTRA.replace("<b>x</b>", "y"),
)
Shown = dict[str, tuple[str, dict[str, tuple[str | None, str | None]]]]


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> fs.FeatureStore:
    store = new_store(tmp_path_factory.mktemp("changed") / "project", VERSIONS[0])
    file = store.settings.definitions_folder / "shop.py"
    for definitions in VERSIONS[1:]:
        file.write_text(definitions, "utf-8")
        store.apply(store.plan())
    return store


@pytest.fixture(scope="module")
def folder(changed: fs.FeatureStore) -> Path:
    return built(changed)


def expected(store: fs.FeatureStore, old: int, new: int) -> Shown:
    return {
        f"{change.kind} {change.name}": (
            change.action,
            {each.field: (each.old, each.new) for each in change.details},
        )
        for change in store.compare(old, new)
    }


def shown(page: object) -> Shown:
    found: Shown = {}
    for head in page.locator("[data-result] h2").all():
        text, _, action = head.inner_text().rpartition(" ")
        table = head.locator("xpath=following-sibling::div[1]")
        fields = {
            row.locator("td").first.inner_text(): tuple(
                row.locator(f".{side}").text_content() if row.locator(f".{side}").count() else None
                for side in ("old", "new")
            )
            for row in table.locator("tbody tr").all()
        }
        found[text] = action, fields
    return found


def test_any_two_versions_are_compared_as_python_compares_them(
    changed: fs.FeatureStore, folder: Path, visit: Visit
) -> None:
    visitor = visit(folder)

    for old, new in (*combinations(range(1, 6), 2), (5, 1), (4, 2)):
        page = visitor.open(f"compare.html#old={old}&new={new}")
        page.locator("[data-result] p").first.wait_for()
        assert shown(page) == expected(changed, old, new), (old, new)


def test_the_choice_is_in_the_address(folder: Path, visit: Visit) -> None:
    page = visit(folder).open("history.html")

    page.get_by_text("Compare any two versions").click()
    expect(page.locator("[data-side=new]")).to_have_value("5")
    page.locator("[data-side=old]").select_option("1")
    expect(page.locator("[data-result] p")).to_have_text("1 definition differs.")
    page.reload()

    expect(page.locator("[data-side=old]")).to_have_value("1")
    expect(page.locator("[data-result] p")).to_have_text("1 definition differs.")


def test_axe_finds_nothing_in_a_comparison(folder: Path, visit: Visit) -> None:
    page = visit(folder).open("compare.html#old=1&new=3")
    page.locator("[data-result] h2").first.wait_for()

    assert axe.Axe().run(page, options={"preload": False}).response["violations"] == []


def test_without_scripts_the_page_says_how_to_compare(folder: Path, visit: Visit) -> None:
    page = visit(folder, java_script_enabled=False).open("compare.html")

    assert "featurestore history --compare 1 5" in page.locator("main").inner_text()
    assert not page.locator("[data-compare]").is_visible()
