"""`featurestore materialize --continuous` as a process: SIGKILL at a step, then SIGTERM."""

import json
import signal
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.store.columns import UTC_MICROS
from tests.jobs.continuous.process import Process, amounts, batches
from tests.jobs.world import NOON

pytestmark = pytest.mark.integration

DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("card_id", fs.String),))
payments = fs.DeltaSource("payments", path="payments", timestamp_field="at")
spending = fs.FeatureView(
    "spending",
    entities=(card,),
    source=payments,
    schema=(fs.Field("amount", fs.Float64),),
    aggregations=(fs.Aggregation("amount", "sum", windows=("7d",)),),
    latest=False,
)
copied = fs.FeatureView(
    "copied",
    entities=(card,),
    source=spending,
    schema=(fs.Field("amount", fs.Float64),),
    latest=False,
)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "featurestore.toml").write_text('project = "killed"\n', "utf-8")
    (tmp_path / "feature_defs" / "views.py").write_text(DEFINITIONS, "utf-8")
    pay(tmp_path, 0)
    store = fs.FeatureStore(tmp_path)
    store.apply(store.plan())
    return tmp_path


def pay(project: Path, hour: int) -> None:
    rows = pa.table(
        {
            "card_id": pa.array(["a", "b"]),
            "at": pa.array([NOON + timedelta(hours=hour)] * 2, UTC_MICROS),
            "amount": pa.array([float(hour)] * 2),
        }
    )
    write_deltalake(project / "payments", rows, mode="append")


@pytest.mark.parametrize("point", ["spending/data.committed", "copied/rows.computed"])
def test_a_killed_process_loses_and_doubles_nothing(project: Path, point: str) -> None:
    with Process(project, faults=f"{point}=kill@2") as first:
        first.wait_for(lambda: batches(project, "copied") == 1)
        pay(project, 1)
        assert first.wait() == -signal.SIGKILL
    killed = [each.continuous for each in fs.FeatureStore(project).status()]
    assert all(each is not None and not each.is_running for each in killed)
    pay(project, 2)

    with Process(project) as second:
        second.wait_for(lambda: len(amounts(project, "copied")) == 6)
        pay(project, 3)
        second.wait_for(lambda: len(amounts(project, "copied")) == 8)
        assert second.end() == 0

    expected = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0]
    assert amounts(project, "spending") == amounts(project, "copied") == expected
    assert fs.FeatureStore(project).doctor() == []
    state = json.dumps([each.last_run for each in fs.FeatureStore(project).status()])
    assert state == '["done", "done"]'
