"""The real Airflow and the real Dagster run a project's views by the exported files."""

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from featurestore.cli.template import write_project
from tests.packaging.environments import Environment, make_environment
from tests.packaging.interpreters import OWN, interpreter

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PROGRAM = Path(sys.executable).with_name("featurestore")
DERIVED = """
def city_checks():
    import pandera.polars as pa

    return pa.DataFrameSchema({"city": pa.Column(str, pa.Check.isin(["Lyon", "Oslo"]))})


derived = fs.FeatureView(
    "derived", entities=(customer,), source=customer_profile, schedule="0 3 * * *", latest=False,
    schema=(fs.Field("city", fs.String),), expectations=city_checks,
)
"""
BAD_CITY = "Porto"
DAG = "featurestore_shop_customer_profile"
PARTITION_KEYS = """\
import sys
import pendulum
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.timetables.base import TimeRestriction
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
for name, dag in sorted(bag.dags.items()):
    since = TimeRestriction(pendulum.datetime(2099, 1, 1, 0, 1), None, True)
    timetable = coerce_to_core_timetable(dag.timetable)
    info = timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=since)
    print("KEY", name, info.partition_key)
"""
DAGSTER_RUN = """\
import json, runpy, sys
import dagster as dg
defs = runpy.run_path(sys.argv[1])["defs"]
with dg.instance_for_test() as instance:
    job = defs.resolve_job_def("featurestore_shop_customer_profile")
    [first, *_] = job.partitions_def.get_partition_keys()
    last = job.partitions_def.get_last_partition_key()
    bounds = {"start": first, "end": last}
    tags = {f"dagster/asset_partition_range_{name}": key for name, key in bounds.items()}
    done = job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
    rows = {
        event.asset_key.path[-1]: {n: v.value for n, v in event.materialization.metadata.items()}
        for event in done.get_asset_materialization_events()
    }
    checks = [
        (each.asset_key.path[-1], each.check_name, each.passed, failing.value)
        for each in done.get_asset_check_evaluations()
        for failing in [each.metadata["failing_rows"]]
    ]
    print("RESULT", json.dumps([done.success, first, rows, checks]))
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The example project with two daily views, one of which derives from the other; applied."""
    folder = tmp_path / "shop"
    write_project(folder)
    definitions = folder / "feature_defs" / "shop.py"
    text = definitions.read_text("utf-8").replace("0 * * * *", "0 3 * * *")
    definitions.write_text(text + DERIVED, "utf-8")
    with (folder / "featurestore.toml").open("a", encoding="utf-8") as settings:
        settings.write("retries = 0\n")
    featurestore(folder, "apply", "--yes")
    return folder


def featurestore(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [PROGRAM, *arguments, "--project", folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def exported(project: Path, scheduler: str, folder: Path) -> Path:
    """Export the only file for a scheduler to a folder, and return its path."""
    options = ("--out", str(folder), "--json")
    printed = featurestore(project, "schedule", "export", scheduler, *options)
    [path] = json.loads(printed)["export"]["files"]
    return Path(path)


def bad_orders(folder: Path) -> int:
    """The number of orders whose city is not expected."""
    texts = [path.read_text("utf-8") for path in (folder / "data" / "orders").iterdir()]
    return sum(line.endswith(BAD_CITY) for text in texts for line in text.splitlines())


def runs(folder: Path) -> list[tuple[str, str]]:
    """The last run of each view, as the feature store's own status shows it."""
    status = json.loads(featurestore(folder, "status", "--json"))["status"]
    return [(view["view"], view["last_run"]) for view in status]


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("airflow")
    variables = {
        "AIRFLOW_HOME": str(folder / "home"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    made = make_environment(
        folder / "env", interpreter(OWN), "apache-airflow>=3.2", variables=variables
    )
    made.output("airflow", "db", "migrate")
    return made


def dags_of(airflow: Environment, shop: Path) -> Path:
    """Export the module of DAGs to Airflow's folder of DAGs."""
    return exported(shop, "airflow", Path(airflow.variables["AIRFLOW_HOME"], "dags"))


def events(airflow: Environment) -> dict[str, dict[str, object]]:
    """The newest event of each asset."""
    with sqlite3.connect(Path(airflow.variables["AIRFLOW_HOME"], "airflow.db")) as database:
        rows = database.execute(
            "SELECT name, asset_event.extra FROM asset_event JOIN asset ON asset.id = asset_id "
            "ORDER BY asset_event.id"
        ).fetchall()
    return {name: json.loads(extra) for name, extra in rows}


def test_airflow_runs_a_dag_and_its_assets_events_have_the_facts_of_the_runs(
    airflow: Environment, shop: Path
) -> None:
    dags = dags_of(airflow, shop)

    printed = airflow.output("python", "-c", PARTITION_KEYS, dags)
    airflow.output("airflow", "dags", "test", DAG)

    assert re.findall(r"^KEY (\S+) (\S+)$", printed, re.MULTILINE) == [
        ("featurestore_shop_customer_activity", "2099-01-01T03:00:00"),
        (DAG, "2099-01-01T03:00:00"),
    ]
    found = events(airflow)
    profile = found["featurestore/shop/customer_profile"]
    assert (profile["version"], profile["rows_out"], profile["status"]) == (0, 1500, "done")
    derived, bad = found["featurestore/shop/derived"], bad_orders(shop)
    assert (derived["rows_out"], derived["rows_quarantined"]) == (1500 - bad, bad)
    assert len(str(profile["run_id"])) == 24
    assert runs(shop) == [
        ("customer_activity", None),
        ("customer_profile", "done"),
        ("derived", "done"),
    ]


def test_a_view_that_fails_in_airflow_fails_its_task_and_emits_no_event(
    airflow: Environment, shop: Path
) -> None:
    dags_of(airflow, shop)
    definitions = shop / "feature_defs" / "shop.py"
    definitions.write_text(definitions.read_text("utf-8") + "\nraise ValueError\n", "utf-8")
    before = events(airflow)

    done = airflow.run("airflow", "dags", "test", DAG)

    assert "exit code 2" in done.stdout + done.stderr
    assert events(airflow) == before


@pytest.fixture(scope="session")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("dagster")
    return make_environment(folder / "env", interpreter(OWN), "dagster>=1.13")


def dagster_run(dagster: Environment, module: Path) -> tuple[bool, str, dict, list]:  # type: ignore[type-arg]  # of JSON
    done = dagster.run("python", "-c", DAGSTER_RUN, module)
    [result] = re.findall(r"^RESULT (.*)$", done.stdout, re.MULTILINE) or [done.stderr]
    sys.stderr.write(done.stderr)  # pytest shows it if the test fails
    return tuple(json.loads(result))  # type: ignore[return-value]  # four of them


def test_dagster_materializes_the_assets_with_their_rows_and_checks(
    dagster: Environment, shop: Path
) -> None:
    module = exported(shop, "dagster", shop)

    success, first, rows, checks = dagster_run(dagster, module)

    bad, always = bad_orders(shop), ("null_key", "null_time", "time_out_of_range")
    assert (success, first[-6:]) == (True, "T03:00")
    assert {name: row["dagster/row_count"] for name, row in rows.items()} == {
        "customer_profile": 1500,
        "derived": 1500 - bad,
    }
    assert rows["customer_profile"]["dagster/partition_row_count"] == 1500
    assert (rows["customer_profile"]["version"], rows["customer_profile"]["status"]) == (0, "done")
    assert rows["customer_profile"]["failures"] == {}
    assert sorted(map(tuple, checks)) == sorted(
        [
            *((view, name, True, 0) for view in rows for name in always),
            ("derived", "city_not_null", True, 0),
            ("derived", "city_isin", False, bad),
        ]
    )
    assert dict(runs(shop))["derived"] == "done"


def test_a_view_that_fails_in_dagster_fails_the_run_and_skips_its_dependants(
    dagster: Environment, shop: Path
) -> None:
    module = exported(shop, "dagster", shop)
    definitions = shop / "feature_defs" / "shop.py"
    definitions.write_text(definitions.read_text("utf-8") + "\nraise ValueError\n", "utf-8")

    success, _, rows, _ = dagster_run(dagster, module)

    assert (success, rows) == (False, {})
