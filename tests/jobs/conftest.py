"""A fresh project for each test."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.jobs.world import World

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture
def world(tmp_path: Path, spark: "SparkSession") -> World:
    return World(tmp_path, spark)
