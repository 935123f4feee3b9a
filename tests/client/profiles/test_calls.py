"""A store returns recorded profiles, and a frame the profile of its rows."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import featurestore as fs
from featurestore.errors import NotFoundError, RequestError
from featurestore.jobs.profiles.features import window_features
from featurestore.store.delta.snapshot import open_snapshot
from tests.client.shop import DEFINITIONS, HOUR, write_view
from tests.site.profiles import put_profiles
from tests.tables import feature_table

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
PERSONAL = DEFINITIONS.replace(
    'schema=(fs.Field("amount", fs.Float64),)',
    'schema=(fs.Field("amount", fs.Float64, personal=True),)',
)


def store_of(folder: Path, definitions: str = DEFINITIONS) -> fs.FeatureStore:
    (folder / "feature_defs").mkdir()
    (folder / "featurestore.toml").write_text('project = "shop"')
    (folder / "feature_defs" / "shop.py").write_text(definitions)
    store = fs.FeatureStore(folder, clock=lambda: NOW)
    store.apply(store.plan())
    return store


def test_the_newest_profile_of_a_kind_is_returned(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    put_profiles(store.layout, NOW)

    every = store.profiles("activity")

    assert [each.kind for each in every] == ["features"] * 3
    assert store.profile("activity", kind="features") == every[-1]
    assert store.profile("activity") is None
    assert store.profile("profile").columns[0].column == "city"
    assert store.profiles("rate") == []


def test_an_unknown_view_is_an_error_with_near_names(tmp_path: Path) -> None:
    store = store_of(tmp_path)

    with pytest.raises(NotFoundError) as error:
        store.profile("activty")

    assert "activity" in error.value.fix


def test_a_frame_profiles_its_features_and_label(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    write_view(
        store, "activity", feature_table({"id": [1, 2]}, [HOUR, HOUR], {"amount": [1.0, 3.0]})
    )
    spine = [
        {"id": number, "event_timestamp": "1970-01-01T02:00:00Z", "y": number % 2}
        for number in (1, 2, 3)
    ]

    profile = store.get_training_set(["activity:amount_sum_2h"], spine, label="y").profile("churn")

    assert (profile.view, profile.kind, profile.run_id) == ("churn", "training_set", "")
    amount, label = profile.columns
    assert (amount.column, amount.rows, amount.nulls, amount.mean) == ("amount_sum_2h", 3, 1, 2.0)
    assert (label.column, label.top) == ("y", (("1", 2), ("0", 1)))


def test_features_of_personal_fields_show_no_value_in_a_frame(tmp_path: Path) -> None:
    store = store_of(tmp_path, PERSONAL)
    write_view(
        store, "activity", feature_table({"id": [1, 2]}, [HOUR, HOUR], {"amount": [1.0, 3.0]})
    )
    spine = [{"id": 1, "event_timestamp": "1970-01-01T02:00:00Z"}]

    frame = store.get_historical_features(["activity:amount_sum_2h", "activity:count_2h"], spine)
    amount, count = frame.profile(at=NOW).columns

    assert (amount.minimum, amount.top, amount.distinct) == (None, None, 1)
    assert (amount.mean, amount.quantiles) == (None, ())
    assert (count.minimum, count.top) == (1, (("1", 1),))


def test_window_features_are_those_of_a_sample_of_keys(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    keys = np.arange(15_000)
    rows = feature_table({"id": keys}, [HOUR] * len(keys), {"amount": np.ones(len(keys))})
    write_view(store, "activity", rows)
    view = store.applied().view("activity")
    snapshot = open_snapshot(store.layout.features("activity", "activity-1"))

    columns = window_features(view, snapshot, datetime(1970, 1, 1, 2, tzinfo=UTC))

    assert [each.column for each in columns] == list(view.feature_names)
    assert {each.rows for each in columns} == {10_000}
    assert {each.maximum for each in columns} == {1.0}
    assert window_features(view, snapshot, datetime(1970, 1, 1, 2, tzinfo=UTC)) == columns


def test_another_kind_is_an_error(tmp_path: Path) -> None:
    store = store_of(tmp_path)

    with pytest.raises(RequestError):
        store.profile("activity", kind="training_set")
