"""What a visitor does: the site is opened from its folder, without a server."""

import json
from pathlib import Path

import pytest

from tests.browser.conftest import PHONE, Visit, built, expect, filled_store, new_store
from tests.site.conftest import DEFINITIONS

HOSTILE = """<script>document.title='x'</script><img src="https://evil.example/a.png">"' {{ 1 }}"""
BACKWARDS = "\u202eabc עברית"
LONG = "long " * 2_000


def test_a_search_with_a_typing_error_finds_the_feature(shop: Path, visit: Visit) -> None:
    visitor = visit(shop)
    page = visitor.open("index.html")

    page.keyboard.press("/")
    page.keyboard.type("amuont 2h")
    page.locator(".results li").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/features/**")

    assert visitor.path == "features/activity/amount_sum_2h.html"
    assert page.locator("h1").inner_text() == "amount_sum_2h"


def test_all_results_are_on_a_page_whose_address_keeps_the_query(shop: Path, visit: Visit) -> None:
    page = visit(shop).open("views.html")

    page.locator("[data-search]").fill("amount")
    page.keyboard.press("Enter")
    page.locator("[data-page] li").first.wait_for()
    found = page.locator("[data-page] a").all_inner_texts()
    page.reload()
    page.locator("[data-page] li").first.wait_for()

    assert {"amount_sum_2h", "amount", "activity"} <= {*found}
    assert page.locator("[data-page] a").all_inner_texts() == found
    assert page.locator("[data-search]").input_value() == "amount"


def test_a_changed_address_of_the_search_page_is_searched(shop: Path, visit: Visit) -> None:
    page = visit(shop).open("search.html#q=amount")
    page.locator("[data-page] li").first.wait_for()

    page.evaluate("location.hash = '#q=profile zzzz'")
    expect(page.locator("[data-page] a").first).to_have_text("profile")
    said = page.locator("[data-status]").inner_text()
    page.go_back()

    expect(page.locator("[data-search]")).to_have_value("amount")
    expect(page.locator("[data-page] a").first).to_have_text("amount")
    assert "None has all words" in said
    assert "None has all words" not in page.locator("[data-status]").inner_text()


def test_the_overview_leads_to_the_views_of_a_state(shop: Path, visit: Visit) -> None:
    visitor = visit(shop)
    page = visitor.open("index.html")

    page.locator(".states a", has_text="never materialized").click()

    expect(page.locator("[data-rows] tr")).to_have_count(2)
    assert visitor.path == "views.html#freshness=never%20materialized"


def test_a_tag_leads_to_all_that_have_it(shop: Path, visit: Visit) -> None:
    visitor = visit(shop)
    page = visitor.open("views/profile.html")

    page.get_by_role("link", name="people", exact=True).click()

    expect(page.locator("[data-rows] th a")).to_have_text(["profile"])
    assert visitor.path == "views.html#tag=people"


def test_a_drawing_says_its_numbers_as_text(shop: Path, visit: Visit) -> None:
    page = visit(shop).open("features/activity/amount_sum_2h.html")

    drawing = page.get_by_role("img").first

    assert "[t - 2h, t)" in drawing.locator("title").text_content()
    assert drawing.locator("text").all_text_contents() == ["t - 2h", "t"]


def test_a_histogram_says_its_numbers_as_text(shop: Path, visit: Visit) -> None:
    page = visit(shop).open("features/activity/amount_sum_2h.html")
    data = shop / "api" / "v1" / "features" / "activity" / "amount_sum_2h.json"
    rows = json.loads(data.read_text("utf-8"))["statistics"]["histogram"]

    page.get_by_text("The histogram as a table").click()
    shown = page.get_by_role("region", name="Histogram").locator("tbody tr")
    titles = page.locator("svg.histogram .column title").all_text_contents()

    assert [row.split() for row in shown.all_inner_texts()] == [
        [row["low"], row["high"], str(row["rows"])] for row in rows
    ]
    assert len(titles) == len(rows)
    assert all(row["low"] in title for row, title in zip(rows, titles, strict=True))


def test_a_phone_shows_each_row_of_a_table_as_a_block_with_all_its_columns(
    shop: Path, visit: Visit
) -> None:
    page = visit(shop, viewport=PHONE).open("features.html")
    row = page.locator("[data-rows] tr").first

    labels = row.locator("td").evaluate_all("cells => cells.map(each => each.dataset.label)")

    assert labels == ["view", "type", "window", "services"]
    assert all(each.is_visible() for each in row.locator("td:not(:empty)").all())


def test_two_versions_are_compared(tmp_path: Path, visit: Visit) -> None:
    store = filled_store(tmp_path / "project")
    file = store.settings.definitions_folder / "shop.py"
    file.write_text(DEFINITIONS.replace('ttl="4h"', 'ttl="5h"'), "utf-8")
    store.apply(store.plan())
    page = visit(built(store)).open("index.html")

    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name="version 2").click()

    assert page.locator(".old").all_inner_texts() == ["4h"]
    assert page.locator(".new").all_inner_texts() == ["5h"]


def test_a_snippet_is_copied(shop: Path, visit: Visit) -> None:
    visitor = visit(shop, permissions=["clipboard-read", "clipboard-write"])
    page = visitor.open("services/fraud.html")

    page.get_by_role("button", name="Copy").first.click()
    page.get_by_role("button", name="Copied").wait_for()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("pre").first.inner_text()


def test_pages_can_be_read_and_followed_without_scripts(shop: Path, visit: Visit) -> None:
    visitor = visit(shop, java_script_enabled=False)
    page = visitor.open("index.html")

    for name in ("Views", "activity", "amount_sum_2h", "fraud"):
        page.get_by_role("link", name=name, exact=True).first.click()

    assert visitor.path == "services/fraud.html"
    assert page.locator("svg.lineage a").count() > 3
    assert not page.locator("[data-search]").is_visible()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site whose definitions have texts that are not meant well."""
    texts = f"description={HOSTILE + LONG!r}, owner='javascript:alert(1)', tags=({BACKWARDS!r},)"
    return built(
        new_store(
            tmp_path_factory.mktemp("hostile") / "project",
            f"""
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),), {texts})
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at", {texts})
views = [
    fs.FeatureView(name, entities=(card,), source=paid, {texts},
        schema=(fs.Field("city", fs.String, description={HOSTILE!r}),),
        transform="SELECT *, '</code><script>alert(2)</script>' AS x FROM {{source}}")
    for name in ("shop", "Shop", "SHOP")
]
a, b, c = views
model = fs.FeatureService("model", features=(a,), {texts})
""",
        )
    )


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE}])
def test_texts_of_the_registry_are_shown_as_texts(
    hostile: Path, visit: Visit, options: dict[str, object]
) -> None:
    visitor = visit(hostile, **options)

    for path in ("views/shop.html", "services/model.html", "sources/paid.html", "views.html"):
        page = visitor.open(path)
        assert page.title() != "x"
        assert page.locator("img").count() == 0
        assert HOSTILE[:40] in page.locator("main").inner_text()
        assert page.locator("a[href^=javascript]").count() == 0
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width == page.viewport_size["width"]
    assert LONG.strip() in visitor.open("views/shop.html").locator("main").inner_text()


def test_facets_and_results_show_texts_as_texts(hostile: Path, visit: Visit) -> None:
    page = visit(hostile).open("services.html")
    page.locator("[data-search]").fill("evil")
    page.locator(".results li").first.wait_for()

    assert page.locator("img").count() == 0


def test_names_that_differ_in_case_have_pages_of_their_own(hostile: Path, visit: Visit) -> None:
    visitor = visit(hostile)
    titles, paths = [], []

    for number in range(3):
        visitor.open("views.html").locator("[data-rows] th a").nth(number).click()
        titles.append(visitor.page.locator("h1").inner_text())
        paths.append(visitor.path.casefold())

    assert sorted(titles) == ["SHOP", "Shop", "shop"]
    assert len({*paths}) == 3


def test_an_empty_registry_has_pages_that_say_so(tmp_path: Path, visit: Visit) -> None:
    visitor = visit(built(new_store(tmp_path / "project", "")))

    for path in ("index.html", "features.html", "lineage.html", "search.html#q=x"):
        assert visitor.open(path).locator("h1").is_visible()
