"""Half of all rows on one key: several tasks share its rows, and the answers stay exact.

The views are as of two time columns of the spine, of which some values are null.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.types import Float64, Int64
from featurestore.engines.bind import bind
from featurestore.engines.retrieval.answer import answer
from featurestore.engines.spark.retrieve.arrow_frame import spark_frame
from featurestore.engines.spark.retrieve.exchange.sizes import Sizes
from featurestore.engines.spark.retrieve.scan import scan
from featurestore.engines.spark.retrieve.shuffle import shuffle
from featurestore.engines.spark.retrieve.task import SliceTask, SpineTimes, TableVersion
from featurestore.engines.spark.session.child import own_session
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Query, ViewQuery, Window
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta.snapshot import open_snapshot

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROWS, HOT, TASKS = 4000, 7, 4
DAY = 86_400_000_000
KEYS = (KeyBinding("id", "card", Int64),)
PROFILE = ViewQuery(
    "profile", keys=KEYS, timestamp_field="t", columns=(Column("last", "x", Int64),), ttl=9 * DAY
)
ACTIVITY = ViewQuery(
    "activity",
    keys=KEYS,
    timestamp_field="u",
    aggregates=tuple(
        Aggregate(f, column="x", dtype=Int64, function=f, window=Window(DAY), result=result)
        for f, result in (("sum", Int64), ("mean", Float64))
    ),
)
QUERY = Query("skew", (PROFILE, ACTIVITY), "t")


@pytest.fixture
def session(spark: "SparkSession") -> "SparkSession":
    child = own_session(spark)
    child.conf.set("spark.sql.shuffle.partitions", str(TASKS))
    # Small parts would become one.
    child.conf.set("spark.sql.adaptive.coalescePartitions.enabled", "false")
    return child


@pytest.fixture
def task(tmp_path: Path) -> SliceTask:
    rng = np.random.default_rng(3)
    tables = {}
    for view in ("profile", "activity"):
        tables[view] = TableVersion(str(tmp_path / view), 0)
        write_deltalake(tables[view].uri, stored_rows(rng))
    return SliceTask(QUERY, times=SpineTimes(null_times="keep"), tables=tables)


def test_tasks_of_a_scan_share_the_rows_of_a_hot_key(task, session):
    rows = scan(spark_frame(session, spine()), task, by=["card", "t"], tasks=TASKS)

    assert largest_share(rows) < 0.6  # two of four tasks have about a half each
    require_equal(task, rows)


def test_tasks_of_a_shuffle_share_the_rows_of_a_hot_key(task, session):
    features = {
        view: session.read.format("delta").load(table.uri) for view, table in task.tables.items()
    }
    sizes = Sizes(TASKS, parts=16, rows_per_bucket=3 * ROWS // (4 * TASKS))

    snapshots = {view: open_snapshot(table.uri) for view, table in task.tables.items()}
    planned = shuffle(
        task, spark_frame(session, spine()), features, snapshots=snapshots, sizes=sizes
    )

    [exchange] = planned.exchanges
    assert [key.key for key in exchange.hot] == [(HOT,)]
    assert exchange.hot[0].buckets >= TASKS
    assert largest_share(planned.rows) < 0.75  # by chance several buckets go to one task
    require_equal(task, planned.rows)


def largest_share(rows: "DataFrame") -> float:
    """Return the share of the hot key's rows that one task has answered."""
    hot = rows.where(F.col("card") == HOT)
    counts = [row["count"] for row in hot.groupBy(F.spark_partition_id()).count().collect()]
    return max(counts) / sum(counts)


def require_equal(task: SliceTask, rows: "DataFrame") -> None:
    """Fail unless Spark's answers are those of the engine in process."""
    answers = rows.toArrow().sort_by("number").select(QUERY.outputs)
    snapshots = {view: open_snapshot(table.uri) for view, table in task.tables.items()}
    local = answer(QUERY, bind(QUERY, spine(), null_times="keep"), snapshots)
    for name in ("last", "sum"):
        assert answers[name].to_pylist() == local[name].to_pylist()
    assert np.allclose(answers["mean"], local["mean"], rtol=1e-9, equal_nan=True)


def spine() -> pa.Table:
    rng = np.random.default_rng(4)
    t = rng.integers(0, 30 * DAY, ROWS)
    u = t + rng.integers(-3 * DAY, 3 * DAY, ROWS)  # in another order than t
    times = {
        name: pa.array(moments, UTC_MICROS, mask=rng.random(ROWS) < 0.02)
        for name, moments in (("t", t), ("u", u))
    }
    return pa.table({"card": keys(rng), **times, "number": np.arange(ROWS)})


def stored_rows(rng: np.random.Generator) -> pa.Table:
    events = rng.integers(0, 30 * DAY, ROWS)
    late = np.where(rng.random(ROWS) < 0.1, rng.integers(0, 5 * DAY, ROWS), 0)
    rows = pa.table(
        {
            "id": keys(rng),
            "event_timestamp": pa.array(events, UTC_MICROS),
            "available_timestamp": pa.array(events + late, UTC_MICROS),
            "x": rng.integers(-1000, 1000, ROWS),
            "_row_hash": np.arange(ROWS),
        }
    )
    return rows.sort_by([("id", "ascending"), ("event_timestamp", "ascending")])


def keys(rng: np.random.Generator) -> np.ndarray:
    """Return keys of which half are one key."""
    return np.where(rng.random(ROWS) < 0.5, HOT, rng.integers(100, 400, ROWS))
