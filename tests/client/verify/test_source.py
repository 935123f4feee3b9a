"""Stored rows recomputed from the source: what the check of the plan cannot see is found."""

from pathlib import Path
from textwrap import dedent

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

import featurestore as fs

DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=fs.Field("id", fs.Int64))
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at")

def steps(frames):
    for frame in frames:
        frame["x"] = frame["x"].diff()  # looks at other rows of the batch
        yield frame

def differences(rows):
    return rows.coalesce(1).mapInPandas(steps, rows.schema)

def doubled(rows):
    return rows.withColumn("x", rows.x * 2)

wrong = fs.FeatureView("wrong", entities=card, source=paid, schema=fs.Field("x", fs.Float64),
                       transform=differences)
right = fs.FeatureView("right", entities=card, source=paid, schema=fs.Field("x", fs.Float64),
                       transform=doubled)
"""


def append(folder: Path, days: list[int], values: list[float]) -> None:
    """Append rows of card 1 to the source, one a day."""
    times = pa.array([day * 86_400_000_000 for day in days]).cast(pa.timestamp("us", "UTC"))
    rows = pa.table({"id": [1] * len(days), "at": times, "x": values})
    write_deltalake(str(folder / "data/paid"), rows, mode="append")


@pytest.fixture(scope="module")
def store(spark, tmp_path_factory) -> fs.FeatureStore:
    """A store of two views, materialized in two increments."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "feature_defs").mkdir()
    (folder / "featurestore.toml").write_text('project = "p"\n')
    (folder / "feature_defs" / "d.py").write_text(dedent(DEFINITIONS))
    store = fs.FeatureStore(folder, spark=spark)
    append(folder, [1, 2], [1.0, 3.0])
    store.apply(store.plan())
    store.materialize()
    append(folder, [3], [7.0])
    store.materialize()
    return store


def test_a_transform_that_looks_at_other_rows_is_found(store):
    result = store.verify(["wrong"], source=True)

    assert not result.ok
    [checked] = result.sources
    assert (checked.view, checked.rows, checked.version) == ("wrong", 3, 1)
    [difference] = checked.differences
    assert difference.key == {"id": 1}
    assert difference.event_timestamp.day == 4
    assert (difference.stored, difference.recomputed) == ({"x": None}, {"x": 4.0})


def test_rows_of_a_transform_that_works_row_by_row_are_equal(store):
    result = store.verify(["right"], source=True)

    assert result.ok
    assert [(each.view, each.rows, each.differences) for each in result.sources] == [
        ("right", 3, ())
    ]
    assert store.verify(["right"]).sources == ()


def test_a_row_that_the_source_no_longer_has_is_found(store):
    table = DeltaTable(str(store.settings.folder / "data/paid"))
    version = table.version()
    table.delete("x = 3.0")
    try:
        result = store.verify(["right"], source=True)
    finally:
        DeltaTable(str(store.settings.folder / "data/paid")).restore(version)

    [difference] = result.source_differences
    assert (difference.stored, difference.recomputed) == ({"x": 6.0}, None)
