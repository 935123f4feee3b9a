"""Pinned features: they stay what they were when a model learned from them."""

import shutil
from pathlib import Path

import pytest

import featurestore as fs
from featurestore.client.pinned.pin import PinnedTable, ServicePin
from featurestore.client.pinned.retrieve import pin_features, retrieve_pinned
from featurestore.client.request import Request
from featurestore.errors import DefinitionError, NotFoundError, RequestError, TableError
from tests.client.shop import DEFINITIONS, HOUR, NOW, at, write_view
from tests.tables import feature_table, write_runs

SPINE = [{"id": 1, "event_timestamp": at(3.5)}, {"id": 2, "event_timestamp": at(2.5)}]
OTHER_WINDOW = DEFINITIONS.replace('windows=("2h", "lifetime")', 'windows=("1h", "lifetime")')
OTHER_TABLE = DEFINITIONS.replace('fs.Field("amount", fs.Float64)', 'fs.Field("amount", fs.Int64)')


def request(features: object) -> Request:
    return Request("call", features)


def answers(
    store: fs.FeatureStore, pin: ServicePin, engine: str = "local"
) -> list[dict[str, object]]:
    frame = retrieve_pinned(store, pin, request(list(pin.features)), SPINE, engine)
    return frame.to_arrow().select(list(pin.outputs)).to_pylist()


def apply(store: fs.FeatureStore, definitions: str) -> None:
    (store.settings.folder / "feature_defs" / "shop.py").write_text(definitions)
    store.apply(store.plan())


def test_a_pin_survives_its_text(filled: fs.FeatureStore) -> None:
    pin = pin_features(filled, request("activity"), tables=True)

    assert pin.features == ("activity",)
    assert pin.outputs == ("amount_sum_2h", "amount_sum_lifetime", "count_2h")
    assert pin.tables == {"activity": PinnedTable("activity-1", 1)}
    assert ServicePin.from_json(pin.to_json()) == pin


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "other/1"}', "[1]"])
def test_a_text_that_is_no_pin_is_refused(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        ServicePin.from_json(text)

    assert refused.value.call == "read pinned features"


def test_pinned_features_are_those_of_the_present_definitions_until_these_change(
    filled: fs.FeatureStore,
) -> None:
    pin = pin_features(filled, request("fraud"), tables=False)

    present = filled.get_historical_features("fraud", SPINE).to_arrow()

    assert answers(filled, pin) == present.select(list(pin.outputs)).to_pylist()


def test_a_window_that_changed_since_does_not_change_pinned_features(
    filled: fs.FeatureStore,
) -> None:
    pin = pin_features(filled, request("activity"), tables=False)
    before = answers(filled, pin)

    apply(filled, OTHER_WINDOW)

    assert "amount_sum_1h" in filled.get_historical_features("activity", SPINE).features
    assert answers(filled, pin) == before
    assert before[0]["amount_sum_2h"] == 6.0


def test_a_table_of_other_definitions_is_refused(filled: fs.FeatureStore) -> None:
    pin = pin_features(filled, request("activity"), tables=False)
    apply(filled, OTHER_TABLE)
    rows = feature_table({"id": [1]}, [HOUR], {"amount": [1]})

    write_view(filled, "activity", rows, table_id="activity-1")

    with pytest.raises(TableError, match="activity") as refused:
        answers(filled, pin)
    assert "featurestore materialize" not in refused.value.fix


def test_rows_that_are_stored_later_count_unless_the_table_is_pinned_too(
    filled: fs.FeatureStore,
) -> None:
    newest, fixed = (
        pin_features(filled, request("activity"), tables=pinned) for pinned in (False, True)
    )
    later = feature_table({"id": [1]}, [3 * HOUR], {"amount": [100.0]})

    write_runs(Path(filled.layout.features("activity", "activity-1")), [later])

    assert answers(filled, newest)[0]["amount_sum_2h"] == 106.0
    assert answers(filled, fixed)[0]["amount_sum_2h"] == 6.0


def test_a_pinned_table_that_was_built_again_is_refused(filled: fs.FeatureStore) -> None:
    pin = pin_features(filled, request("activity"), tables=True)
    rows = feature_table({"id": [1]}, [HOUR], {"amount": [1.0]})

    write_view(filled, "activity", rows, table_id="activity-2")

    with pytest.raises(TableError) as refused:
        answers(filled, pin)
    assert "'activity'" in refused.value.found


def test_a_project_that_never_had_the_definitions_is_refused(filled: fs.FeatureStore) -> None:
    pin = ServicePin(("fraud",), digest="never", outputs=())

    with pytest.raises(NotFoundError) as refused:
        answers(filled, pin)

    assert "fraud" in refused.value.found


def test_uses_without_a_name_are_refused(filled: fs.FeatureStore) -> None:
    rate = filled.applied().view("rate")

    with pytest.raises(RequestError) as refused:
        pin_features(filled, request([rate.with_prefix("spot_")]), tables=False)

    assert "service" in refused.value.fix


def test_a_view_without_a_table_is_refused_whoever_answers(filled: fs.FeatureStore) -> None:
    pin = pin_features(filled, request("activity"), tables=False)
    shutil.rmtree(filled.layout.tables())

    for engine in ("local", "auto"):
        with pytest.raises(TableError) as refused:
            answers(filled, pin, engine)

        assert "'activity'" in refused.value.found


def test_a_pinned_version_whose_files_are_gone_says_to_pin_again(filled: fs.FeatureStore) -> None:
    pin = pin_features(filled, request("activity"), tables=True)
    table = Path(filled.layout.features("activity", "activity-1"))
    later = feature_table({"id": [1]}, [3 * HOUR], {"amount": [100.0]})
    before = set(table.glob("*.parquet"))
    write_runs(table, [later])
    assert answers(filled, pin)[0]["amount_sum_2h"] == 6.0

    min(before).unlink()

    with pytest.raises(TableError) as refused:
        answers(filled, pin)
    assert "--full" not in refused.value.fix
    assert refused.value.found.count("'activity'") == 1


def test_the_choice_of_an_engine_is_in_the_plan_of_a_pinned_frame(
    filled: fs.FeatureStore,
) -> None:
    pin = pin_features(filled, request("activity"), tables=False)

    frame = retrieve_pinned(filled, pin, request(["activity"]), SPINE, "auto")

    assert frame.plan().mode == "local"
    assert frame.plan().facts["spine_rows"] == len(SPINE)


def test_a_pin_holds_in_spark_too(filled: fs.FeatureStore, spark: object) -> None:
    shop = fs.FeatureStore(filled.settings.folder, clock=lambda: NOW, spark=spark)
    pin = pin_features(shop, request("activity"), tables=True)
    table = Path(shop.layout.features("activity", "activity-1"))
    write_runs(table, [feature_table({"id": [1]}, [3 * HOUR], {"amount": [100.0]})])

    found = {engine: answers(shop, pin, engine) for engine in ("spark", "scan", "shuffle")}
    frame = retrieve_pinned(shop, pin, request(["activity"]), SPINE, "shuffle")

    assert {name: rows[0]["amount_sum_2h"] for name, rows in found.items()} == {
        "spark": 6.0,
        "scan": 6.0,
        "shuffle": 6.0,
    }
    assert frame.plan().mode == "shuffle"
    write_view(
        shop, "activity", feature_table({"id": [1]}, [HOUR], {"amount": [1.0]}), table_id="other-2"
    )
    for engine in ("spark", "shuffle"):
        with pytest.raises(TableError):
            answers(shop, pin, engine)
    shutil.rmtree(shop.layout.tables())
    with pytest.raises(TableError) as refused:
        answers(shop, pin, "shuffle")
    assert "'activity'" in refused.value.found


WORTH = """
import pyarrow.compute as pc


def twice_of(inputs):
    return {"twice": pc.multiply(inputs["amount_sum_2h"], 2.0)}


twice = fs.OnDemandFeatureView(
    "twice", sources=activity, schema=fs.Field("twice", fs.Float64), transform=twice_of
)
"""


def test_a_function_that_changed_since_the_pin_needs_the_old_one_or_a_new_pin(
    filled: fs.FeatureStore,
) -> None:
    apply(filled, DEFINITIONS + WORTH)
    pin = pin_features(filled, request("twice"), tables=False)
    apply(filled, DEFINITIONS + WORTH.replace("2.0", "3.0"))

    with pytest.raises(DefinitionError) as refused:
        answers(filled, pin)

    assert "featurestore apply" not in refused.value.fix
    assert "pin the features again" in refused.value.fix


def test_a_pin_whose_function_is_in_a_module_that_does_not_import_names_the_module(
    filled: fs.FeatureStore,
) -> None:
    apply(filled, DEFINITIONS + WORTH)
    pin = pin_features(filled, request("twice"), tables=False)
    module = filled.settings.folder / "feature_defs" / "shop.py"
    module.write_text("import no_such_module\n")

    with pytest.raises(DefinitionError) as refused:
        answers(filled, pin)

    assert f"{module.name}:1" in refused.value.found
    assert "pin the features again" not in refused.value.fix
