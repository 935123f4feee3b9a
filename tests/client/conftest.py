"""The shop as fixtures: its definitions applied, and its tables written."""

from pathlib import Path

import pytest

import featurestore as fs
from tests.client.shop import DEFINITIONS, HOUR, NOW, write_view
from tests.tables import feature_table


@pytest.fixture
def store(tmp_path: Path) -> fs.FeatureStore:
    (tmp_path / "featurestore.toml").write_text('project = "shop"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "shop.py").write_text(DEFINITIONS)
    made = fs.FeatureStore(tmp_path, clock=lambda: NOW)
    made.apply(made.plan())
    return made


@pytest.fixture
def filled(store: fs.FeatureStore) -> fs.FeatureStore:
    events = [1 * HOUR, 2 * HOUR, 3 * HOUR]
    write_view(
        store, "profile", feature_table({"id": [1, 1, 2]}, events, {"city": ["a", "b", None]})
    )
    write_view(
        store,
        "activity",
        feature_table({"id": [1, 2]}, events[:2], {"amount": [1.0, 10.0]}),
        feature_table({"id": [1, 1]}, events[1:], {"amount": [2.0, 4.0]}),
    )
    write_view(store, "rate", feature_table({}, events[:1], {"euro": [1.5]}))
    return store
