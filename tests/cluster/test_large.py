"""A training set of many tasks, of which an executor or a worker is killed in the middle.

An ordinary run has 20,000 rows in the spine, and `make soak` has 5 million.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

import featurestore as fs
from tests.cluster.large import AMOUNT, Large, large_project
from tests.cluster.processes import ancestors
from tests.cluster.standalone import Cluster, running_cluster
from tests.cluster.test_lost_executors import Kill, kill_executor, kill_worker
from tests.effort import rounds

pytestmark = pytest.mark.integration

STORED, SPINE_ROWS = rounds(20_000, 2_000_000), rounds(20_000, 5_000_000)
BEFORE = rounds(1, 8)
FLOAT_RULE = 1e-9 * AMOUNT
"""How far a sum or a mean of amounts may be from that of another engine."""
SUMS = ("amount_sum_1d", "amount_sum_7d", "amount_mean_7d", "shop_sum_7d")
"""Features that are sums and means of floats."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def project(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Large:
    return large_project(
        tmp_path_factory.mktemp("large") / "project",
        cluster.settings,
        stored=STORED,
        spine_rows=SPINE_ROWS,
        before=BEFORE,
    )


@pytest.fixture(scope="module")
def store(project: Large) -> Iterator[fs.FeatureStore]:
    with fs.FeatureStore(project.folder) as store:
        store.apply(store.plan())
        store.materialize()
        yield store


@pytest.fixture(scope="module")
def local(project: Large, store: fs.FeatureStore) -> pa.Table:
    project.go()
    return store.get_historical_features("large", project.spine).to_arrow()


@pytest.fixture(params=["scan", "shuffle"])
def frame(
    request: pytest.FixtureRequest, cluster: Cluster, project: Large, store: fs.FeatureStore
) -> fs.SparkFrame:
    cluster.make_whole()
    project.go()
    return store.get_historical_features("large", project.spine, engine=request.param)


@pytest.mark.parametrize("kill_in_the_middle", [kill_executor, kill_worker])
def test_many_tasks_with_a_kill_equal_the_local_engine(
    cluster: Cluster,
    project: Large,
    local: pa.Table,
    frame: fs.SparkFrame,
    kill_in_the_middle: Kill,
    tmp_path: Path,
) -> None:
    project.stop()
    with ThreadPoolExecutor(1) as pool:
        try:
            written = pool.submit(frame.write, str(tmp_path / "written"))
            kill_in_the_middle(cluster, executor_of(cluster, project.waiting_task()))
        finally:
            project.go()
        count = written.result()

    table = DeltaTable(tmp_path / "written")
    assert count == SPINE_ROWS
    assert len(table.history()) == 1
    require_equal(pa.table(table.scan()).cast(local.schema).sort_by("row"), local)


def executor_of(cluster: Cluster, task: int) -> int:
    """Return the executor that has started a Python process."""
    executors = set(cluster.executors())
    return next(process for process in ancestors(task) if process in executors)


def require_equal(found: pa.Table, local: pa.Table) -> None:
    """Fail unless all is equal, exactly, but the sums of floats, which follow the rule."""
    for name in local.column_names:
        answer, expected = found[name].combine_chunks(), local[name].combine_chunks()
        if name not in SUMS:
            assert answer.equals(expected), name
            continue
        assert answer.is_null().equals(expected.is_null()), name
        difference = pc.fill_null(pc.abs(pc.subtract(answer, expected)), 0.0).to_numpy()
        assert (difference <= FLOAT_RULE).all(), (name, difference.max())
