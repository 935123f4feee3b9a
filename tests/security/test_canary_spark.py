"""A run over referenced addresses stores no value of theirs; a missing variable stops one view."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import featurestore as fs
from featurestore import credentials
from featurestore.engines.spark.session.session import LOG_NAME
from featurestore.store.ledger.runs import Runs

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CANARY = "CANARY-91b2-secret"
DEFINITIONS = """\
import featurestore as fs

thing = fs.Entity("thing", join_keys=(fs.Field("id", fs.Int64),))
table = fs.DeltaSource("table", path="${env:CANARY_SOURCE}/table", timestamp_field="ts")
files = fs.FileSource(
    "files", path="${env:CANARY_SOURCE}/files", timestamp_field="ts", format="csv",
    schema=(fs.Field("id", fs.Int64), fs.Field("ts", fs.Timestamp), fs.Field("y", fs.Int64)),
)
gone = fs.DeltaSource("gone", path="${env:CANARY_GONE}/table", timestamp_field="ts")
of_table = fs.FeatureView(
    "of_table", entities=(thing,), source=table, schema=(fs.Field("x", fs.Int64),)
)
of_files = fs.FeatureView(
    "of_files", entities=(thing,), source=files, schema=(fs.Field("y", fs.Int64),)
)
of_gone = fs.FeatureView(
    "of_gone", entities=(thing,), source=gone, schema=(fs.Field("x", fs.Int64),)
)
"""


@pytest.fixture
def store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spark: "SparkSession"
) -> Iterator[fs.FeatureStore]:
    before = list(credentials._hidden)
    source = tmp_path / CANARY
    (source / "files").mkdir(parents=True)
    (source / "files" / "a.csv").write_text("id,ts,y\n1,2026-01-01T10:00:00Z,5\n")
    monkeypatch.setenv("CANARY_SOURCE", str(source))
    (tmp_path / "featurestore.toml").write_text('project = "p"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "d.py").write_text(DEFINITIONS)
    made = fs.FeatureStore(tmp_path, spark=spark)
    made.write_source("table", [{"id": 1, "ts": NOON, "x": 7}])
    made.apply(made.plan())
    yield made
    credentials._hidden[:] = before


@pytest.mark.slow
def test_a_run_stores_no_value_and_goes_on_past_a_missing_variable(
    store: fs.FeatureStore,
) -> None:
    with pytest.raises(fs.MaterializationError) as caught:
        store.materialize()
    for view in ("of_table", "of_files"):
        store.materialize([view])  # nothing new, which is decided without Spark
    found = store.doctor()

    states = {each.view: each.status for each in caught.value.results}
    assert states == {"of_table": "done", "of_files": "done", "of_gone": "failed"}
    answers = store.get_latest_features(["of_table:x", "of_files:y"], [{"id": 1}]).to_arrow()
    assert [answers["x"].to_pylist(), answers["y"].to_pylist()] == [[7], [5]]
    [failed] = [run for run in Runs(store.layout).records("of_gone") if run.status == "failed"]
    assert "CANARY_GONE" in str(failed.outcome.error)
    root = Path(store.layout.root)
    written = [path for path in root.rglob("*") if path.is_file()]
    assert len(written) > 20
    assert [path for path in written if CANARY.encode() in path.read_bytes()] == []
    assert CANARY not in f"{caught.value}{caught.value.results}{found}{store.status()}"


def test_the_log_of_spark_has_no_value(store: fs.FeatureStore, spark: "SparkSession") -> None:
    log = Path(spark.conf.get("spark.sql.warehouse.dir", "").removeprefix("file:"), LOG_NAME)
    store.sql('SELECT * FROM "table"')  # which resolves the value

    java = spark.sparkContext._jvm.java.lang.System  # type: ignore[union-attr]  # as below
    java.err.println(f"cannot open {os.environ['CANARY_SOURCE']}\ncanary-end")

    end = time.monotonic() + 10
    while b"canary-end" not in log.read_bytes() and time.monotonic() < end:
        time.sleep(0.01)
    text = log.read_text("utf-8")
    assert "canary-end" in text
    assert CANARY not in text
