"""What breaks if a column is dropped: a newcomer finds it by clicks, also without scripts."""

from pathlib import Path

import pytest

from tests.browser.conftest import Visit


@pytest.mark.parametrize("scripts", [True, False])
def test_the_impact_of_a_column_is_found_from_a_feature(
    shop: Path, visit: Visit, scripts: bool
) -> None:
    visitor = visit(shop, java_script_enabled=scripts)
    page = visitor.open("features/activity/amount_sum_2h.html")

    page.get_by_role("link", name="paid.amount").click()
    found = page.locator("main").inner_text()

    assert visitor.path == "impact/paid/amount.html"
    assert "share" in found.partition("Features that are computed from it")[2]
    page.get_by_role("link", name="fraud").first.click()
    assert visitor.path == "services/fraud.html"


def test_a_column_is_chosen_from_all_sources(shop: Path, visit: Visit) -> None:
    visitor = visit(shop)
    page = visitor.open("index.html")

    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Impact").click()
    page.get_by_role("link", name="paid", exact=True).click()
    page.get_by_role("link", name="city", exact=True).click()

    assert visitor.path == "impact/paid/city.html"
