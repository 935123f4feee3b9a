"""A feature's page shows its statistics as text and as drawings, now and over time."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import featurestore as fs
from featurestore.monitoring.records import record_of, stored_profiles
from featurestore.site.documents.statistics import recorded
from featurestore.site.statistics.drawings import histogram_drawing, sparkline
from featurestore.store.ledger.profiles import Profiles
from tests.site.conftest import DEFINITIONS, NOW, Make, site_of
from tests.site.page import Page
from tests.site.profiles import HOSTILE, profile_of


def data_of(site: dict[str, str], page: str) -> dict[str, Any]:
    statistics: dict[str, Any] = json.loads(site[f"api/v1/features/{page}.json"])["statistics"]
    return statistics


def test_window_features_show_the_answers_of_keys(site: dict[str, str]) -> None:
    page = Page(site["features/activity/amount_sum_2h.html"])
    data = data_of(site, "activity/amount_sum_2h")

    assert page.facts["Keys"] == "300"
    assert page.facts["Nulls"].startswith("3 (1 %)")
    assert (data["kind"], data["at"], data["rows"]) == ("features", "2026-03-02T11:30:00Z", 300)
    quantiles = {each["share"]: each["value"] for each in data["quantiles"]}
    assert list(quantiles) == [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1]
    shown = next(table for table in page.tables if "median" in table[0] and len(table) == 2)
    assert shown[1] == list(quantiles.values())
    assert sum(each["rows"] for each in data["histogram"]) == 297


def test_the_drawings_have_titles_that_say_what_they_show(site: dict[str, str]) -> None:
    html = site["features/activity/amount_sum_2h.html"]

    titles = re.findall(r"<title>(.*?)</title>", html.partition("<main")[2])

    assert any(title.startswith("Histogram from ") for title in titles)
    assert "Rows over 3 runs: from 100 to 300" in titles
    assert len(data_of(site, "activity/amount_sum_2h")["history"]) == 3


def test_texts_show_frequent_values_as_text(site: dict[str, str]) -> None:
    html = site["features/profile/city.html"]
    page = Page(html)

    assert HOSTILE not in html
    frequent = next(table for table in page.tables if table[0] == ["value", "rows", "share"])
    assert [HOSTILE, "75", "33.3 %"] in frequent
    assert page.facts["Different values"] == "3"


def test_a_personal_field_shows_no_single_value(site: dict[str, str]) -> None:
    data = data_of(site, "daily/amount")

    assert (data["minimum"], data["maximum"], data["top"]) == (None, None, None)
    assert data["quantiles"][0]["share"] == 0.05


def test_a_feature_without_a_profile_says_so(site: dict[str, str]) -> None:
    for page in ("activity/count_lifetime", "share/share"):
        assert data_of(site, page) is None
        assert "No profile" in Page(site[f"features/{page}.html"]).text


def test_of_damaged_profiles_there_is_none(store: fs.FeatureStore) -> None:
    for file in Path(store.layout.profiles()).rglob("*.parquet"):
        file.write_bytes(b"damaged")

    site = site_of(store)

    assert data_of(site, "profile/city") is None
    (problem,) = json.loads(site["api/v1/index.json"])["problems"]
    assert "profiles" in problem
    page = json.loads(site["api/v1/features/profile/city.json"])
    (damaged,) = page["damaged_profiles"]
    assert damaged in Page(site["features/profile/city.html"]).text
    monitored = json.loads(site["api/v1/monitoring.json"])["checks"]
    found = [
        row["view"] for row in monitored if (row["check"], row["state"]) == ("profile", "breach")
    ]
    assert found == [each.view for each in store.monitor() if each.check == "profile"]
    assert "profile" in found


def test_a_damaged_newest_profile_is_named_and_the_ones_before_are_shown(
    store: fs.FeatureStore,
) -> None:
    (newest,) = [
        each for each in stored_profiles(store.layout, "profile") if each.kind == "table"
    ][-1:]
    later = replace(record_of(replace(newest, run_id="r99")), columns="{")
    Profiles(store.layout).record([later])

    site = site_of(store)

    assert data_of(site, "profile/city")["run_id"] == newest.run_id
    (damaged,) = json.loads(site["api/v1/features/profile/city.json"])["damaged_profiles"]
    assert "r99" in damaged


@pytest.mark.parametrize("values", [[], [1.0], [None, 1.0]])
def test_one_number_has_no_line(values: list[float | None]) -> None:
    assert sparkline("mean", values) == ""


def test_bars_of_any_height_are_within_the_drawing() -> None:
    bars = [{"low": str(n), "high": str(n + 1), "rows": 10**n} for n in range(6)]

    drawn = re.findall(r'"value".*?height="([\d.]+)"', histogram_drawing(bars))

    heights = [float(each) for each in drawn]
    assert len(heights) == 6
    assert min(heights) > 0
    assert max(heights) == 150


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0, 1, 1], [("0", "0", 1), ("1", "1", 2)]),
        ([*range(61), 87], [("0", "4", 5), ("85", "87", 1)]),
        ([5, 5], [("5", "5", 2)]),
    ],
)
def test_no_interval_of_integers_goes_beyond_the_greatest_one(
    make_store: Make, values: list[int], shown: list[tuple[str, str, int]]
) -> None:
    store = make_store(DEFINITIONS)
    counts = profile_of("activity", "features", pa.table({"count_lifetime": values}), NOW)
    Profiles(store.layout).record([record_of(counts)])

    bars = data_of(site_of(store), "activity/count_lifetime")["histogram"]

    found = [(each["low"], each["high"], each["rows"]) for each in bars]
    assert {*shown} <= {*found}
    assert all(int(low) <= int(high) <= max(values) for low, high, _ in found)
    assert found[-1][1] == str(max(values))
    assert sum(rows for _, _, rows in found) == len(values)


def test_a_profile_of_before_the_mark_as_personal_is_left_out(store: fs.FeatureStore) -> None:
    profiles = store.profiles("profile")

    assert len(recorded(profiles)["table", "city"]) == 3
    assert recorded(profiles, {"city"}) == {}
