"""Saved training sets and models of the store of these tests."""

import pyarrow as pa

import featurestore as fs
from tests.client.shop import at

SPINE = pa.table({"id": [1, 2], "event_timestamp": [at(4), at(4)], "bought": [1, 0]})


def save_and_record(store: fs.FeatureStore) -> None:
    """Save a training set twice, and record a model that learned from its first version."""
    frame = store.get_training_set(["activity"], SPINE, label="bought")
    frame.save("fraud_2026_01")
    frame.save("fraud_2026_01")
    store.record_model(
        "fraud_model", training_set="fraud_2026_01", version=0, uri="models:/fraud/3",
        description="Finds fraud", tags=["champion"],
    )  # fmt: skip
