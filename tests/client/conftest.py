"""The shop as fixtures: its definitions applied, and its tables written. Tests of all engines.

A test that takes `engine` is about answers, which are equal whoever computes them. It runs on the
engine in process, by scan and by shuffle. Each of Spark's takes seconds, so `make test` runs those
with the mark ``every_engine`` only, and `make integration` the others.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import featurestore as fs
from tests.client.shop import DEFINITIONS, HOUR, NOW, write_view
from tests.tables import feature_table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ON_SPARK = ("scan", "shuffle")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `engine` on each of them."""
    own = metafunc.definition.iter_markers("parametrize")
    if "engine" not in metafunc.fixturenames or any("engine" in mark.args[0] for mark in own):
        return
    marks = [pytest.mark.spark]
    if metafunc.definition.get_closest_marker("every_engine") is None:
        marks.append(pytest.mark.integration)
    metafunc.parametrize("engine", ["local", *(pytest.param(n, marks=marks) for n in ON_SPARK)])


@pytest.fixture
def session(request: pytest.FixtureRequest) -> "SparkSession | None":
    """Return the Spark session for a test on one of Spark's engines; None starts no JVM."""
    if "engine" not in request.fixturenames:
        return None
    is_on_spark = request.getfixturevalue("engine") in ON_SPARK
    return request.getfixturevalue("spark") if is_on_spark else None


@pytest.fixture
def store(tmp_path: Path, session: "SparkSession | None") -> fs.FeatureStore:
    (tmp_path / "featurestore.toml").write_text('project = "shop"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "shop.py").write_text(DEFINITIONS)
    made = fs.FeatureStore(tmp_path, clock=lambda: NOW, spark=session)
    made.apply(made.plan())
    return made


@pytest.fixture
def filled(store: fs.FeatureStore) -> fs.FeatureStore:
    events = [1 * HOUR, 2 * HOUR, 3 * HOUR]
    write_view(
        store, "profile", feature_table({"id": [1, 1, 2]}, events, {"city": ["a", "b", None]})
    )
    write_view(
        store,
        "activity",
        feature_table({"id": [1, 2]}, events[:2], {"amount": [1.0, 10.0]}),
        feature_table({"id": [1, 1]}, events[1:], {"amount": [2.0, 4.0]}),
    )
    write_view(store, "rate", feature_table({}, events[:1], {"euro": [1.5]}))
    return store
