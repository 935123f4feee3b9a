"""Schedules on the command line, without a JVM: what is due, and arguments that do not fit."""

import json
import re

import pytest

from featurestore.cli.template import write_project


@pytest.fixture
def shop(run, tmp_path):
    """The example project with two schedules, applied."""
    write_project(tmp_path / "shop")
    path = tmp_path / "shop" / "feature_defs" / "shop.py"
    schedules = iter(('"*/15 * * * *"', '"@daily"'))
    text = re.sub(
        r"entities=\(customer,\),",
        lambda found: f"{found[0]} schedule={next(schedules)},",
        path.read_text(),
    )
    path.write_text(text)
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
    assert "freshness" in run("status", "-p", shop)[1]
    write_project(tmp_path / "none")
    run("apply", "-p", tmp_path / "none", "--yes")
    assert "freshness" not in run("status", "-p", tmp_path / "none")[1]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--due", "--full"], "full"),
        (["--due", "--start", "2026-01-01"], "start"),
        (["--due", "--latest"], "--latest"),
        (["--dry-run"], "--due"),
        (["--due", "no_such_view"], "no_such_view"),
    ],
)
def test_options_that_exclude_each_other_are_named(run, shop, arguments, named):
    code, out, err = run("materialize", *arguments, "-p", shop)

    assert (code, out) == (2, "")
    assert named in err


def test_due_without_any_schedule_says_where_to_add_one(run, tmp_path):
    write_project(tmp_path / "shop")
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
