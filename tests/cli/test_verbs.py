"""The command line without a JVM: what is printed where, and the exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import featurestore
from featurestore.cli.template import write_project

PROGRAM = Path(sys.executable).with_name("featurestore")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_project(tmp_path / "shop")
    return tmp_path / "shop"


def test_the_version_is_the_package_s(run):
    assert run("--version") == (0, f"featurestore {featurestore.__version__}\n", "")


def test_init_writes_a_project_that_validates(run, tmp_path):
    code, out, err = run("init", tmp_path / "new")
    assert (code, out) == (0, "")
    assert f"wrote {tmp_path}/new/featurestore.toml" in err.replace("\n", "")

    code, out, err = run("validate", "-p", tmp_path / "new")

    assert (code, out) == (0, "")
    assert "valid: 1 entities, 1 sources, 2 views, 1 services" in err


def test_init_never_writes_over_a_file(run, shop):
    settings = (shop / "featurestore.toml").read_text()

    code, _, err = run("init", shop)

    assert code == 2
    assert "there is a featurestore.toml already" in err
    assert (shop / "featurestore.toml").read_text() == settings


def test_plan_shows_a_tree_and_tells_pending_changes_by_its_exit_code(run, shop):
    code, out, _ = run("plan", "-p", shop)
    assert code == 0
    assert "+ view customer_activity (builds its table)" in out.splitlines()
    assert run("plan", "-p", shop, "--detailed-exitcode")[0] == 3

    assert run("apply", "-p", shop, "--yes")[0] == 0
    code, out, _ = run("plan", "-p", shop, "--detailed-exitcode")

    assert code == 0
    assert out.startswith("Nothing to change")


def test_apply_asks_and_does_nothing_without_a_yes(run, shop):
    done = subprocess.run(
        [PROGRAM, "apply", "-p", shop], input="n\n", capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "Apply these changes?" in done.stderr
    assert run("status", "-p", shop)[0] == 2


def test_json_has_a_schema_and_goes_to_stdout_alone(run, shop):
    _, out, _ = run("plan", "-p", shop, "--json")
    plan = json.loads(out)
    run("apply", "-p", shop, "--yes")
    _, out, err = run("status", "-p", shop, "--json")

    assert plan["schema"] == "featurestore.plan/1"
    assert plan["plan"]["builds"] == ["customer_activity", "customer_profile"]
    assert err == ""
    assert [view["state"] for view in json.loads(out)["status"]] == ["never materialized"] * 2


def test_history_lists_versions_and_gives_an_older_manifest_back(run, shop):
    run("apply", "-p", shop, "--yes")
    path = shop / "feature_defs" / "shop.py"
    path.write_text(path.read_text().replace('ttl="60d"', 'ttl="30d"'))
    run("apply", "-p", shop, "--yes")

    _, out, _ = run("history", "-p", shop, "--json")
    first = json.loads(run("history", "1", "-p", shop)[1])

    assert [row["version"] for row in json.loads(out)["history"]] == [1, 2]
    assert '"ttl": "60d"' in json.dumps(first)


def test_definitions_that_do_not_load_are_listed_with_file_and_line(run, shop):
    path = shop / "feature_defs" / "shop.py"
    path.write_text(path.read_text().replace('windows=("7d", "30d")', 'windows=("7x",)', 1))

    code, out, err = run("plan", "-p", shop)

    assert (code, out) == (2, "")
    line = (
        path.read_text()
        .splitlines()
        .index('        fs.Aggregation("*", "count", windows=("7x",)),')
    )
    assert f"feature_defs/shop.py:{line + 1}" in err.replace("\n", "")
    assert "'7x'" in err


def test_a_folder_that_is_no_project_is_told_what_to_do(run, tmp_path):
    code, _, err = run("status", "-p", tmp_path)

    assert code == 2
    assert "there is no featurestore.toml" in err
    assert "featurestore init" in err


def test_an_unknown_service_is_told_with_the_nearest(run, shop):
    run("apply", "-p", shop, "--yes")

    code, _, err = run("latest", "returns_v2", "customer_id=1", "-p", shop)

    assert code == 2
    assert "Did you mean 'returns_v1'?" in err


def test_keys_on_the_shell_are_typed_or_refused(run, shop):
    run("apply", "-p", shop, "--yes")

    assert "no '=' in '7'" in run("latest", "returns_v1", "7", "-p", shop)[2]
    assert (
        "'customer_id' is Int64, which 'x' is not"
        in run("latest", "returns_v1", "customer_id=x", "-p", shop)[2]
    )
    assert "Give KEYS" in run("latest", "returns_v1", "-p", shop)[2]


def test_demo_outside_the_repository_says_where_it_is(run, shop):
    code, _, err = run("demo", "-p", shop)

    assert code == 2
    assert "Clone the featurestore repository" in err


def test_usage_errors_and_help_have_their_exit_codes(run):
    assert run("plam")[0] == 2
    code, out, _ = run("--help")
    assert code == 0
    for verb in ("init", "validate", "plan", "apply", "materialize", "status", "training-set",
                 "historical", "latest", "history", "demo"):  # fmt: skip
        assert verb in out


def test_a_closed_pipe_is_no_bug_of_ours(shop):
    subprocess.run([PROGRAM, "apply", "-p", shop, "--yes"], check=True, capture_output=True)

    done = subprocess.run(
        f"{PROGRAM} history 1 -p {shop} | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "{\n"
    assert "bug" not in done.stderr


@pytest.mark.spark
def test_a_new_project_goes_from_plan_to_latest(run, shop, spark, tmp_path):
    assert run("apply", "-p", shop, "--yes")[0] == 0
    code, out, err = run("materialize", "-p", shop, "--json")
    runs = {row["view"]: (row["status"], row["rows_out"]) for row in json.loads(out)["runs"]}
    assert (code, runs) == (
        0,
        dict.fromkeys(("customer_activity", "customer_profile"), ("done", 1500)),
    )
    assert "customer_activity done" in err

    training = tmp_path / "training.parquet"
    run(
        "training-set",
        "returns_v1",
        shop / "spine.csv",
        "--label",
        "returned",
        "-p",
        shop,
        "--out",
        training,
    )
    _, out, _ = run(
        "latest", "returns_v1", "customer_id=1", "customer_id=99", "-p", shop, "--format", "json"
    )
    again = json.loads(run("materialize", "-p", shop, "--json")[1])["runs"]

    rows = pq.read_table(training)
    orders = (shop / "spine.csv").read_text().splitlines()[1:]
    assert rows.num_rows == len(orders)
    assert rows["count_30d"].null_count == 0
    known, unknown = [json.loads(line) for line in out.splitlines()]
    assert known["city"] in ("Lyon", "Oslo", "Porto")
    assert (unknown["count_7d"], unknown["city"]) == (0, None)
    assert [row["status"] for row in again] == ["nothing", "nothing"]
