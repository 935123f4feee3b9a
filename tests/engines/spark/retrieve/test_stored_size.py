"""Wide stored rows, such as embeddings, are divided into so many tasks that they fit."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from featurestore.definitions.model.types import Array, Float32, Int64
from featurestore.engines.spark.retrieve.arrow_frame import spark_frame
from featurestore.engines.spark.retrieve.exchange.stored_side import StoredSize, measured_size
from featurestore.engines.spark.retrieve.shuffle import shuffle
from featurestore.engines.spark.retrieve.task import SliceTask
from featurestore.engines.spark.session.child import own_session
from featurestore.query.nodes import Column, KeyBinding, Query, ViewQuery
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta.snapshot import open_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

ROWS, VALUES = 2_000, 768


def embeddings() -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(
        pa.array(np.zeros(ROWS * VALUES, np.float32)), VALUES
    ).cast(pa.list_(pa.float32()))


def test_the_mean_bytes_of_texts_and_lists_are_measured(spark: "SparkSession") -> None:
    rows = pa.table(
        {
            "key0": pa.array([1, 2, 3, 4], pa.int64()),
            "value0": ["x" * 1_000, "é" * 500, None, "x" * 2_000],
            "value1": pa.array([[1.0] * 100, None, [], [2.0] * 300], pa.list_(pa.float64())),
            "value2": ["a", "b", "c", None],
        }
    )

    found = measured_size(spark_frame(own_session(spark), rows))

    assert found == StoredSize(4, row_bytes=8 + 1_000 + 800 + 32)


@pytest.mark.parametrize("is_pinned", [True, False])
def test_wide_stored_rows_are_divided_into_more_tasks(
    spark: "SparkSession", tmp_path: "Path", is_pinned: bool
) -> None:
    times = pa.array(range(ROWS), UTC_MICROS)
    stored = {"id": range(ROWS), "event_timestamp": times, "available_timestamp": times}
    stored |= {"embedding": embeddings(), "_row_hash": range(ROWS)}
    uri = str(tmp_path / "table")
    write_deltalake(uri, pa.table(stored))
    kind = Array(Float32)
    use = ViewQuery(
        "v",
        keys=(KeyBinding("id", "id", Int64),),
        timestamp_field="at",
        columns=(Column("embedding", "embedding", kind),),
    )
    session = own_session(spark)
    spine = spark_frame(session, pa.table({"id": range(ROWS), "at": times}))
    features = {"v": session.read.format("delta").load(uri)}
    task = SliceTask(Query("call", (use,), "at"), memory_limit=2_000_000)

    [exchange] = shuffle(
        task, spine, features, snapshots={"v": open_snapshot(uri)} if is_pinned else {}
    ).exchanges

    # 6 MB of embeddings, of which an eighth of 2 MB shall be in each task.
    assert 24 <= exchange.sizes.tasks <= 30
