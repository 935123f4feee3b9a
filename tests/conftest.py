"""What all tests share: one Spark session, and how Hypothesis searches."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

from tests.effort import SOAK, is_soak

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[1]
# pytest-xdist sets it in its processes, and the width of a pipe's output would depend on that.
os.environ.pop("COLUMNS", None)

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=SOAK, print_blob=True)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)
if settings.get_current_profile_name() == "ci":
    # Hypothesis also draws literals of the modules that are loaded by then, so that a new literal
    # anywhere, or another choice of tests, would be other worlds. It has no setting for this.
    providers._get_local_constants = providers.Constants


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what uses the session, so that `pytest -m "not spark"` starts no JVM.

    What makes whole environments or clusters is left out, unless ``-m integration`` asks for it.
    """
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)
    if "integration" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("integration")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of a soak."""
    if is_soak() and (figures := sys.modules.get("tests.jobs.soak_figures")):
        terminalreporter.section("figures")
        for line in figures.FIGURES.lines():
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """Start the session that all Spark tests share."""
    # Only here, so that tests without the mark need neither pyspark nor Java.
    from featurestore.engines.spark.session.session import session  # noqa: PLC0415 - see above

    started = session(
        ROOT / "spark-conf" / "test.conf", warehouse=tmp_path_factory.mktemp("spark")
    )
    yield started
    started.stop()
