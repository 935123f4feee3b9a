"""What the pages show, and that no text of the registry becomes markup or a foreign link."""

import json
import shlex
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

import featurestore as fs
from featurestore import credentials
from featurestore.errors import TableError
from featurestore.registry.codec import document_fingerprint
from featurestore.site.build import build_site
from featurestore.store.commit import CommitNotes
from featurestore.store.delta.log import record_notes
from tests.site.conftest import DEFINITIONS, NOW, Make, site_of
from tests.site.page import Page, target_of

HOSTILE = (
    """<script>alert(1)</script><img src=x onerror=alert(2)>"'</title></svg>{{ 7 * 7 }}&amp;"""
)
SCRIPTS = {"search.js", "site.js", "list.js", "lineage.js", "compare.js"}
SHORT = "</title><script>alert(3)</script>"


def data(site: dict[str, str], page: str) -> dict[str, object]:
    return json.loads(site[f"api/v1/{page}.json"])


def test_a_features_page_answers_what_it_is_and_how_fresh(site: dict[str, str]) -> None:
    page = Page(site["features/activity/amount_sum_2h.html"])

    assert page.facts["Type"] == "Float64"
    assert page.facts["Key"] == "id (Int64), card"
    assert page.facts["Owner"] == "risk@example.com"
    assert page.facts["Defined in"] == "feature_defs/shop.py:18"
    assert page.facts["Used by"] == "fraud, share (view)"
    assert page.facts["State"].split()[:2] == ["current", "due"]
    assert page.facts["Schedule"] == "0 * * * * (UTC), due since 2026-03-02 12:00 UTC"
    assert page.facts["Last run"] == "failed 2026-03-02 12:01 UTC"
    assert page.facts["Rows"] == "2"
    assert "amount: The price paid, in euro" in page.text
    assert "no <space>" in page.text
    assert "mailto:risk@example.com" in page.links


@pytest.mark.parametrize(
    ("feature", "interval"),
    [
        ("activity/amount_sum_2h", "[t - 2h, t)"),
        ("activity/amount_sum_1d_tumbling", "[e - 1d, e)"),
        ("activity/count_lifetime", "(-∞, t - 1h)"),
        ("profile/city", "[t - 4h, t]"),
        ("daily/amount", "(-∞, t]"),
        ("share/share", None),
    ],
)
def test_a_features_rules_and_drawing_have_its_interval(
    site: dict[str, str], feature: str, interval: str | None
) -> None:
    page = Page(site[f"features/{feature}.html"])
    drawings = [own for own in page.names("svg") if own["class"] == "timeline"]

    assert data(site, f"features/{feature}")["interval"] == interval
    assert len(drawings) == (interval is not None)
    assert interval is None or any(interval in rule for rule in rules(site, feature))


def rules(site: dict[str, str], feature: str) -> list[str]:
    return data(site, f"features/{feature}")["rules"]


def test_each_word_that_a_page_explains_by_a_link_is_on_the_page_of_words(
    site: dict[str, str],
) -> None:
    linked = {
        link.partition("#")[2]
        for path, text in site.items()
        if path.endswith(".html")
        for link in Page(text).links
        if "words.html#" in link
    }
    anchors = {own["id"] for own in Page(site["words.html"]).names("dt") if own.get("id")}

    assert {"spine", "drift", "profile"} <= linked <= anchors


def test_a_source_shows_the_columns_that_the_newest_run_has_found(store: fs.FeatureStore) -> None:
    columns = [("ID", "Int64"), ("Amount", "Float64"), ("note", "String")]
    uri = store.layout.features("activity", "activity-1")
    notes = CommitNotes(
        "r1", view="activity", table_id="activity-1", generation=0, batch_id=0, source_offset="1",
        rows_in=0, rows_out=0, null_rows=0, max_event_timestamp=None, started_at=NOW,
        source_columns=columns, source_name="paid",
    )  # fmt: skip
    record_notes(uri, notes.to_json())

    shown = data(site_of(store), "sources/paid")["columns"]

    assert [(each["name"], each["type"], each["used_as"]) for each in shown] == [
        ("ID", "Int64", "id"),
        ("Amount", "Float64", "amount"),
        ("note", "String", None),
    ]


def test_services_show_each_column_with_its_feature(site: dict[str, str]) -> None:
    head, *rows = Page(site["services/fraud.html"]).tables[0]

    assert head == ["column", "feature", "type", "use"]
    assert [row[:3] for row in rows] == [
        ["card_city", "profile:city", "String"],
        ["amount_sum_2h", "activity:amount_sum_2h", "Float64"],
        ["amount_sum_1d_tumbling", "activity:amount_sum_1d_tumbling", "Float64"],
        ["count_lifetime", "activity:count_lifetime", "Int64"],
        ["share", "share:share", "Float64"],
    ]


def test_the_overview_counts_and_names_what_needs_care(site: dict[str, str]) -> None:
    overview = data(site, "index")
    health = {
        row["code"]: [each["name"] for each in row["which"]] for row in overview["health"]["rows"]
    }

    assert overview["counts"] == {
        "views": 4, "features": 6, "entities": 1, "sources": 2, "services": 1,
        "training-sets": 0, "models": 0,
    }  # fmt: skip
    assert overview["freshness"] == {
        "states": {"current": 1, "never materialized": 2, "on demand": 1},
        "scheduled": 1,
        "fresh": 0,
        "due": ["activity"],
        "newest_event": None,
    }
    assert (health["failed"], health["stale"]) == (["activity"], [])  # due, but not late yet
    assert health["never-materialized"] == ["daily", "profile"]
    assert health["unused"] == ["amount"]
    assert health["no-owner"] == ["daily", "share", "fraud", "basket", "paid"]


def test_the_settings_leave_out_what_lint_leaves_out(store: fs.FeatureStore) -> None:
    file = store.settings.folder / "featurestore.toml"
    file.write_text(file.read_text() + 'lint_ignore = ["no-owner", "failed:activity"]\n')

    health = data(site_of(fs.FeatureStore(store.settings.folder)), "index")["health"]

    counts = {row["code"]: row["count"] for row in health["rows"]}
    assert counts["no-owner"] == counts["failed"] == 0 < counts["unvalidated"]


def test_a_views_page_has_its_score_and_its_issues(site: dict[str, str]) -> None:
    own = data(site, "views/activity")["health"]
    mean = [data(site, f"views/{name}")["health"]["score"] for name in ("daily", "profile")]

    assert [each["code"] for each in own["issues"]] == [
        "no-description", "unvalidated", "failed",
    ]  # fmt: skip
    assert own["score"] == 100 * 6 // 9
    assert 0 < min(mean) <= data(site, "index")["health"]["score"] < 100
    assert own["issues"][2]["reason"] in Page(site["views/activity.html"]).text


def test_runs_are_listed_newest_first(site: dict[str, str]) -> None:
    _, *rows = Page(site["runs.html"]).tables[0]

    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("2026-03-02 12:01 UTC", "activity", "failed"),
        ("2026-03-02 11:10 UTC", "activity", "done"),
    ]


def test_each_version_shows_its_differences(store: fs.FeatureStore) -> None:
    file = store.settings.definitions_folder / "shop.py"
    file.write_text(DEFINITIONS.replace('ttl="4h"', 'ttl="5h"'), "utf-8")
    store.apply(store.plan())

    site = site_of(store)

    (change,) = data(site, "history/2")["differences"]
    assert (change["kind"], change["name"], change["breaking"]) == ("view", "profile", True)
    assert change["fields"] == [
        {"field": "ttl", "old": "4h", "new": "5h", "breaking": "values change"}
    ]
    assert [row[:2] for row in Page(site["history/2.html"]).tables[0][1:]] == [["ttl", "4h5h"]]
    assert {change["action"] for change in data(site, "history/1")["differences"]} == {"added"}


def test_lineage_shows_what_a_node_is_made_from_and_what_uses_it(site: dict[str, str]) -> None:
    links = {
        target_of("views/activity.html", own["href"])
        for own in Page(site["views/activity.html"]).names("a")
    }
    lineage = data(site, "lineage")
    edges = {(lineage["nodes"][one], lineage["nodes"][other]) for one, other in lineage["edges"]}

    assert {"sources/paid.html", "views/daily.html"} <= links
    assert ("source paid", "view activity") in edges
    assert ("view activity", "view daily") in edges
    assert ("feature activity:amount_sum_2h", "view share") in edges
    assert ("feature share:share", "service fraud") in edges
    assert len(edges) == len(lineage["edges"]) == 16


def test_every_link_leads_to_a_file_of_the_site(site: dict[str, str]) -> None:
    pages = {path: Page(text) for path, text in site.items() if path.endswith(".html")}
    inner = {
        (path, target_of(path, link))
        for path, page in pages.items()
        for link in page.links
        if not link.startswith(("mailto:", "https://"))
    }

    assert len(inner) > 300
    assert {target for _, target in inner} <= {*site}
    assert all(page.open == [] for page in pages.values())
    assert all(len(page.names("h1")) == 1 for page in pages.values())


def test_every_page_has_its_data_beside_it(site: dict[str, str]) -> None:
    pages = [path for path in site if path.endswith(".html")]

    for path in pages:
        assert data(site, path.removesuffix(".html"))["schema"].startswith("featurestore.site.")
    assert json.loads(site["registry.json"])["schema"] == "featurestore.manifest/1"
    assert "(api/v1/views/activity.json)" in site["llms.txt"]


def test_the_policy_forbids_everything_but_the_sites_own_files(site: dict[str, str]) -> None:
    for path, text in site.items():
        if path.endswith(".html"):
            page = Page(text)
            (policy,) = [own["content"] for own in page.names("meta") if "http-equiv" in own]
            assert policy.split("; ")[0] == "default-src 'none'"
            assert "unsafe" not in policy
            assert all("src" in own for own in page.names("script"))
            names = {name for _, own in page.tags for name in own}
            assert not {name for name in names if name == "style" or name.startswith("on")}


def test_texts_of_the_registry_never_become_markup(make_store: Make) -> None:
    texts = f"description={HOSTILE!r}, owner={SHORT!r}, tags=({HOSTILE!r}, '\u202eabc')"
    long = "x" * 10_000
    store = make_store(f"""
import featurestore as fs
card = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),), {texts})
paid = fs.DeltaSource("paid", path="data/</script>", timestamp_field="at", {texts})
linked = fs.FeatureView("linked", entities=(card,), source=paid, schema=(fs.Field("x", fs.Int64),),
    description="[pay](https://evil.example)")
view = fs.FeatureView("view", entities=(card,), source=paid, description={long!r},
    schema=(fs.Field("city", fs.String, description={HOSTILE!r}),), owner="javascript:alert(4)",
    transform="SELECT *, '</code><script>' AS x FROM {{source}}")
model = fs.FeatureService("model", features=(view,), {texts})
""")

    site = site_of(store)

    for path, text in site.items():
        if path.endswith(".html"):
            page = Page(text)
            assert page.open == []
            assert {own["src"].rpartition("/")[2] for own in page.names("script")} <= SCRIPTS
            assert not page.names("img")
            assert not [each for each in page.links if each.lower().startswith("javascript:")]
    assert r"\[pay\](https://evil.example)" in site["llms.txt"]
    assert HOSTILE in Page(site["services/model.html"]).text
    assert HOSTILE in Page(site["features/view/city.html"]).text
    assert long in Page(site["views/view.html"]).text
    assert Page(site["views/view.html"]).facts["Owner"] == "javascript:alert(4)"


def changed_registry(store: fs.FeatureStore, before: str, after: str) -> fs.FeatureStore:
    """Write another text into the registry, as no definition could have it."""
    uri = store.layout.registry()
    table = pa.table(DeltaTable(uri).scan())
    [row] = table.to_pylist()
    assert json.dumps(before) in row["manifest"]
    document = json.loads(row["manifest"].replace(json.dumps(before), json.dumps(after)))
    new = row | {"manifest": json.dumps(document), "digest": document_fingerprint(document)}
    write_deltalake(uri, pa.Table.from_pylist([new], table.schema), mode="overwrite")
    return fs.FeatureStore(store.settings.folder)


@pytest.mark.parametrize("before", ["payer", "at", "known", "data/paid"])
def test_a_changed_registry_gives_no_markup_and_no_command(make_store: Make, before: str) -> None:
    store = make_store("""
import featurestore as fs
card = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),))
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at",
    available_timestamp_field="known")
view = fs.FeatureView("view", entities=(card,), source=paid, ttl="17d",
    schema=(fs.Field("city", fs.String),))
model = fs.FeatureService("model", features=(view.with_join_keys({"id": "payer"}),))
""")

    site = site_of(changed_registry(store, before, f"$(touch x) `y` {HOSTILE}"))

    for path, text in site.items():
        if path.endswith(".html"):
            page = Page(text)
            assert page.open == []
            assert not page.names("img")
            assert {own["src"].rpartition("/")[2] for own in page.names("script")} <= SCRIPTS
    snippets = data(site, "services/model")["snippets"]
    words = shlex.split(snippets["shell"].splitlines()[0])
    assert words[:3] == ["featurestore", "latest", "model"]
    assert len(words) == 4
    if before == "payer":
        assert words[3] == f"$(touch x) `y` {HOSTILE}=7"
        compile(snippets["python"], "snippet", "exec")


def test_a_value_that_is_resolved_after_a_build_is_hidden_in_the_next(make_store: Make) -> None:
    value = "CANARY-71d2-folder"
    store = make_store(f"""
import featurestore as fs
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at", description="in {value}")
view = fs.FeatureView("view", entities=(), source=paid, schema=(fs.Field("x", fs.Int64),))
""")
    before, hidden = site_of(store), list(credentials._hidden)

    credentials.hide(value, "${env:FOLDER}")
    try:
        after = site_of(store)
    finally:
        credentials._hidden[:] = hidden

    assert value in before["sources/paid.html"]
    assert not [path for path, text in after.items() if value in text]


def test_names_that_differ_only_in_case_have_pages_of_their_own(make_store: Make) -> None:
    store = make_store("""
import featurestore as fs
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at")
views = [
    fs.FeatureView(name, entities=(), source=paid,
                   schema=(fs.Field("X", fs.Int64),))
    for name in ("con", "Con", "CON")
]
a, b, c = views
""")

    site = site_of(store)

    assert len({path.casefold() for path in site}) == len(site)
    pages = [path for path in site if path.startswith("features/")]
    assert len(pages) == 3
    own = [data(site, path.removesuffix(".html")) for path in pages]
    names = {(each["view"], each["name"]) for each in own}
    assert names == {("con", "X"), ("Con", "X"), ("CON", "X")}


def test_an_empty_registry_has_a_site_that_says_so(make_store: Make) -> None:
    site = site_of(make_store(""))

    assert data(site, "index")["version"] == 0
    assert {*data(site, "index")["counts"].values()} == {0}
    for path in site:
        if path.endswith(".html"):
            assert {target_of(path, link) for link in Page(site[path]).links} <= {*site}


def test_a_damaged_ledger_is_a_problem_that_the_overview_shows(store: fs.FeatureStore) -> None:
    for log in Path(store.layout.runs(), "_delta_log").glob("*.json"):
        log.write_text('{"add": {"pa')

    site = site_of(store)

    (problem,) = data(site, "index")["problems"]
    assert "runs" in problem
    assert data(site, "views/activity")["freshness"]["state"] == "unknown"
    assert problem in Page(site["index.html"]).text


def test_a_damaged_table_changes_its_own_views_only(store: fs.FeatureStore) -> None:
    for log in Path(store.layout.features("activity", "activity-1"), "_delta_log").glob("*"):
        log.write_text('{"add": {"pa')

    site = site_of(store)

    assert data(site, "views/activity")["freshness"]["state"] == "damaged"
    assert data(site, "views/profile")["freshness"]["state"] == "never materialized"


def test_a_registry_of_a_newer_release_is_an_error_and_no_site(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    (row,) = [version for version in store.history() if version.version == 1]
    document = row.document.replace("featurestore.manifest/1", "featurestore.manifest/2")
    rows = {"version": 2, "applied_at": NOW, "applied_by": "me", "digest": "x", "changes": "[]"}
    add_version(store, {**rows, "manifest": document})

    with pytest.raises(TableError) as raised:
        build_site(store, tmp_path / "out", NOW)

    assert "manifest/2" in raised.value.found
    assert not (tmp_path / "out").exists()


def add_version(store: fs.FeatureStore, row: dict[str, object]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only here
    from deltalake import DeltaTable  # noqa: PLC0415 - only here

    schema = pa.schema(DeltaTable(store.layout.registry()).schema().to_arrow())
    write_deltalake(
        store.layout.registry(), pa.Table.from_pylist([row], schema=schema), mode="append"
    )


def test_two_builds_differ_in_the_moment_of_the_build_only(store: fs.FeatureStore) -> None:
    later = NOW + timedelta(minutes=7)
    first, second = site_of(store), site_of(store, later)

    for text in ("2026-03-02T12:30:00Z", "2026-03-02 12:30 UTC"):
        other = text.replace("12:30", "12:37")
        assert text in first["index.html"]
        second = {path: each.replace(other, text) for path, each in second.items()}
    assert first == second
