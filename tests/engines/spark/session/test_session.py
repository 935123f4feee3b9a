"""The session: what it sets, what it refuses, and that it leaves the machine as it was."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

from featurestore.engines.spark.session.session import accept, read_settings, session
from featurestore.errors import ProjectError, SetupError

ZONE = "spark.sql.session.timeZone"

ROOT = Path(__file__).parents[4]
TEST_CONF = str(ROOT / "spark-conf" / "test.conf")


def python_of_executor(_):  # type: ignore[no-untyped-def]  # PySpark warns about hints here
    return sys.executable


def run(program: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own, since one process has one JVM."""
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder, env={**os.environ, "PYTHONPATH": path, **environ},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_delta_merges_deletes_and_optimizes_with_the_jars_that_we_keep(
    spark: SparkSession, tmp_path: Path
) -> None:
    table = f"delta.`{tmp_path}/table`"
    properties = "TBLPROPERTIES (delta.enableDeletionVectors = true)"

    spark.sql(f"CREATE TABLE {table} USING delta {properties} AS SELECT id, 0 AS n FROM range(9)")
    spark.sql(
        f"MERGE INTO {table} a USING (SELECT id FROM range(7, 11)) b ON a.id = b.id "
        "WHEN MATCHED THEN UPDATE SET n = 1 WHEN NOT MATCHED THEN INSERT (id, n) VALUES (b.id, 2)"
    )
    spark.sql(f"DELETE FROM {table} WHERE id = 3")
    spark.sql(f"OPTIMIZE {table} ZORDER BY (n)")

    rows = spark.sql(f"SELECT n, count(*) AS c FROM {table} GROUP BY n").collect()
    assert {row.n: row.c for row in rows} == {0: 6, 1: 2, 2: 2}


def test_times_are_written_in_microseconds(spark: SparkSession, tmp_path: Path) -> None:
    rows = spark.sql("SELECT timestamp'2026-01-01 00:00:00.000001Z' AS at")

    rows.coalesce(1).write.format("delta").save(str(tmp_path / "table"))

    (file,) = (tmp_path / "table").glob("*.parquet")
    column = pq.ParquetFile(file).metadata.row_group(0).column(0)
    assert column.physical_type == "INT64"
    assert column.statistics.max.isoformat() == "2026-01-01T00:00:00.000001+00:00"


def test_executors_run_this_python(spark: SparkSession) -> None:
    told = spark.range(1).select(udf(python_of_executor)("id")).collect()

    assert told[0][0] == sys.executable


def test_a_second_call_returns_the_running_session(spark: SparkSession, tmp_path: Path) -> None:
    again = session(warehouse=tmp_path, overrides={"spark.sql.shuffle.partitions": "77"})

    assert again.sparkContext is spark.sparkContext
    assert spark.conf.get("spark.sql.shuffle.partitions") == "2"


def test_a_session_of_another_zone_is_refused_with_the_line_to_add(spark: SparkSession) -> None:
    given = spark.newSession()
    given.conf.set(ZONE, "Europe/Berlin")

    with pytest.raises(SetupError) as refused:
        accept(given)

    assert refused.value.found == "its time zone is Europe/Berlin"
    assert f'.config("{ZONE}", "UTC")' in refused.value.fix
    assert given.conf.get(ZONE) == "Europe/Berlin"


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "+00:00"])
def test_every_name_of_utc_is_accepted(spark: SparkSession, zone: str) -> None:
    given = spark.newSession()
    given.conf.set(ZONE, zone)

    assert accept(given) is given


GIVEN = """
from pathlib import Path
from pyspark.sql import SparkSession
from featurestore.engines.spark.session.session import accept, session
from featurestore.errors import SetupError
given = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").getOrCreate())

def refusal(ask):
    try:
        ask()
    except SetupError as error:
        print(error)

refusal(lambda: session(warehouse=Path("state")))
given.stop()
refusal(lambda: accept(given))
refusal(lambda: session(warehouse=Path("state")))
"""


@pytest.mark.spark
def test_a_session_without_delta_or_stopped_is_refused(tmp_path: Path) -> None:
    told = run(GIVEN, tmp_path)

    without_delta, stopped, jvm_of_another = told.stdout.splitlines()
    assert "it has no Delta extension" in without_delta
    assert '.config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")' in (
        without_delta
    )
    assert "it is stopped" in stopped
    assert "Java process that something else started" in jvm_of_another


OWN = """
import os, signal, sys
from pathlib import Path
from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.session.session import session
from featurestore.errors import SetupError
BY_PYSPARK = {"SPARK_AUTH_SOCKET_TIMEOUT", "SPARK_BUFFER_SIZE"}
before = dict(os.environ)
spark = session(warehouse=Path("state"), conf_file=Path(os.environ["TEST_CONF"]))
changed = {name for name, value in os.environ.items() if before.get(name) != value}
spark.range(3).write.format("delta").save("table")
print(spark.read.format("delta").load("table").count(), len(changed - BY_PYSPARK))
spark.stop()
spark = session(warehouse=Path("state"), conf_file=Path(os.environ["TEST_CONF"]))
print(spark.read.format("delta").load("table").count())
os.kill(spark.sparkContext._gateway.proc.pid, signal.SIGKILL)
for ask in (lambda: spark.range(3).count(), lambda: session(warehouse=Path("state"))):
    try:
        with spark_errors("count"):
            ask()
    except SetupError as error:
        print(error)
"""


@pytest.mark.spark
def test_a_session_needs_no_network_prints_nothing_and_litters_nothing(tmp_path: Path) -> None:
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    java = "-Dhttp.proxyHost=127.0.0.1 -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=9"

    told = run(OWN, tmp_path, **nowhere, SPARK_SUBMIT_OPTS=java, TEST_CONF=TEST_CONF)

    wrote, again, lost, lost_again = told.stdout.splitlines()
    assert (wrote, again) == ("3 0", "3")
    assert lost == lost_again.replace("start Spark", "count")
    assert "Spark's Java process has ended" in lost
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state", "table"]
    # What py4j logs when the process that it talks to is killed.
    assert told.stderr.partition("ERROR:root:Exception while sending command.")[0] == ""


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        ("spark.a  b", "b"),
        ("spark.a=b", "b"),
        ("spark.a = b", "b"),
        ("  spark.a\tx=1 y=2  ", "x=1 y=2"),
    ],
)
def test_settings_are_spelt_as_spark_spells_them(tmp_path: Path, line: str, setting: str) -> None:
    file = tmp_path / "a.conf"
    file.write_text(f"# a comment\n\n{line}\n")

    settings = read_settings(file)

    assert settings["spark.a"] == setting
    assert settings[ZONE] == "UTC"


@pytest.mark.parametrize("line", ["spark.a", "a b", "= b"])
def test_a_line_that_is_no_setting_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "a.conf"
    file.write_text(f"spark.ok 1\n{line}\n")

    with pytest.raises(ProjectError, match="line 2 is no setting"):
        read_settings(file)


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"absent\.conf: No such file"):
        read_settings(tmp_path / "absent.conf")


@pytest.mark.parametrize("name", ["local", "test", "cluster"])
def test_the_settings_we_ship_are_read(name: str) -> None:
    settings = read_settings(ROOT / "spark-conf" / f"{name}.conf")

    assert settings[ZONE] == "UTC"
    assert settings["spark.sql.parquet.outputTimestampType"] == "TIMESTAMP_MICROS"
