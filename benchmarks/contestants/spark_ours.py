"""Featurestore's training sets on Spark, by scan and by shuffle: the result stays in Spark."""

from collections.abc import Callable
from typing import Literal

from pyspark.sql import DataFrame, SparkSession

import featurestore as fs
from benchmarks.contestants.spark_task import Prepare, run, spine_of
from benchmarks.contestants.task import Task


def way(engine: Literal["scan", "shuffle"]) -> Prepare:
    """Return the way that answers with this engine. The store is open before the time starts."""

    def prepare(task: Task, spark: SparkSession) -> Callable[[], DataFrame]:
        store = fs.FeatureStore(task.folder, spark=spark)

        def answer() -> DataFrame:
            frame = store.get_historical_features(
                task.service, spine_of(task, spark), timestamp_field="ts", engine=engine
            )
            return frame.to_spark()

        return answer

    return prepare


if __name__ == "__main__":
    # As in our own sessions: by default Delta reads the state of each table in 50 tasks.
    small_tables = {"spark.databricks.delta.snapshotPartitions": "2"}
    ways = {"scan": way("scan"), "shuffle": way("shuffle")}
    run(ways, fs.spark_config() | small_tables)
