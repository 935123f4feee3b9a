"""Schedules on the command line, without a JVM: what is due, and arguments that do not fit."""

import json
import os
import re
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.cli.template import write_project
from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.jobs.materialize.lock import view_lock
from featurestore.store.ledger.runs import RunRecord, Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.times import system_clock
from tests.tables import feature_table

PROGRAM = Path(sys.executable).with_name("featurestore")


def project_with(folder, profile, activity=None):
    """Write the example project with these schedules of its two views; None for no schedule."""
    write_project(folder)
    path = folder / "feature_defs" / "shop.py"
    schedules = iter(f'"{each}"' if each else "None" for each in (profile, activity))
    path.write_text(
        re.sub(r'schedule="[^"]*"', lambda _: f"schedule={next(schedules)}", path.read_text())
    )


@pytest.fixture
def shop(run, tmp_path):
    """The example project with two schedules, applied."""
    project_with(tmp_path / "shop", "*/15 * * * *", "@daily")
    assert run("apply", "-p", tmp_path / "shop", "--yes")[0] == 0
    return tmp_path / "shop"


def test_a_dry_run_lists_what_would_run_and_why(run, shop):
    code, out, err = run("materialize", "--due", "--dry-run", "--json", "-p", shop)

    due = json.loads(out)
    assert (code, err, due["schema"]) == (0, "", "featurestore.due/1")
    assert [(each["view"], each["schedule"], each["reason"]) for each in due["due"]] == [
        ("customer_activity", "@daily", "never materialized"),
        ("customer_profile", "*/15 * * * *", "never materialized"),
    ]
    assert [each["is_due"] for each in due["due"]] == [True, True]
    assert {each["late_seconds"] for each in due["due"]} == {None}

    code, out, _ = run("materialize", "customer_profile", "--due", "--dry-run", "-p", shop)

    assert (code, "never materialized" in out) == (0, True)
    assert "customer_activity" not in out


def test_status_shows_freshness_where_a_view_has_a_schedule(run, shop, tmp_path):
    code, out, _ = run("status", "--json", "-p", shop)

    first = json.loads(out)["status"][0]
    assert (code, first["freshness"], first["schedule"]) == (0, "due", "@daily")
    assert "schedule" in run("status", "-p", shop)[1]
    project_with(tmp_path / "none", None)
    run("apply", "-p", tmp_path / "none", "--yes")
    assert "schedule" not in run("status", "-p", tmp_path / "none")[1]


@pytest.fixture
def late(run, tmp_path):
    """A project whose only schedule, the one of new year, was missed for years."""
    project_with(tmp_path / "shop", "@yearly")
    run("apply", "-p", tmp_path / "shop", "--yes")
    store, then = fs.FeatureStore(tmp_path / "shop"), datetime(2020, 1, 1, tzinfo=UTC)
    view = store.applied().view("customer_profile")
    table = feature_table({"customer_id": [1]}, [0], {"city": ["Oslo"]})
    write_deltalake(store.layout.features(view.name, "t"), table)
    fingerprint = table_fingerprint(view)
    Tables(store.layout).record(
        TableRecord(view.name, table_id="t", fingerprint=fingerprint, state="current", at=then)
    )
    record_run(store, then)
    return tmp_path / "shop"


def record_run(store, moment):
    """Record a successful run of the view that has a schedule."""
    record = RunRecord(
        moment.isoformat(),
        view="customer_profile",
        table_id="t",
        kind="run",
        status="done",
        started_at=moment,
    )
    Runs(store.layout).record(record)


@pytest.fixture
def fresh(late):
    """The same project after a run of today."""
    record_run(fs.FeatureStore(late), system_clock())
    return late


def test_who_comes_second_is_told_who_is_at_work_and_exits_with_5(run, late):
    layout = fs.FeatureStore(late).layout
    command = [PROGRAM, "materialize", "--due", "-p", late]
    with view_lock(layout, "customer_profile", "r1", datetime(2026, 1, 1, tzinfo=UTC)):
        done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (5, "")
    assert "2026-01-01T00:00:00+00:00" in done.stderr
    assert f"host {socket.gethostname()}, pid {os.getpid()}, run r1" in done.stderr
    status = json.loads(run("status", "customer_profile", "--json", "-p", late)[1])["status"]
    assert status[0]["freshness"] == "due"
    assert status[0]["due_since"].startswith("2021-01-01T00:00:00")


def test_who_waits_runs_nothing_that_the_other_process_has_done(late):
    store = fs.FeatureStore(late)
    command = [PROGRAM, "materialize", "--due", "--wait", "-p", late]
    with view_lock(store.layout, "customer_profile", "r1", system_clock()):
        waits = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        first = waits.stderr.readline()
        record_run(store, system_clock())

    rest = waits.communicate(timeout=60)[1]

    assert "customer_profile: waits: " in first
    assert f"pid {os.getpid()}" in first
    assert (waits.returncode, "customer_profile at" in rest) == (0, True)
    assert len(Runs(store.layout).records()) == 2


def test_nothing_due_is_a_success_that_says_what_is_due_next(run, fresh):
    code, out, err = run("materialize", "--due", "-p", fresh)

    assert (code, out) == (0, "")
    assert re.search(r"customer_profile at \d{4}-01-01 00:00Z\n$", err)
    assert json.loads(run("materialize", "--due", "--json", "-p", fresh)[1])["runs"] == []
    assert "fresh" in run("status", "-p", fresh)[1]


def test_nothing_due_loads_no_spark(fresh):
    program = (
        "import sys, featurestore as fs; "
        "assert fs.FeatureStore(sys.argv[1]).materialize(due=True) == []; "
        "print(*{'pyspark', 'py4j', 'pandas', 'duckdb'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, fresh], capture_output=True, text=True, check=True
    )

    assert done.stdout == "\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--due", "--full"], "full"),
        (["--due", "--start", "2026-01-01"], "start"),
        (["--due", "--latest"], "--latest"),
        (["--dry-run"], "--due"),
        (["--dry-run", "--due", "--full"], "full"),
        (["--dry-run", "--due", "--start", "2026-01-01", "--end", "2026-01-02"], "start"),
        (["--dry-run", "--full", "--start", "2026-01-01", "--end", "2026-01-02"], "full"),
        (["--due", "no_such_view"], "no_such_view"),
    ],
)
def test_options_that_exclude_each_other_are_named(run, shop, arguments, named):
    code, out, err = run("materialize", *arguments, "-p", shop)

    assert (code, out) == (2, "")
    assert named in err


def test_due_without_any_schedule_says_where_to_add_one(run, tmp_path):
    project_with(tmp_path / "shop", None)
    run("apply", "-p", tmp_path / "shop", "--yes")

    code, out, err = run("materialize", "--due", "-p", tmp_path / "shop")

    assert (code, out) == (2, "")
    assert "schedule='*/15 * * * *'" in err


@pytest.mark.parametrize("text", ["every day", "0 0 30 2 *", "* * * * * *"])
def test_a_schedule_that_is_no_cron_text_is_named_with_its_line(run, shop, text):
    path = shop / "feature_defs" / "shop.py"
    path.write_text(path.read_text().replace("@daily", text))

    code, _, err = run("validate", "-p", shop)

    assert code == 2
    assert repr(text) in err
    assert re.search(r"feature_defs/shop.py:\d+", err)


def test_a_schedule_of_another_type_is_named(run, shop):
    path = shop / "feature_defs" / "shop.py"
    path.write_text(path.read_text().replace('"@daily"', "15"))

    code, _, err = run("validate", "-p", shop)

    assert code == 2
    assert "schedule" in err


def test_an_on_demand_view_has_no_schedule(run, shop):
    path = shop / "feature_defs" / "shop.py"
    text = """
shape = fs.OnDemandFeatureView(
    "shape", sources=(customer_profile,), schema=(fs.Field("x", fs.Int64),), transform={"x": "1"},
    schedule="@daily",
)
"""
    path.write_text(path.read_text() + text)

    code, _, err = run("validate", "-p", shop)

    assert code == 2
    assert "Remove schedule=" in err
    assert "shop.py" in err
