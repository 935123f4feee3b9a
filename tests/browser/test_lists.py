"""Lists and their facets: rows are chosen by values, and the address keeps the choice."""

from pathlib import Path

import pytest

from tests.browser.conftest import Page, Visit, built, expect, new_store

# Two files are two domains; 240 features are two pages without scripts.
CARDS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),))
shop = fs.Entity("shop", join_keys=(fs.Field("shop_id", fs.Int64),))
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at")
hours = tuple(f"{n}h" for n in range(1, 121))
cards = fs.FeatureView(
    "cards", entities=(card,), source=paid, owner="risk@example.com", tags=("money", "card"),
    schema=(fs.Field("amount", fs.Float64),),
    aggregations=(fs.Aggregation("amount", "sum", windows=hours),
                  fs.Aggregation("*", "count", windows=hours)),
)
"""
SHOPS = """
import featurestore as fs
from feature_defs.shop import paid, shop

shops = fs.FeatureView(
    "shops", entities=(shop,), source=paid, schema=(fs.Field("city", fs.String),),
    tags=("money",), owner="<b>&\\"'",
)
"""


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site with 241 features in two domains."""
    store = new_store(tmp_path_factory.mktemp("lists") / "project", CARDS)
    (store.settings.definitions_folder / "stores").mkdir()
    (store.settings.definitions_folder / "stores" / "views.py").write_text(SHOPS)
    store.apply(store.plan())
    return built(store)


def names(page: Page) -> list[str]:
    return page.locator("[data-rows] th a").all_inner_texts()


def count(page: Page, facet: str, value: str) -> int:
    box = page.locator(f"[data-facet={facet}] label").filter(has_text=value).first
    return int(box.locator(".count").inner_text())


def choose(page: Page, facet: str, value: str) -> None:
    page.get_by_role("group", name=facet).get_by_label(value).click()


def test_facets_choose_rows_and_count_what_is_left(lists: Path, visit: Visit) -> None:
    page = visit(lists).open("features.html")
    status = page.get_by_role("status").filter(has_text=" ")

    assert (count(page, "domain", "shop"), count(page, "domain", "stores")) == (240, 1)
    choose(page, "Type", "Int64")
    status.filter(has_text="120 of 241").wait_for()
    assert names(page) == [f"count_{n}h" for n in range(1, 51)]
    assert (count(page, "type", "Float64"), count(page, "window", "1h")) == (120, 1)
    page.get_by_role("button", name="113 more").click()
    choose(page, "Window", "77h")
    page.get_by_text("1 of 241").wait_for()

    assert names(page) == ["count_77h"]
    assert (count(page, "type", "Float64"), count(page, "domain", "stores")) == (1, 0)
    choose(page, "Type", "Float64")
    page.get_by_text("2 of 241").wait_for()
    assert names(page) == ["amount_sum_77h", "count_77h"]
    page.locator("[data-rows] a", has_text="count_77h").click()
    assert page.locator("h1").inner_text() == "count_77h"


def test_the_address_keeps_the_choice(lists: Path, visit: Visit) -> None:
    visitor = visit(lists)
    page = visitor.open("features.html")

    choose(page, "Type", "Int64")
    page.get_by_text("120 of 241").wait_for()
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("[data-rows] tr")).to_have_count(100)
    page.reload()
    expect(page.locator("[data-rows] tr")).to_have_count(100)
    assert page.get_by_role("group", name="Type").get_by_label("Int64").is_checked()
    choose(page, "Type", "Int64")
    expect(page.locator("[data-rows] tr")).to_have_count(200)
    page.go_back()
    page.get_by_text("120 of 241").wait_for()
    page.go_back()
    page.go_back()

    assert visitor.path == "features.html"
    assert len(names(page)) == 200
    assert not page.get_by_role("group", name="Type").get_by_label("Int64").is_checked()


def test_values_of_a_facet_are_texts(lists: Path, visit: Visit) -> None:
    visitor = visit(lists)
    page = visitor.open("views.html")

    choose(page, "Owner", "<b>&\"'")
    page.get_by_text("1 of 2").wait_for()
    assert names(page) == ["shops"]
    page = visitor.open("views.html#tag=card&owner=nobody")
    page.get_by_text("0 of 2").wait_for()
    assert names(page) == []
    page.get_by_role("button", name="Show all").click()
    page.get_by_text("2 in all").wait_for()

    assert names(page) == ["cards", "shops"]


def test_a_list_is_whole_without_scripts(lists: Path, visit: Visit) -> None:
    page = visit(lists, java_script_enabled=False).open("features.html")

    first = names(page)
    assert not page.locator(".facets").is_visible()
    page.get_by_role("link", name="2", exact=True).first.click()

    assert len({*first, *names(page)}) == 241


def test_a_facet_is_chosen_by_keyboard(lists: Path, visit: Visit) -> None:
    page = visit(lists).open("views.html")

    page.locator(".facets summary").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_text("1 of 2").wait_for()

    assert len(names(page)) == 1
