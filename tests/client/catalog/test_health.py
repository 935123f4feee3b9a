"""The health of a project: the definitions folder, the tables, and saved training sets."""

from dataclasses import replace

import featurestore as fs
from tests.client.shop import DEFINITIONS, at


def test_the_folder_and_the_tables_of_applied_views_are_checked(
    store: fs.FeatureStore,
) -> None:
    path = store.settings.definitions_folder / "shop.py"
    path.write_text(DEFINITIONS.replace('"rate"', '"rates"'))

    codes = {(each.code, each.name) for each in store.health().issues}

    assert ("never-materialized", "activity") in codes
    assert ("never-materialized", "rates") not in codes
    assert ("no-owner", "rates") in codes
    assert {each.name for each in store.health(store.applied()).issues} >= {"rate"}
    assert not [each for each in store.health(ignore=["no-owner"]).issues
                if each.code == "no-owner"]  # fmt: skip


def test_a_saved_training_set_is_a_use(filled: fs.FeatureStore) -> None:
    alone = replace(filled.applied(), services=())
    spine = [{"id": 1, "event_timestamp": at(4), "bought": 1}]

    before = filled.health(alone)
    filled.get_training_set(["activity"], spine, label="bought").save("bought_1")
    after = filled.health(alone)

    unused = {each.name for each in before.issues if each.code == "unused"}
    assert unused == {"activity", "profile", "rate"}
    assert unused - {each.name for each in after.issues if each.code == "unused"} == {"activity"}
