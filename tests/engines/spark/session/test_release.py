"""A session that a store started is stopped by the last store that closes; others stay."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]

PROGRAM = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
import featurestore as fs
from featurestore.cli.template import write_project
from pyspark import SparkContext
from pyspark.sql import SparkSession

write_project(Path("shop"))
first, second = fs.FeatureStore("shop"), fs.FeatureStore("shop")  # nothing starts Spark yet
assert SparkContext._active_spark_context is None
session, java = first._spark(), SparkContext._gateway.proc
assert second._spark().sparkContext is session.sparkContext
first.close()
print("one store is open", java.poll() is None)
second.close()
print("no store is open", java.poll() is None)
with fs.FeatureStore("shop") as again:
    print("started again", again._spark().range(3).count())
user_session = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
                .config("spark.sql.session.timeZone", "UTC").getOrCreate())
first.close()
print("the user's session", user_session.range(2).count())
"""


@pytest.mark.spark
def test_the_last_store_that_closes_stops_the_session_and_java(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "one store is open True",
        "no store is open False",
        "started again 3",
        "the user's session 2",
    ]
