"""The session: its settings, its refusals, and that it leaves the machine as it was."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

from featurestore.engines.spark.session.session import (
    _utf8_locale,
    accept,
    read_settings,
    session,
)
from featurestore.errors import ProjectError, SetupError

ZONE = "spark.sql.session.timeZone"

ROOT = Path(__file__).parents[4]
TEST_CONF = str(ROOT / "spark-conf" / "test.conf")


def python_of_executor(_):  # type: ignore[no-untyped-def]  # PySpark warns about hints here
    return sys.executable


def run(program: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program in its own process: one process has one JVM."""
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder, env={**os.environ, "PYTHONPATH": path, **environ},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_delta_merges_deletes_and_optimizes_with_the_fetched_jars(
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
    ((executable,),) = spark.range(1).select(udf(python_of_executor)("id")).collect()

    assert executable == sys.executable


def test_a_second_call_returns_the_running_session(spark: SparkSession, tmp_path: Path) -> None:
    again = session(warehouse=tmp_path, overrides={"spark.sql.shuffle.partitions": "77"})

    assert again.sparkContext is spark.sparkContext
    assert spark.conf.get("spark.sql.shuffle.partitions") == "2"


def test_a_session_of_another_time_zone_is_refused_with_the_line_to_add(
    spark: SparkSession,
) -> None:
    user_session = spark.newSession()
    user_session.conf.set(ZONE, "Europe/Berlin")

    with pytest.raises(SetupError) as refused:
        accept(user_session)

    assert "Europe/Berlin" in refused.value.found
    assert f'.config("{ZONE}", "UTC")' in refused.value.fix
    assert user_session.conf.get(ZONE) == "Europe/Berlin"


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "+00:00"])
def test_every_name_of_utc_is_accepted(spark: SparkSession, zone: str) -> None:
    user_session = spark.newSession()
    user_session.conf.set(ZONE, zone)

    assert accept(user_session) is user_session


USER_SESSION = """
import json
from pathlib import Path
from pyspark.sql import SparkSession
from featurestore.engines.spark.session.session import accept, session
from featurestore.errors import SetupError
user_session = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
                .config("spark.sql.session.timeZone", "UTC").getOrCreate())

def print_refusal(operation):
    try:
        operation()
    except SetupError as error:
        print(json.dumps([error.found, error.fix]))

print_refusal(lambda: session(warehouse=Path("state")))
user_session.stop()
print_refusal(lambda: accept(user_session))
print_refusal(lambda: session(warehouse=Path("state")))
"""


@pytest.mark.spark
@pytest.mark.slow
def test_a_session_without_delta_or_stopped_is_refused(tmp_path: Path) -> None:
    process = run(USER_SESSION, tmp_path)

    without_delta, stopped, java_without_delta = map(json.loads, process.stdout.splitlines())
    extension = '.config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")'
    assert extension in without_delta[1]
    assert "stopped" in stopped[0]
    assert "spark=" in stopped[1]
    assert "Java process" in java_without_delta[0]
    assert "spark=" in java_without_delta[1]


BUILT = """
from pathlib import Path
from pyspark.sql import SparkSession
import featurestore as fs
from featurestore.cli.template import write_project
builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
spark = builder.config(map=fs.spark_config()).getOrCreate()
write_project(Path("shop"))
for options in ({}, {"spark": spark}):
    with fs.FeatureStore("shop", **options) as store:
        store.apply(store.plan())
        print([run.status for run in store.materialize("customer_profile", progress=False)])
print(spark.range(3).count())
"""

JARLESS = """
import json
from pyspark.sql import SparkSession
import featurestore as fs
from featurestore.errors import SetupError
from featurestore.engines.spark.session.session import accept
builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
spark = builder.config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
spark = spark.config("spark.sql.session.timeZone", "Europe/Paris").getOrCreate()
try:
    accept(spark)
except SetupError as error:
    print(json.dumps([error.found, error.fix]))
"""


@pytest.mark.spark
@pytest.mark.slow
def test_a_session_that_is_built_with_our_settings_works_and_stays(tmp_path: Path) -> None:
    process = run(BUILT, tmp_path)

    assert process.stdout.splitlines() == ["['done']", "['nothing']", "3"], process.stderr


@pytest.mark.spark
@pytest.mark.slow
def test_all_that_a_session_lacks_is_said_at_once(tmp_path: Path) -> None:
    process = run(JARLESS, tmp_path)

    found, fix = json.loads(process.stdout)
    assert ("Europe/Paris" in found, "jars" in found) == (True, True)
    assert "builder.config(map=featurestore.spark_config())" in fix


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
for operation in (lambda: spark.range(3).count(), lambda: session(warehouse=Path("state"))):
    try:
        with spark_errors("count"):
            operation()
    except SetupError as error:
        print(error)
"""


@pytest.mark.spark
@pytest.mark.slow
def test_a_session_needs_no_network_prints_nothing_and_leaves_no_files(tmp_path: Path) -> None:
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    java = "-Dhttp.proxyHost=127.0.0.1 -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=9"

    process = run(OWN, tmp_path, **nowhere, SPARK_SUBMIT_OPTS=java, TEST_CONF=TEST_CONF)

    wrote, again, lost, lost_again = process.stdout.splitlines()
    assert (wrote, again) == ("3 0", "3")
    assert lost == lost_again.replace("start Spark", "count")
    assert lost.startswith("count: ")
    assert "spark.log" in lost
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state", "table"]
    # py4j logs this when the process at its other end is killed.
    assert process.stderr.partition("ERROR:root:Exception while sending command.")[0] == ""


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        ("spark.a  b", "b"),
        ("spark.a=b", "b"),
        ("spark.a = b", "b"),
        ("  spark.a\tx=1 y=2  ", "x=1 y=2"),
    ],
)
def test_settings_are_read_in_sparks_form(tmp_path: Path, line: str, setting: str) -> None:
    file = tmp_path / "a.conf"
    file.write_text(f"# a comment\n\n{line}\n")

    settings = read_settings(file)

    assert settings["spark.a"] == setting
    assert settings[ZONE] == "UTC"


@pytest.mark.parametrize(
    ("line", "word"), [("spark.a", "spark.a"), ("fs.key CANARY", "fs.key"), ("= b", "=")]
)
def test_a_line_that_is_no_setting_is_named_without_its_value(
    tmp_path: Path, line: str, word: str
) -> None:
    file = tmp_path / "a.conf"
    file.write_text(f"spark.ok 1\n{line}\n")

    with pytest.raises(ProjectError) as refused:
        read_settings(file)

    assert str(file) in refused.value.call
    assert "line 2 " in refused.value.found
    assert repr(word) in refused.value.found
    assert "CANARY" not in str(refused.value)


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as refused:
        read_settings(tmp_path / "absent.conf")

    assert str(tmp_path / "absent.conf") in refused.value.call
    assert "`spark_conf`" in refused.value.fix


@pytest.mark.parametrize("name", ["local", "test", "standalone", "yarn", "kubernetes"])
def test_the_settings_of_the_repository_are_read(name: str) -> None:
    settings = read_settings(ROOT / "spark-conf" / f"{name}.conf")

    assert settings[ZONE] == "UTC"
    assert settings["spark.sql.parquet.outputTimestampType"] == "TIMESTAMP_MICROS"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, {"LC_ALL": "C.UTF-8"}),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, {"LC_ALL": "C.UTF-8"}),
        ({"LC_ALL": "", "LANG": "de_DE.utf8"}, {}),
        ({"LC_CTYPE": "C.UTF-8"}, {}),
    ],
)
def test_java_gets_a_locale_in_which_it_opens_files_of_any_name(
    environ: dict[str, str], expected: dict[str, str]
) -> None:
    assert _utf8_locale(environ) == expected
