"""What a cluster lacks, as errors that name it and end the wait."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import featurestore as fs
from featurestore.engines.spark.session.executors import TIMEOUT
from featurestore.errors import SetupError
from tests.cluster.processes import kill
from tests.cluster.project import PAYMENTS, ROOT, Signs, spine, waiting_project
from tests.cluster.standalone import Cluster

pytestmark = pytest.mark.integration


def test_a_cluster_that_grants_no_executor_is_named_after_the_stated_time(
    standalone: Cluster, tmp_path: Path
) -> None:
    too_much = {"spark.executor.memory": "3g", TIMEOUT: "3s"}
    project = waiting_project(tmp_path, standalone.settings | too_much)

    with fs.FeatureStore(project) as store:
        store.apply(store.plan())
        (result,) = store.materialize(on_failure="return")

    assert (result.status, type(result.error)) == ("failed", SetupError)
    assert result.error is not None
    assert standalone.url in result.error.found
    assert "spark.executor.memory 3g" in result.error.found
    assert TIMEOUT in result.error.fix


def test_a_run_that_loses_all_workers_ends_and_continues_on_new_ones(
    standalone: Cluster, tmp_path: Path
) -> None:
    # New executors need some seconds to start.
    project = waiting_project(tmp_path, standalone.settings | {TIMEOUT: "30s"})
    signs = Signs(project)

    with fs.FeatureStore(project) as store, ThreadPoolExecutor(1) as pool, signs:
        store.apply(store.plan())
        run = pool.submit(store.materialize, on_failure="return")
        signs.waiting_tasks()
        for process in (*standalone.executors(), *(worker.pid for worker in standalone.workers)):
            kill(process)
        (lost,) = run.result()
        signs.go()
        standalone.make_whole()
        (again,) = store.materialize()

    assert (lost.status, type(lost.error)) == ("failed", SetupError)
    assert (again.status, again.rows_out) == ("done", PAYMENTS)


def test_an_executor_without_the_packages_is_named_with_them(
    standalone: Cluster, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = {"spark.pyspark.python": str(tmp_path / "bare" / "bin" / "python")}
    project = waiting_project(tmp_path / "project", standalone.settings | python)
    Signs(project).go()

    with fs.FeatureStore(project) as store:
        store.apply(store.plan())
        (result,) = store.materialize(on_failure="return")

    assert isinstance(result.error, SetupError)
    assert "'pyarrow'" in result.error.found
    assert "spark.pyspark.python" in result.error.fix


def test_executors_with_another_version_of_featurestore_are_named_with_both(
    local_cluster: dict[str, str], tmp_path: Path
) -> None:
    other = shutil.copytree(ROOT / "featurestore", tmp_path / "other" / "featurestore")
    init = other / "__init__.py"
    init.write_text(init.read_text("utf-8").replace(fs.__version__, "99.0"), "utf-8")
    path = {"spark.executorEnv.PYTHONPATH": str(tmp_path / "other")}
    project = waiting_project(tmp_path / "project", local_cluster | path)
    Signs(project).go()

    with fs.FeatureStore(project) as store:
        store.apply(store.plan())
        (run,) = store.materialize(on_failure="return")  # tasks refresh the latest table
        with pytest.raises(SetupError) as refused:
            store.get_historical_features("all_of_it", spine(), engine="spark")

    assert isinstance(run.error, SetupError)
    assert "99.0" in run.error.found
    assert "99.0" in refused.value.found
    assert fs.__version__ in refused.value.found
    assert "spark.pyspark.python" in refused.value.fix


def test_an_executor_without_the_named_python_is_named_with_it(
    local_cluster: dict[str, str], tmp_path: Path
) -> None:
    python = {"spark.pyspark.python": "/no/such/python"}
    project = waiting_project(tmp_path, local_cluster | python)
    Signs(project).go()

    with fs.FeatureStore(project) as store:
        store.apply(store.plan())
        (result,) = store.materialize(on_failure="return")

    assert isinstance(result.error, SetupError)
    assert "/no/such/python" in result.error.found
    assert "spark.pyspark.python" in result.error.fix
