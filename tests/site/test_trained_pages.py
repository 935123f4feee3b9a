"""The pages of saved training sets and of models."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.store.ledger.schemas import MODELS
from tests.site.conftest import site_of
from tests.site.page import Page, target_of
from tests.site.trained import save_and_record

SAVED, MODEL = "training-sets/fraud_2026_01", "models/fraud_model"


@pytest.fixture
def trained(store: fs.FeatureStore) -> dict[str, str]:
    save_and_record(store)
    return site_of(store)


def data(site: dict[str, str], page: str) -> dict[str, object]:
    return json.loads(site[f"api/v1/{page}.json"])


def links(site: dict[str, str], page: str) -> set[str]:
    return {target_of(f"{page}.html", link) for link in Page(site[f"{page}.html"]).links}


def test_the_lists_have_training_sets_and_models(trained: dict[str, str]) -> None:
    [saved], [model] = rows(trained, "training-sets"), rows(trained, "models")

    assert (saved["name"], saved["version"], saved["rows"]) == ("fraud_2026_01", 1, 2)
    assert (model["name"], model["training_set_version"]) == ("fraud_model", 0)
    assert f"{SAVED}.html" in links(trained, "training-sets")
    assert {f"{MODEL}.html", f"{SAVED}.html"} <= links(trained, "models")


def rows(site: dict[str, str], page: str) -> list[dict[str, object]]:
    return data(site, page)["rows"]  # type: ignore[return-value]  # rows of a list


def test_lists_of_training_sets_and_models_have_facets(store: fs.FeatureStore) -> None:
    save_and_record(store)
    spine = [{"id": 1, "event_timestamp": "1970-01-01T04:00:00Z", "y": 1}]
    store.get_training_set("activity", spine, label="y").save("other")
    store.record_model("second", training_set="other", uri="models:/2")

    site = site_of(store)

    for page, facet, values in (
        ("training-sets", "label", ("bought", "y")),
        ("models", "training set", ("fraud_2026_01", "other")),
        ("models", "tag", ("", "champion")),
    ):
        text = site[f"lists/{page}.js"].partition("(")[2].rpartition(")")[0]
        facets = {each["name"]: tuple(each["values"]) for each in json.loads(text)["facets"]}
        assert facets[facet] == values
        assert f'data-facet="{facet}"' in site[f"{page}.html"]


def test_a_training_sets_page_says_what_it_is_made_from(trained: dict[str, str]) -> None:
    found, facts = data(trained, SAVED), Page(trained[f"{SAVED}.html"]).facts

    assert [row["version"] for row in found["versions"]] == [1, 0]
    assert found["views"] == [{"view": "activity", "table_id": "activity-1", "version": 0}]
    assert facts["Definitions"] == "version 1"
    assert facts["Models"] == "fraud_model 1"
    assert {
        "features/activity/amount_sum_2h.html", "history/1.html", f"{MODEL}.html",
    } <= links(trained, SAVED)  # fmt: skip


def test_a_models_page_says_which_features_it_uses(trained: dict[str, str]) -> None:
    found, facts = data(trained, MODEL), Page(trained[f"{MODEL}.html"]).facts

    assert [each["feature"] for each in found["features"]] == [
        "amount_sum_2h", "amount_sum_1d_tumbling", "count_lifetime",
    ]  # fmt: skip
    assert facts["Learned from"] == "fraud_2026_01, version 0"
    assert facts["Where"] == "models:/fraud/3"
    assert "models:/fraud/3" not in Page(trained[f"{MODEL}.html"]).links


def test_a_feature_and_a_column_name_what_learns_from_them(trained: dict[str, str]) -> None:
    facts = Page(trained["features/activity/amount_sum_2h.html"]).facts

    assert facts["Training sets and models"] == "fraud_2026_01, fraud_model (model)"
    assert {f"{SAVED}.html", f"{MODEL}.html"} <= links(trained, "impact/paid/amount")
    assert data(trained, "impact/paid/amount")["models"] == [
        {"name": "fraud_model", "reach": "value"}
    ]


def test_lineage_goes_on_to_training_sets_and_models(trained: dict[str, str]) -> None:
    nodes = data(trained, "lineage")["nodes"]
    edges = {(nodes[one], nodes[other]) for one, other in data(trained, "lineage")["edges"]}

    assert ("training set fraud_2026_01", "model fraud_model") in edges
    assert ("feature activity:amount_sum_2h", "training set fraud_2026_01") in edges


def test_a_training_set_of_a_service_comes_from_the_service(store: fs.FeatureStore) -> None:
    file = store.settings.definitions_folder / "shop.py"
    file.write_text(
        file.read_text() + '\nsmall = fs.FeatureService("small", features=activity)\n', "utf-8"
    )
    store.apply(store.plan())
    spine = [{"id": 1, "event_timestamp": "1970-01-01T04:00:00Z", "y": 1}]
    store.get_training_set("small", spine, label="y").save("small_set")

    site = site_of(store)
    nodes = data(site, "lineage")["nodes"]
    edges = {(nodes[one], nodes[other]) for one, other in data(site, "lineage")["edges"]}

    assert {one for one, other in edges if other == "training set small_set"} == {"service small"}


def test_what_is_not_applied_any_more_is_named_without_a_link(store: fs.FeatureStore) -> None:
    save_and_record(store)
    file = store.settings.definitions_folder / "shop.py"
    file.write_text(file.read_text().replace('windows=("2h", fs.Tumbling("1d"))', 'windows="2h"'))
    store.apply(store.plan())

    site = site_of(store)

    assert "features/activity/amount_sum_1d_tumbling.html" not in links(site, SAVED)
    assert [each["applied"] for each in data(site, MODEL)["features"]] == [True, False, True]
    assert all(target in site for target in links(site, MODEL) if target.endswith(".html"))


def test_a_model_whose_training_set_is_gone_keeps_its_page(store: fs.FeatureStore) -> None:
    save_and_record(store)
    shutil.rmtree(store.layout.training_set("fraud_2026_01"))

    site = site_of(store)

    assert data(site, MODEL)["is_saved"] is False
    assert "not there any more" in Page(site[f"{MODEL}.html"]).facts["Learned from"]


def test_a_damaged_training_set_or_ledger_is_shown_as_such(store: fs.FeatureStore) -> None:
    save_and_record(store)
    Path(store.layout.training_set("fraud_2026_01"), "_delta_log", f"{1:020}.json").write_text("{")
    shutil.rmtree(store.layout.models())
    write_deltalake(store.layout.models(), pa.Table.from_pylist([{"name": "m"}], schema=MODELS))

    site = site_of(store)

    assert data(site, SAVED)["error"]
    assert [row["error"] is None for row in rows(site, "training-sets")] == [False]
    assert len(data(site, "index")["problems"]) == 1
    assert rows(site, "models") == []


def test_a_damaged_older_version_does_not_stop_the_build(
    store: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("featurestore.store.training_sets.table._RECENT", 1)
    save_and_record(store)
    save_and_record(store)
    log = Path(store.layout.training_set("fraud_2026_01"), "_delta_log")
    (log / f"{0:020}.json").write_text("{")

    site = site_of(store)

    assert data(site, SAVED)["error"]
