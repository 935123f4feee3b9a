"""A training set says which of its rows lie before the first run of a snapshot view."""

import pickle
from pathlib import Path

import pyarrow as pa
import pytest

import featurestore as fs
from featurestore.store.columns import DELETED
from tests.client.on_demand_shop import project
from tests.client.shop import HOUR, at, write_view
from tests.tables import feature_table

DEFINITIONS = """
import featurestore as fs

shop = fs.Entity("shop", join_keys=(fs.Field("id", fs.Int64),))
source = fs.DeltaSource("source", path="data/source")
profile = fs.FeatureView(
    "profile", entities=(shop,), source=source, schema=(fs.Field("size", fs.Int64),),
    snapshot=True,
)
double = fs.OnDemandFeatureView(
    "double", sources=(profile,), schema=(fs.Field("m", fs.Int64),), transform={"m": "size * 2"}
)
"""


def changes(keys: list[object], times: list[int], sizes: list[object]) -> pa.Table:
    """Return stored rows of the snapshot view, none of them a deletion."""
    rows = feature_table({"id": keys}, times, {"size": sizes})
    return rows.append_column(DELETED, pa.array([False] * len(times)))


@pytest.fixture
def store(tmp_path: Path) -> fs.FeatureStore:
    """A store with the runs of a snapshot view at hour 5 and at hour 7."""
    made = project(tmp_path, DEFINITIONS)
    made.apply(made.plan())
    write_view(made, "profile", changes([1, 2], [5 * HOUR, 7 * HOUR], [10, 20]))
    return made


def spine(*hours: float | None, key: int = 1) -> list[dict[str, object]]:
    return [{"id": key, "event_timestamp": None if h is None else at(h)} for h in hours]


def test_rows_before_the_first_run_are_counted_and_explained(store: fs.FeatureStore) -> None:
    frame = store.get_historical_features(["profile:size", "double:m"], spine(1, 4, 5, 6))

    assert frame.to_arrow()["size"].to_pylist() == [None, None, 10, 10]
    early = frame.early_rows["profile"]
    assert (early.rows, early.first_run) == (2, 5 * HOUR)
    assert "2 before the first run of profile" in repr(frame)
    sentence = "before its first run, at 1970-01-01 05:00:00Z"
    assert [sentence in frame.explain(row, "size").text for row in range(4)] == [
        *(True, True),
        *(False, False),
    ]
    assert sentence in frame.explain(0, "m").text
    assert frame.explain(0, "size").reason == "no_row"
    assert pickle.loads(pickle.dumps(frame)).early_rows == frame.early_rows
    assert frame.split_by_time(at(4.5))[0].early_rows == {}


def test_a_key_that_came_later_is_explained_by_its_own_first_event(
    store: fs.FeatureStore,
) -> None:
    frame = store.get_historical_features(["profile:size"], spine(6, key=2))

    assert frame.early_rows == {}
    assert "first run" not in frame.explain(0, "size").text
    assert frame.explain(0, "size").reason == "no_row"


def test_rows_without_a_time_are_not_counted(store: fs.FeatureStore) -> None:
    frame = store.get_historical_features(["profile:size"], spine(None, 1), null_times="keep")

    assert frame.early_rows["profile"].rows == 1


def test_a_table_without_rows_has_no_first_run(tmp_path: Path) -> None:
    made = project(tmp_path, DEFINITIONS)
    made.apply(made.plan())
    write_view(made, "profile", changes([1], [HOUR], [1]).slice(0, 0))

    frame = made.get_historical_features(["profile:size"], spine(1))

    assert (frame.early_rows, frame.to_arrow()["size"].to_pylist()) == ({}, [None])
