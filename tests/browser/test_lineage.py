"""Lineage: neighbours are shown and hidden by a click, and the address keeps what is shown."""

from pathlib import Path

import pytest

from tests.browser.conftest import Page, Visit, expect


def boxes(page: Page) -> list[str]:
    """Return what the boxes are, in the order of their columns and rows."""
    return [title.strip() for title in page.locator("svg.lineage title").all_text_contents()]


def press(page: Page, name: str, side: str) -> None:
    """Click the number on a side of a box, and wait until it is drawn."""
    what = "made from" if side == "up" else "use it"
    page.locator(f"[aria-label^='{name}: the'][aria-label*='{what}']").click()


def wait_for(page: Page, count: int) -> None:
    expect(page.locator("svg.lineage rect.node")).to_have_count(count)


def test_a_click_shows_and_hides_neighbours(shop: Path, visit: Visit) -> None:
    visitor = visit(shop)
    page = visitor.open("sources/paid.html")

    assert boxes(page) == ["source paid", "view activity", "view profile"]
    press(page, "view activity", "down")
    wait_for(page, 7)
    press(page, "feature activity:amount_sum_2h", "down")
    wait_for(page, 10)
    assert {"view share", "service fraud", "training set fraud_2026_01"} <= {*boxes(page)}
    page.reload()
    wait_for(page, 10)
    press(page, "view activity", "down")
    wait_for(page, 3)
    page.go_back()
    wait_for(page, 10)
    page.go_back()
    page.go_back()
    wait_for(page, 3)
    assert visitor.path == "sources/paid.html"


def test_an_edge_is_followed_to_the_next_page(shop: Path, visit: Visit) -> None:
    visitor = visit(shop)
    page = visitor.open("sources/paid.html")

    page.locator("svg.lineage a", has_text="activity").click()
    page.locator("svg.lineage a", has_text="amount_sum_2h").click()
    page.get_by_role("link", name="service fraud").click()

    assert visitor.path == "services/fraud.html"


def test_neighbours_are_shown_by_keyboard_and_keep_the_focus(shop: Path, visit: Visit) -> None:
    page = visit(shop).open("sources/paid.html")

    page.locator("[aria-label^='view activity: the']").focus()
    page.keyboard.press("Enter")
    wait_for(page, 7)
    focused = page.evaluate("document.activeElement.getAttribute('aria-expanded')")
    page.keyboard.press("Space")
    wait_for(page, 3)

    assert focused == "true"


@pytest.mark.parametrize(
    "path", ["views/activity.html", "services/fraud.html", "features/share/share.html"]
)
def test_the_script_draws_what_the_build_has_drawn(shop: Path, visit: Visit, path: str) -> None:
    shapes = """
    () => Array.from(document.querySelectorAll("svg.lineage *"), (each) => [
      each.tagName, ...Array.from(each.attributes, (a) => a.name + "=" + a.value)
        .filter((text) => !/^(href|xmlns|data-most)/.test(text)).sort(),
      each.children.length ? "" : each.textContent]).map((each) => each.join(" ")).sort()
    """
    page = visit(shop).open(path)
    number = page.locator("svg.lineage").get_attribute("data-node")

    built = page.evaluate(shapes)
    page.evaluate("document.querySelector('svg.lineage rect').id = 'old'")
    page.evaluate(f"location.hash = 'lineage={number}u8,{number}d8'")
    page.locator("#old").wait_for(state="detached")

    assert page.evaluate(shapes) == built
