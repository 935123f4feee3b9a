"""The pages on impact: what each column of a source reaches, without scripts."""

import json

from featurestore.site.addresses import page_of
from tests.site.conftest import Make, site_of
from tests.site.page import Page, target_of

CODE = """
import featurestore as fs

card = fs.Entity("card", join_keys=fs.Field("id", fs.Int64))
paid = fs.FileSource(
    "paid", path="paid.csv", timestamp_field="at",
    schema=[
        fs.Field("id", fs.Int64),
        *(fs.Field(name, fs.String) for name in ("at", "size", "text", "<b>", "a'b")),
    ],
)
clicks = fs.DeltaSource("clicks", path="data/clicks", timestamp_field="at")


def longer(rows):
    return rows


by_code = fs.FeatureView(
    "by_code", entities=card, source=paid, schema=fs.Field("size", fs.String), transform=longer,
)
upper, lower = (
    fs.FeatureView(name, entities=card, source=clicks, schema=fs.Field(column, fs.String))
    for name, column in (("upper", "Page"), ("lower", "page"))
)
"""


def data(site: dict[str, str], page: str) -> dict[str, object]:
    return json.loads(site[f"api/v1/{page}.json"])


def test_a_column_is_found_by_links_alone(site: dict[str, str]) -> None:
    at, names = "index.html", ("impact.html", "impact/paid.html", "impact/paid/amount.html")
    for name in names:
        links = {target_of(at, link) for link in Page(site[at]).links}

        assert name in links
        at = name

    assert "impact/paid.html" in {
        target_of("sources/paid.html", link) for link in Page(site["sources/paid.html"]).links
    }


def test_the_page_of_a_column_has_all_that_it_reaches(site: dict[str, str]) -> None:
    page, found = Page(site["impact/paid/amount.html"]), data(site, "impact/paid/amount")
    links = {target_of("impact/paid/amount.html", link) for link in page.links}

    assert found["counts"] == {
        "value": 4, "rows": 0, "possible": 0, "run": 1,
        "services": 1, "training_sets": 0, "models": 0,
    }  # fmt: skip
    assert {part["reach"]: part["views"] for part in found["features"]}["run"] == [
        {"view": "activity", "features": ["count_lifetime"]}
    ]
    assert found["services"] == [{"name": "fraud", "reach": "value"}]
    assert {
        "features/activity/amount_sum_2h.html", "features/daily/amount.html",
        "features/share/share.html", "services/fraud.html",
    } <= links  # fmt: skip
    assert [own["class"] for own in page.names("svg")] == ["lineage"]


def test_a_features_page_names_its_source_columns(site: dict[str, str]) -> None:
    facts = Page(site["features/activity/amount_sum_2h.html"]).facts

    assert facts["Made from"] == "paid.amount"
    assert facts["Rows chosen by"] == "paid.at, paid.id, paid.known_at"
    assert (
        Page(site["features/activity/count_lifetime.html"]).facts["Made from"] == "the rows alone"
    )


def test_what_cannot_be_known_is_said(make_store: Make) -> None:
    site = site_of(make_store(CODE))

    for page in ("impact/paid", "impact/paid/at"):
        assert data(site, page)["unknown"] == ["by_code"]
        assert "Not known: by_code" in Page(site[f"{page}.html"]).text
    assert data(site, "impact/paid/at")["counts"]["possible"] == 1
    assert (
        "any column of paid (not known)"
        in Page(site["features/by_code/size.html"]).facts["Made from"]
    )


def test_columns_that_differ_in_case_have_pages_of_their_own(make_store: Make) -> None:
    site = site_of(make_store(CODE))

    pages = [path for path in site if path.startswith("impact/clicks/")]

    assert len({path.lower() for path in pages}) == len(pages) == 4
    for column, view in (("Page", "upper"), ("page", "lower")):
        found = data(site, page_of("column", column, "clicks").removesuffix(".html"))
        assert [part["views"] for part in found["features"] if part["reach"] == "value"] == [
            [{"view": view, "features": [column]}]
        ]


def test_names_of_columns_are_text(make_store: Make) -> None:
    site = site_of(make_store(CODE))

    shown = Page(site["impact/paid.html"])

    assert [row[0] for row in shown.tables[0] if row[0] in ("<b>", "a'b")] == ["<b>", "a'b"]
    assert shown.names("b") == []


def test_without_definitions_the_page_says_so(make_store: Make) -> None:
    site = site_of(make_store(""))

    assert data(site, "impact")["rows"] == []
    assert "nothing is applied" in Page(site["impact.html"]).text


def test_an_unused_column_may_go(make_store: Make) -> None:
    site = site_of(make_store(CODE.replace(", transform=longer", "")))

    assert data(site, "impact/paid/text")["unused"]
