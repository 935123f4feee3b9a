"""A fresh project for each test, with Spark or without."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.jobs.world import Store, World

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture
def world(tmp_path: Path, spark: "SparkSession") -> World:
    return World(tmp_path, spark)


@pytest.fixture
def shop(tmp_path: Path) -> Store:
    return Store(tmp_path)
