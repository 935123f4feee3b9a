"""A build in a process of its own, which is killed on the way: `python -m tests.jobs.killed`."""

import os
import sys
import time
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from featurestore.engines.spark.session.session import session
from tests.jobs.world import SPENDING, World, other

BEFORE_IT_CRASHES = 3


def slow(rows: DataFrame) -> DataFrame:
    """Return the rows, after a while, or never: as the process's environment says."""
    calls = int(os.environ.get("CALLS", "0")) + 1
    os.environ["CALLS"] = str(calls)
    time.sleep(float(os.environ.get("PAUSE", "0")))
    if os.environ.get("CRASH") and calls >= BEFORE_IT_CRASHES:
        os._exit(9)
    return rows


def killed_world(folder: Path, spark: SparkSession) -> World:
    """A project whose build takes one file at a time through `slow`."""
    return World(folder, spark, views=[other(SPENDING, transform=slow)], files_per_batch=1)


def main(folder: str, how: str) -> None:
    """Build until killed."""
    os.environ["PAUSE" if how == "interrupt" else "CRASH"] = "1"
    conf = Path(__file__).parents[2] / "spark-conf" / "test.conf"
    spark = session(conf, warehouse=Path(folder) / "spark")
    killed_world(Path(folder), spark).materialize()


if __name__ == "__main__":
    main(*sys.argv[1:])
