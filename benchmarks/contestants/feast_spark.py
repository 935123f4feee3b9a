"""Feast with its Spark store over plain Parquet. Its import and its apply are not timed."""

import tempfile
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from feast import Entity, FeatureStore, FeatureView, Field, RepoConfig, ValueType
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.types import Float64
from pyspark.sql import DataFrame, SparkSession

from benchmarks.contestants.spark_task import run, spine_of
from benchmarks.contestants.task import Task


def asof(task: Task, spark: SparkSession) -> Callable[[], DataFrame]:
    """Return one call of get_historical_features, whose result stays in Spark."""
    store = FeatureStore(config=_config(Path(tempfile.mkdtemp(prefix="feast-"))))
    entity = Entity(name="id", join_keys=["id"], value_type=ValueType.INT64)
    views = [_view(task, entity, view, names) for view, names in task.views.items()]
    store.apply([entity, *views])
    features = [f"{view}:{name}" for view, names in task.views.items() for name in names]
    spine = spine_of(task, spark).withColumnRenamed("ts", "event_timestamp")

    def answer() -> DataFrame:
        job = store.get_historical_features(entity_df=spine, features=features)
        return job.to_spark_df()

    return answer


def _config(folder: Path) -> RepoConfig:
    return RepoConfig(
        project="bench",
        provider="local",
        registry=str(folder / "registry.db"),
        offline_store={"type": "spark"},  # it takes the session that runs
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        entity_key_serialization_version=3,
    )


def _view(task: Task, entity: Entity, view: str, names: list[str]) -> FeatureView:
    path = str(task.folder / view)
    source = SparkSource(name=f"s_{view}", path=path, file_format="parquet", timestamp_field="ts")
    return FeatureView(
        name=view,
        entities=[entity],
        ttl=timedelta(days=3650),
        source=source,
        schema=[Field(name=name, dtype=Float64) for name in names],
    )


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    run({"asof": asof})
