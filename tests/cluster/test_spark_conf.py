"""The files of spark-conf/: featurestore reads them, and Spark or Delta knows each setting."""

import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from featurestore.engines.spark.session.executors import TIMEOUT, timeout_seconds
from featurestore.engines.spark.session.session import read_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FILES = sorted((Path(__file__).parents[2] / "spark-conf").glob("*.conf"))
CLUSTERS = ("kubernetes", "standalone", "yarn")
_SETTING = re.compile(r"(?:# )?(spark\.[\w.]+) +\S.*")
# Those of Hadoop's libraries, which are not here, and those of this project.
_NOT_OF_SPARK = ("spark.hadoop.fs.", "spark.featurestore.")
# Each makes its settings known when it is loaded.
_HOLDERS = (
    "org.apache.spark.internal.config.package$",
    "org.apache.spark.internal.config.Python$",
    "org.apache.spark.internal.config.UI$",
    "org.apache.spark.sql.internal.SQLConf$",
    "org.apache.spark.sql.internal.StaticSQLConf$",
    "org.apache.spark.sql.delta.sources.DeltaSQLConf$",
    "org.apache.spark.deploy.k8s.Config$",
    "org.apache.spark.deploy.yarn.config.package$",
)
# Spark reads these by their names, without an entry.
_WITHOUT_ENTRY = {"spark.master", "spark.app.name", "spark.default.parallelism"}


def names(file: Path) -> list[str]:
    """The settings of a file, also those that are commented out."""
    lines = file.read_text("utf-8").splitlines()
    return [match[1] for line in lines if (match := _SETTING.fullmatch(line))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_file_is_read_with_its_settings(file: Path) -> None:
    settings = read_settings(file)

    written = [line.split()[0] for line in file.read_text("utf-8").splitlines() if line[:1] == "s"]
    assert written
    assert set(written) <= settings.keys()
    assert timeout_seconds(settings) >= 60


def test_there_is_a_file_for_each_kind_of_cluster() -> None:
    masters = {file.stem: read_settings(file)["spark.master"] for file in FILES}

    assert masters["local"].startswith("local[")
    assert masters["test"].startswith("local[")
    assert masters["standalone"].startswith("spark://")
    assert masters["yarn"] == "yarn"
    assert masters["kubernetes"].startswith("k8s://")


@pytest.mark.parametrize("stem", CLUSTERS)
def test_each_setting_of_a_cluster_is_explained_in_the_line_above(stem: str) -> None:
    (file,) = (file for file in FILES if file.stem == stem)
    lines = file.read_text("utf-8").splitlines()

    unexplained = [
        line
        for above, line in pairwise(lines)
        if _SETTING.fullmatch(line) and (not above.startswith("# ") or _SETTING.fullmatch(above))
    ]
    assert unexplained == []
    assert {TIMEOUT, "spark.pyspark.python", "spark.driver.host"} <= set(names(file))
    assert {"s3a", "azure", "gs"} <= {name.split(".")[3] for name in names(file) if ".fs." in name}


def test_spark_or_delta_knows_each_setting(spark: "SparkSession") -> None:
    jvm = spark.sparkContext._jvm
    for holder in _HOLDERS:
        jvm.java.lang.Class.forName(holder)
    entries = jvm.org.apache.spark.internal.config.ConfigEntry
    every = {name for file in FILES for name in names(file)} - _WITHOUT_ENTRY

    unknown = [
        name
        for name in sorted(every)
        if not name.startswith(_NOT_OF_SPARK) and entries.findEntry(name) is None
    ]

    assert len(every) > 30
    assert unknown == []
    assert entries.findEntry("spark.executor.memories") is None
