"""Feast with its DuckDB store over plain Parquet. Its import and its apply are not timed."""

import tempfile
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64

from benchmarks.contestants.task import Task, run


def asof(task: Task) -> Callable[[], pa.Table]:
    """Return one call of get_historical_features with the whole spine."""
    folder = Path(tempfile.mkdtemp(prefix="feast-"))
    store = FeatureStore(config=_config(folder))
    entity = Entity(name="id", join_keys=["id"], value_type=ValueType.INT64)
    views = [_view(task, entity, view, names) for view, names in task.views.items()]
    store.apply([entity, *views])
    features = [f"{view}:{name}" for view, names in task.views.items() for name in names]
    spine = pd.read_parquet(task.spine_file).rename(columns={"ts": "event_timestamp"})
    return lambda: store.get_historical_features(entity_df=spine, features=features).to_arrow()


def _config(folder: Path) -> RepoConfig:
    return RepoConfig(
        project="bench",
        provider="local",
        registry=str(folder / "registry.db"),
        offline_store={"type": "duckdb"},
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        entity_key_serialization_version=3,
    )


def _view(task: Task, entity: Entity, view: str, names: list[str]) -> FeatureView:
    path = str(task.folder / view / "0.parquet")
    return FeatureView(
        name=view,
        entities=[entity],
        ttl=timedelta(days=3650),
        source=FileSource(name=f"s_{view}", path=path, timestamp_field="ts"),
        schema=[Field(name=name, dtype=Float64) for name in names],
    )


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    run({"asof": asof})
