"""Every kind of page: accessible in light and dark, no wider than a phone, and free of errors."""

from pathlib import Path

import pytest

from tests.browser.conftest import PHONE, Visit, Visitor

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
PAGES = [
    "index.html",
    "views.html",
    "features.html",
    "entities.html",
    "sources.html",
    "services.html",
    "lineage.html",
    "monitoring.html",
    "runs.html",
    "history.html",
    "history/1.html",
    "compare.html",
    "search.html#q=amount",
    "words.html",
    "views/activity.html",
    "views/share.html",
    "features/activity/amount_sum_2h.html",
    "entities/card.html",
    "sources/paid.html",
    "services/fraud.html",
    "training-sets.html",
    "models.html",
    "training-sets/fraud_2026_01.html",
    "models/fraud_model.html",
    "compare.html",
    "impact.html",
    "impact/paid.html",
    "impact/paid/amount.html",
]


@pytest.fixture(scope="module")
def visitors(shop: Path, visits_of_module: Visit) -> dict[str, Visitor]:
    """A visitor for each colour scheme, and one with a phone."""
    return {
        "light": visits_of_module(shop, color_scheme="light"),
        "dark": visits_of_module(shop, color_scheme="dark"),
        "phone": visits_of_module(shop, viewport=PHONE),
    }


def test_every_kind_of_page_is_tested(shop: Path) -> None:
    folders = {path.parent.name for path in shop.glob("*/*.html")}
    roots = {path.name for path in shop.glob("*.html")}

    assert roots == {page.partition("#")[0] for page in PAGES if "/" not in page}
    assert folders == {page.partition("/")[0] for page in PAGES if page.count("/") == 1}


# axe would load style sheets itself, which the pages' policy forbids.
OPTIONS = {"preload": False}
CONTRAST = {**OPTIONS, "runOnly": {"type": "rule", "values": ["color-contrast"]}}


@pytest.mark.parametrize(("scheme", "options"), [("light", OPTIONS), ("dark", CONTRAST)])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(
    visitors: dict[str, Visitor], path: str, scheme: str, options: dict[str, object]
) -> None:
    page = visitors[scheme].open(path)

    found = axe.Axe().run(page, options=options)

    assert found.response["passes"]
    assert [
        (each["id"], [node["html"] for node in each["nodes"]])
        for each in found.response["violations"]
    ] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_no_wider_than_a_phone(visitors: dict[str, Visitor], path: str) -> None:
    page = visitors["phone"].open(path)

    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
