"""What the checks of views have found, on the page Monitoring and on features' pages."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from html import escape

import pytest

import featurestore as fs
from featurestore.monitoring.profile import Profile, ProfileKind
from featurestore.monitoring.records import record_of
from featurestore.store.ledger.profiles import Profiles
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs
from tests.monitoring.profiles import numbers
from tests.site.conftest import DEFINITIONS, NOW, Make, filled_store, site_of
from tests.site.page import Page

PAGE = "api/v1/monitoring.json"
FEATURE = "api/v1/features/activity/amount_sum_2h.json"
LOW, HIGH = [float(each % 10) for each in range(500)], [float(each % 40) for each in range(500)]
DECLARED = DEFINITIONS.replace(
    'entities=(card,), source=paid, schedule="0 * * * *",',
    'entities=(card,), source=paid, schedule="0 * * * *", '
    'drift=(fs.Drift("amount", psi=0.2), fs.Drift("amount_sum_2h", psi=0.2)),',
)


def profile(store: fs.FeatureStore, days_ago: int, column: str, values: list[float]) -> None:
    kind: ProfileKind = "rows" if column == "amount" else "features"
    made = Profile(
        "activity",
        run_id=f"r{days_ago}",
        build_id="activity-1",
        at=NOW - timedelta(days=days_ago),
        kind=kind,
        columns=(replace(numbers(values, listed=50), column=column),),
    )
    Profiles(store.layout).record([record_of(made)])


def drifted(store: fs.FeatureStore) -> dict[str, str]:
    profile(store, 2, "amount", LOW)
    profile(store, 2, "amount_sum_2h", LOW)
    profile(store, 1, "amount", HIGH)
    profile(store, 1, "amount_sum_2h", LOW)
    return site_of(store)


def test_the_page_has_breaches_first_with_what_to_do(make_store: Make) -> None:
    site = drifted(make_store(DECLARED))

    found = json.loads(site[PAGE])
    assert found["counts"] == {"breach": 2, "undeclared": 0, "not compared": 12, "ok": 2}
    late, drift = found["checks"][:2]
    assert (late["view"], late["check"]) == ("activity", "late")
    assert (drift["measure"], drift["feature"]) == ("psi", "amount")
    assert drift["value"] > drift["threshold"] == 0.2
    page = Page(site["monitoring.html"])
    [rows] = page.tables
    assert drift["fix"] in rows[2][1]
    assert "features/activity/amount_sum_2h.html" in page.links


def test_a_features_page_says_whether_it_has_drifted(make_store: Make) -> None:
    site = drifted(make_store(DECLARED))

    own, column = json.loads(site[FEATURE])["drift"]
    assert (own["feature"], own["state"], own["declared"]) == ("amount_sum_2h", "ok", True)
    assert (column["feature"], column["state"]) == ("amount", "breach")
    text = Page(site["features/activity/amount_sum_2h.html"]).text
    assert column["found"] in text


def test_drift_is_on_the_overview_on_badges_and_in_lists(make_store: Make) -> None:
    site = drifted(make_store(DECLARED))

    found = json.loads(site["api/v1/index.json"])["drift"]
    assert found["states"] == {"drifted": 2, "no drift": 0, "not compared": 4}
    sums = [
        {"name": f"amount_sum_{window}", "view": "activity"} for window in ("2h", "1d_tumbling")
    ]
    assert found["drifted"] == sums
    links = Page(site["index.html"]).links
    assert {"features.html#drift=drifted", "features/activity/amount_sum_2h.html"} <= {*links}
    for page in ("features/activity/amount_sum_2h", "views/activity"):
        assert json.loads(site[f"api/v1/{page}.json"])["drift_state"] == "drifted"
        assert badges(site[f"{page}.html"])["drifted"] == "bad"
    assert "drifted" not in badges(site["features/profile/city.html"])
    states = {
        row["name"]: row["drift_state"] for row in json.loads(site["api/v1/features.json"])["rows"]
    }
    assert (states["amount_sum_2h"], states["city"]) == ("drifted", "not compared")


def badges(html: str) -> dict[str, str]:
    """Return the texts and colours of the badges above the two columns of a page."""
    beginning = html[html.index("<h1>") : html.index('class="split"')]
    return {text: colour for colour, text in re.findall(r'"badge (\w*)">([^<]+)', beginning)}


def test_features_without_thresholds_have_the_usual_ones_and_are_no_breach_of_the_page(
    make_store: Make,
) -> None:
    store = make_store(DEFINITIONS)
    profile(store, 2, "amount_sum_2h", LOW)
    profile(store, 1, "amount_sum_2h", HIGH)

    site = site_of(store)

    measured = json.loads(site[FEATURE])["drift"]
    assert [(each["measure"], each["state"], each["declared"]) for each in measured] == [
        ("psi", "undeclared", False),
        ("nulls", "ok", False),
    ]
    page = json.loads(site[PAGE])
    drifts = [each for each in page["checks"] if each["check"] == "drift"]
    assert [(each["feature"], each["state"]) for each in drifts] == [
        ("amount_sum_2h", "undeclared")
    ]
    assert page["counts"]["breach"] == 1  # the view is late


def test_a_store_without_profiles_has_the_page_too(make_store: Make) -> None:
    site = site_of(make_store(DEFINITIONS))

    assert json.loads(site[FEATURE])["drift"][0]["state"] == "not compared"
    assert json.loads(site["api/v1/features/share/share.json"])["drift"] == []


def test_a_store_without_definitions_has_the_page_too(make_store: Make) -> None:
    empty = site_of(make_store(""))

    assert json.loads(empty[PAGE])["checks"] == []
    assert Page(empty["monitoring.html"]).open == []


def test_a_message_of_several_lines_keeps_them(make_store: Make) -> None:
    store = make_store(DEFINITIONS)
    table = "column   now\nid       Int64\nfare     <gone>"
    failed = RunRecord(
        "r1",
        view="activity",
        table_id="t",
        kind="run",
        status="failed",
        started_at=NOW,
        ended_at=NOW,
        outcome=Outcome(error=f"bad:\n{table}"),
    )
    Runs(store.layout).record(failed)

    site = site_of(store)

    for page in (
        "index.html",
        "runs.html",
        "monitoring.html",
        "features/activity/amount_sum_2h.html",
    ):
        assert f'<pre tabindex="0">{escape(table)}' in site[page], page


def test_texts_of_the_store_are_shown_as_text(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = filled_store(tmp_path_factory.mktemp("hostile") / "project")

    html = site_of(store)["monitoring.html"]

    # The newest run failed with the error "no <space>".
    assert "no &lt;space&gt;" in html
    assert "<space>" not in html
