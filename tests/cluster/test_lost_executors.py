"""Executors and workers that are killed in the middle of the work: the same rows, none twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

import featurestore as fs
from tests.cluster.processes import ancestors, kill
from tests.cluster.project import PAYMENTS, Signs, in_order, spine, waiting_project
from tests.cluster.standalone import Cluster

pytestmark = pytest.mark.integration

Kill = Callable[[Cluster, int], None]


def kill_executor(cluster: Cluster, executor: int) -> None:
    kill(executor)


def kill_worker(cluster: Cluster, executor: int) -> None:
    worker = cluster.worker_of(executor)
    kill(worker.pid)
    kill(executor)
    worker.wait()


@pytest.mark.parametrize("kill_in_the_middle", [kill_executor, kill_worker])
def test_a_materialization_stores_each_row_once(
    standalone: Cluster, tmp_path: Path, kill_in_the_middle: Kill
) -> None:
    project = waiting_project(tmp_path, standalone.settings)
    signs = Signs(project)

    with fs.FeatureStore(project) as store, ThreadPoolExecutor(1) as pool, signs:
        store.apply(store.plan())
        run = pool.submit(store.materialize)
        kill_in_the_middle(standalone, executor_of(standalone, signs))
        signs.go()
        (result,) = run.result()
        again = store.materialize()

    table = DeltaTable(store.layout.features("spending", result.table_id))
    stored = pa.table(table.scan())
    assert (result.status, result.rows_out) == ("done", PAYMENTS)
    assert sorted(stored["cents"].to_pylist()) == list(range(PAYMENTS))
    assert [commit["operation"] for commit in table.history()] == ["WRITE"]
    assert [each.status for each in again] == ["nothing"]


@pytest.mark.parametrize("kill_in_the_middle", [kill_executor, kill_worker])
def test_a_training_set_equals_that_of_the_local_engine(
    standalone: Cluster, tmp_path: Path, kill_in_the_middle: Kill
) -> None:
    project = waiting_project(tmp_path, standalone.settings)
    signs = Signs(project)
    signs.go()
    with fs.FeatureStore(project) as store, ThreadPoolExecutor(1) as pool, signs:
        store.apply(store.plan())
        store.materialize()
        local = store.get_historical_features("all_of_it", spine()).to_arrow()
        signs.stop()

        frame = store.get_historical_features("all_of_it", spine(), engine="scan")
        written = pool.submit(frame.write, str(tmp_path / "written"))
        kill_in_the_middle(standalone, executor_of(standalone, signs))
        signs.go()
        count = written.result()
        collected = frame.to_arrow()

    table = DeltaTable(tmp_path / "written")
    assert count == spine().num_rows
    assert in_order(pa.table(table.scan())) == in_order(local)
    assert len(table.history()) == 1
    assert collected.to_pylist() == local.to_pylist()


def executor_of(cluster: Cluster, signs: Signs) -> int:
    """Wait until a task runs, and return the executor that has started its Python process."""
    (task, *_) = signs.waiting_tasks()
    executors = set(cluster.executors())
    return next(process for process in ancestors(task) if process in executors)
