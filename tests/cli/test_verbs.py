"""The command line without a JVM: stdout, stderr and exit codes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer

import featurestore
from featurestore.cli.main import app
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
    assert "valid: 1 entity, 1 source, 2 views, 1 service" in err


@pytest.mark.parametrize("name", ["my shop", "it's", "shop", "[bold]"])
def test_the_next_command_after_init_runs_in_a_shell(run, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)

    code, _, err = run("init", "--", name)

    next_step, *later = err.splitlines()[-1].removeprefix("Next: ").split(" && ")
    there = subprocess.run(
        f"{next_step} && pwd", shell=True, capture_output=True, text=True, check=True
    )
    assert (code, there.stdout) == (0, f"{tmp_path / name}\n")
    assert later == ["featurestore plan", "featurestore apply --yes"]


def test_init_in_the_current_folder_needs_no_cd(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert run("init")[2].splitlines()[-1].removeprefix("Next: ").split(" && ") == [
        "featurestore plan",
        "featurestore apply --yes",
    ]


def test_init_never_writes_over_a_file(run, shop):
    settings = (shop / "featurestore.toml").read_text()

    code, _, err = run("init", shop)

    assert code == 2
    assert "featurestore.toml" in err
    assert (shop / "featurestore.toml").read_text() == settings


def test_plan_shows_a_tree_and_its_exit_code_says_whether_there_are_changes(run, shop):
    code, out, _ = run("plan", "-p", shop)
    assert code == 0
    assert "+ view customer_activity (builds its table)" in out.splitlines()
    assert run("plan", "-p", shop, "--detailed-exitcode")[0] == 3

    assert run("apply", "-p", shop, "--yes")[0] == 0
    code, out, _ = run("plan", "-p", shop, "--detailed-exitcode")

    assert code == 0
    assert len(out.splitlines()) == 1


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


def test_a_folder_that_is_no_project_is_an_error_that_names_init(run, tmp_path):
    code, _, err = run("status", "-p", tmp_path)

    assert code == 2
    assert "featurestore.toml" in err
    assert "featurestore init" in err


def test_an_unknown_service_is_an_error_with_near_names(run, shop):
    run("apply", "-p", shop, "--yes")

    code, _, err = run("latest", "returns_v2", "customer_id=1", "-p", shop)

    assert code == 2
    assert "Did you mean 'returns_v1'?" in err


def test_keys_on_the_command_line_have_their_columns_types(run, shop):
    run("apply", "-p", shop, "--yes")

    code, _, err = run("latest", "returns_v1", "7", "-p", shop)
    assert (code, "'7'" in err, "name=value" in err) == (2, True, True)
    code, _, err = run("latest", "returns_v1", "customer_id=x", "-p", shop)
    assert (code, "'customer_id'" in err, "Int64" in err, "'x'" in err) == (2, True, True, True)
    code, _, err = run("latest", "returns_v1", "-p", shop)
    assert (code, "KEYS" in err, "--rows" in err) == (2, True, True)
    code, _, err = run("latest", "returns_v1", "customer_id=1", "--rows", "r.csv", "-p", shop)
    assert (code, "both KEYS and --rows" in err) == (2, True)


def test_demo_outside_the_repository_says_where_it_is(run, shop):
    code, _, err = run("demo", "-p", shop)

    assert code == 2
    assert "make demo" in err
    assert "featurestore init" in err


def test_a_wrong_verb_exits_with_2(run):
    assert run("plam")[0] == 2


VERBS = ("init", "validate", "plan", "apply", "materialize", "demo", "maintain", "doctor",
         "monitor", "setup", "views", "features", "entities", "sources", "services", "search",
         "describe", "status", "history", "training-set", "historical", "latest", "explain",
         "verify", "lint", "impact", "training-sets", "models", "mcp", "schedule", "quarantine",
         "docs", "import")  # fmt: skip


def test_help_lists_every_verb_with_a_whole_sentence(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    code, out, _ = run("--help")

    lines = out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert code == 0
    assert tuple(line.split()[0] for line in lines) == VERBS
    # A longer sentence would be cut, and end with dots.
    assert [line for line in lines if not re.search(r"[^.]\.$", line)] == []


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_each_verb_explains_every_argument_and_option(run, monkeypatch, verb):
    monkeypatch.setenv("COLUMNS", "80")

    code, out, _ = run(verb, "--help")

    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    for parameter in typer.main.get_command(app).commands[verb].params:
        explained = getattr(parameter, "help", None)
        assert explained, parameter.name
        assert explained.split()[0] in out


@pytest.mark.slow
def test_a_closed_pipe_is_no_internal_error(shop):
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
    assert "customer_activity: done" in err

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
    stored, absent = [json.loads(line) for line in out.splitlines()]
    assert stored["city"] in ("Lyon", "Oslo", "Porto")
    assert (absent["count_7d"], absent["city"]) == (0, None)
    assert [row["status"] for row in again] == ["nothing", "nothing"]


def test_keys_that_are_in_no_row_are_named_on_stderr(run, filled):
    folder = filled.settings.folder

    code, out, err = run("latest", "profile", "id=70", "id=1", "id=80", "-p", folder)
    assert code == 0
    assert "2 of 3 rows" in err
    assert "id=70" in err
    assert "not in view" not in out

    _, _, err = run("latest", "profile", "id=70", "id=1", "id=2", "-p", folder)
    assert "not in view" not in err


def test_names_of_views_may_have_commas_between_them(run, filled):
    folder = filled.settings.folder

    code, out, _ = run("status", "profile,rate", "-p", folder, "--json")

    assert code == 0
    assert {each["view"] for each in json.loads(out)["status"]} == {"profile", "rate"}
