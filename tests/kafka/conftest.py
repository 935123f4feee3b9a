"""A broker, and a session with Kafka's jars, for all tests of this folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kafka.broker import Broker, kafka_cache, running_broker

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    if not (kafka_cache() / "broker").is_dir() and shutil.which("mvn") is None:
        pytest.skip("Maven, which fetches the broker, is not installed")
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="session")
def kafka_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """A session with Kafka's jars, which must be the only one of the process."""
    from featurestore.engines.spark.session.jars import (  # noqa: PLC0415 - needs pyspark
        CACHE_VARIABLE,
        delta_jars,
        package_jars,
    )
    from featurestore.engines.spark.session.session import session  # noqa: PLC0415 - as above

    delta, cache = delta_jars()[0].parent, kafka_cache()
    own = cache / "jars" / delta.name
    own.parent.mkdir(parents=True, exist_ok=True)
    if not own.exists():
        own.symlink_to(delta)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(cache))
        package_jars("kafka")
        started = session(
            ROOT / "spark-conf" / "test.conf", warehouse=tmp_path_factory.mktemp("spark")
        )
        yield started
        started.stop()
