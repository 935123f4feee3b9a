"""Models in the ledger: which training set and which features each was trained on."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.errors import NotFoundError, RequestError, TableError
from featurestore.registry.lineage.impact import Reach
from featurestore.store.ledger.schemas import MODELS
from tests.client.conftest import filled, store
from tests.client.lineage.test_training_sets import SPINE
from tests.client.shop import NOW

__all__ = ["filled", "store"]


@pytest.fixture
def trained(filled: fs.FeatureStore) -> fs.FeatureStore:
    filled.get_training_set("fraud", SPINE, label="bought").save("fraud_2026_01")
    filled.get_training_set("profile", SPINE, label="bought").save("people")
    return filled


def test_a_model_tells_which_features_it_uses(trained: fs.FeatureStore) -> None:
    recorded = trained.record_model(
        "fraud_model", training_set="fraud_2026_01", uri="models:/fraud/3", tags="champion",
        description="Finds fraud",
    )  # fmt: skip

    (model,) = trained.models()

    assert model == recorded
    assert (model.version, model.training_set_version, model.tags) == (1, 0, ("champion",))
    assert model.recorded_at == NOW
    assert model.features == (
        "profile:city", "activity:amount_sum_2h", "activity:amount_sum_lifetime",
        "activity:count_2h", "rate:euro",
    )  # fmt: skip


def test_each_record_of_a_name_is_a_new_version(trained: fs.FeatureStore) -> None:
    for name in ("b", "a", "b"):
        trained.record_model(name, training_set="people")

    assert [(each.name, each.version) for each in trained.models()] == [
        ("a", 1), ("b", 1), ("b", 2),
    ]  # fmt: skip
    assert len(trained.models("b")) == 2


def test_records_at_the_same_time_get_a_version_each(trained: fs.FeatureStore) -> None:
    with ThreadPoolExecutor(5) as pool:
        made = list(
            pool.map(lambda _: trained.record_model("race", training_set="people"), range(5))
        )

    assert sorted(each.version for each in made) == [1, 2, 3, 4, 5]
    assert [each.version for each in trained.models("race")] == [1, 2, 3, 4, 5]


def test_a_model_keeps_the_version_of_its_training_set(trained: fs.FeatureStore) -> None:
    trained.load_training_set("people")
    trained.get_training_set("rate", SPINE, label="bought").save("people")

    old = trained.record_model("old", training_set="people", version=0)
    new = trained.record_model("new", training_set="people")

    assert (old.training_set_version, old.features) == (0, ("profile:city",))
    assert (new.training_set_version, new.features) == (1, ("rate:euro",))


def test_credentials_in_an_address_are_not_recorded(trained: fs.FeatureStore) -> None:
    address = "s3://key:secret@bucket/model"
    trained.record_model(
        "m", training_set="people", uri=address, description=address, tags=address
    )

    assert "secret" not in str(trained.models()[0])


def test_a_models_name_that_differs_only_in_case_is_refused(trained: fs.FeatureStore) -> None:
    trained.record_model("Fraud", training_set="people")

    with pytest.raises(RequestError) as caught:
        trained.record_model("fraud", training_set="people")

    assert "'Fraud'" in caught.value.fix
    assert trained.record_model("Fraud", training_set="people").version == 2


@pytest.mark.parametrize("name", ["../x", "", "a b", "1"])
def test_a_models_name_is_an_identifier(trained: fs.FeatureStore, name: str) -> None:
    with pytest.raises(RequestError) as caught:
        trained.record_model(name, training_set="people")

    assert caught.value.call == f"record_model({name!r})"


def test_unknown_names_offer_near_ones(trained: fs.FeatureStore) -> None:
    trained.record_model("fraud_model", training_set="people")

    with pytest.raises(NotFoundError) as caught:
        trained.record_model("m", training_set="peeple")
    assert "'people'" in caught.value.fix
    with pytest.raises(NotFoundError) as caught:
        trained.models("fraud_modell")
    assert "'fraud_model'" in caught.value.fix


def test_impact_reaches_training_sets_and_models(trained: fs.FeatureStore) -> None:
    trained.record_model("fraud_model", training_set="fraud_2026_01")

    found = trained.impact("paid.amount")

    assert [(each.name, each.reach) for each in found.training_sets] == [
        ("fraud_2026_01", Reach.value)
    ]
    assert [(each.name, each.reach) for each in found.models] == [("fraud_model", Reach.value)]
    assert [each.name for each in trained.impact("paid.city").models] == ["fraud_model"]


def test_a_damaged_ledger_is_an_error_and_a_finding(trained: fs.FeatureStore) -> None:
    rows = pa.Table.from_pylist([{"name": "m", "version": None}], schema=MODELS)
    write_deltalake(trained.layout.models(), rows)

    with pytest.raises(TableError):
        trained.models()


def test_a_lost_commit_of_the_ledger_is_found_by_the_doctor(trained: fs.FeatureStore) -> None:
    for _ in range(2):
        trained.record_model("m", training_set="people")
    Path(trained.layout.models(), "_delta_log", f"{1:020}.json").write_text("{")

    assert "ledger of models" in str(trained.doctor())
