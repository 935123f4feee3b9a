"""Clusters of this machine that the tests of this folder share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.standalone import SMALL, Cluster, running_cluster


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Start one cluster for all tests."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def standalone(shared_cluster: Cluster) -> Cluster:
    """A master and two workers that run. A test may kill workers: the next one gets new ones."""
    shared_cluster.make_whole()
    return shared_cluster


@pytest.fixture
def local_cluster(tmp_path: Path) -> dict[str, str]:
    """Spark's settings of a session that starts two executors as processes of its own."""
    return SMALL | {
        "spark.master": "local-cluster[2,1,1024]",
        "spark.executor.memory": "768m",
        "spark.local.dir": str(tmp_path / "local"),
    }
