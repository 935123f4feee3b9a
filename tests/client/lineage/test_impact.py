"""`store.impact` and the verb `impact`: what a source column of a project reaches."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.cli import main
from featurestore.client.lineage.impact import trained
from featurestore.errors import NotFoundError
from featurestore.store.ledger.models import ModelRecord
from tests.site.conftest import new_store

DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=fs.Field("id", fs.Int64))
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at")
visits = fs.FileSource("visits", path="data/visits.parquet", timestamp_field="at")


def longer(rows):
    return rows


activity = fs.FeatureView(
    "activity", entities=card, source=paid, schema=fs.Field("euros", fs.Float64),
    transform="SELECT *, cents / 100 AS euros FROM {source} WHERE ok",
)
pages = fs.FeatureView(
    "pages", entities=card, source=visits, schema=fs.Field("page", fs.String), transform=longer,
)
fraud = fs.FeatureService("fraud", features=activity)
"""


@pytest.fixture
def store(tmp_path: Path) -> fs.FeatureStore:
    made = new_store(tmp_path, DEFINITIONS)
    write_deltalake(str(tmp_path / "data" / "paid"), pa.table({"cents": [1], "comment": ["x"]}))
    return made


def test_a_column_reaches_its_features_and_services(store: fs.FeatureStore) -> None:
    found = store.impact("paid.cents")

    assert [(each.kind, each.name, each.reach) for each in found.reached] == [
        ("view", "activity", "value"),
        ("feature", "euros", "value"),
        ("service", "fraud", "value"),
    ]


def test_a_column_of_the_data_alone_is_unused(store: fs.FeatureStore) -> None:
    assert store.impact("paid.comment").is_unused
    with pytest.raises(NotFoundError) as caught:
        store.impact("paid.comments")
    assert "'comment'" in caught.value.fix


def test_without_data_the_definitions_columns_are_known(store: fs.FeatureStore) -> None:
    assert store.impact("visits.at").unknown == ("pages",)
    with pytest.raises(NotFoundError):
        store.impact("visits.page")  # a function makes it: of what, nobody knows


def test_the_verb_prints_json(store: fs.FeatureStore, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(store.settings.folder)
    with pytest.raises(SystemExit) as ended:
        main(["impact", "paid.ok", "--json", "-p", folder])
    printed = json.loads(capsys.readouterr().out)

    assert ended.value.code == 0
    assert printed["schema"] == "featurestore.impact/1"
    assert printed["impact"]["is_unused"] is False
    assert printed["impact"]["features"] == [
        {"kind": "feature", "name": "euros", "reach": "rows", "view": "activity"}
    ]


def test_the_verb_prints_a_table_and_what_is_not_known(
    store: fs.FeatureStore, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, out, err in (
        ("paid.cents", "activity:euros", ""),
        ("visits.at", "pages:page", "pages"),
        ("paid.comment", "", "paid.comment"),
    ):
        with pytest.raises(SystemExit):
            main(["impact", name, "-p", str(store.settings.folder)])
        printed = capsys.readouterr()

        assert out in printed.out
        assert err in printed.err


def test_a_wrong_name_ends_with_the_code_of_wrong_usage(
    store: fs.FeatureStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["impact", "payd.cents", "-p", str(store.settings.folder)])

    assert ended.value.code == 2
    assert "'paid'" in capsys.readouterr().err


def test_all_versions_of_a_model_count() -> None:
    at = datetime(2026, 1, 31, tzinfo=UTC)
    versions = [
        ModelRecord("m", version=n, training_set="t", features=(name,), recorded_at=at)
        for n, name in ((1, "activity:euros"), (2, "pages:page"))
    ]

    assert trained([], versions)["models"] == {"m": [("activity", "euros"), ("pages", "page")]}
