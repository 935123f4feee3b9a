"""`featurestore verify` on the command line: stdout, stderr and exit codes."""

import json

import pytest

from featurestore.engines.kernel.functions.table import AGGREGATORS
from tests.client.shop import DEFINITIONS
from tests.client.verify.test_verify import large

__all__ = ["large"]


@pytest.fixture
def shop(filled):
    return filled.settings.folder


@pytest.fixture
def spine(shop):
    path = shop / "spine.csv"
    path.write_text("id,event_timestamp\n1,1970-01-01T02:00:00Z\n2,1970-01-01T08:00:00Z\n")
    return path


def test_right_answers_exit_with_0(run, shop):
    code, out, err = run("verify", "fraud", "--sample", 20, "-p", shop)

    assert code == 0
    assert [line.split()[:2] for line in out.splitlines() if line.strip()][2:] == [
        ["profile", "0"], ["activity", "1"], ["rate", "0"],
    ]  # fmt: skip
    assert "equal the reference" in err


def test_json_goes_to_stdout_alone(run, shop, spine):
    code, out, err = run("verify", "fraud", "--spine", spine, "-p", shop, "--json")
    document = json.loads(out)

    assert (code, document["schema"]) == (0, "featurestore.verify/1")
    assert document["verify"]["ok"] is True
    assert [view["rows"] for view in document["verify"]["views"]] == [2, 2, 2]
    assert "equal the reference" in err


def test_differences_exit_with_1_and_name_the_command_that_explains_them(run, shop, monkeypatch):
    monkeypatch.setitem(AGGREGATORS, "sum", AGGREGATORS["max"])

    code, out, err = run("verify", "fraud", "-p", shop)

    assert code == 1
    assert "activity:amount_sum_lifetime" in out
    assert "sum of 2 values" in out
    assert "Next: featurestore explain fraud id=" in err


def test_the_first_20_of_many_differences_are_shown(run, shop, monkeypatch):
    monkeypatch.setitem(AGGREGATORS, "sum", AGGREGATORS["max"])
    path = shop / "many.csv"
    path.write_text("id,event_timestamp\n" + "1,1970-01-01T04:00:00Z\n" * 30)

    _, out, err = run("verify", "fraud", "--spine", path, "-p", shop)

    assert out.count("activity:amount_sum_") == 20
    assert "first 20 of 60 differences" in err


def test_leaks_exit_with_1_and_say_what_to_do(run, shop, spine):
    code, out, err = run("verify", "fraud", "--leakage", "--spine", spine, "-p", shop)

    assert code == 1
    assert "profile:city" in out
    assert "profile.strictly_before()" in err
    assert "1 feature changes" in err


def test_a_fix_names_its_features(run, shop, spine):
    _, _, err = run("verify", "fraud", "--leakage", "--spine", spine, "-p", shop)

    assert "city: Use profile.strictly_before()" in err


def test_uses_of_one_view_have_rows_of_their_own(run, shop, spine):
    definitions = shop / "feature_defs" / "shop.py"
    definitions.write_text(
        DEFINITIONS
        + """
both = fs.FeatureService("both", features=(profile.strictly_before().with_prefix("a_"), profile))
"""
    )
    assert run("apply", "-p", shop, "--yes")[0] == 0

    _, out, _ = run("verify", "both", "--spine", spine, "-p", shop)

    assert "profile (a_city)" in out
    assert "profile (city)" in out


def test_a_check_of_no_rows_says_so(run, shop):
    path = shop / "empty.csv"
    path.write_text("id,event_timestamp\n")

    code, _, err = run("verify", "fraud", "--spine", path, "-p", shop)

    assert (code, "nothing was checked" in err) == (0, True)


def test_a_sum_that_does_not_fit_is_reported_with_an_example(run, large):
    path = large.settings.folder / "spine.csv"
    path.write_text("id,event_timestamp\n1,1970-01-01T03:00:00Z\n2,1970-01-01T03:00:00Z\n")

    code, _, err = run("verify", "large", "--spine", path, "-p", large.settings.folder)

    assert code == 0
    (line,) = [line for line in err.splitlines() if line.startswith("large:cents_sum_2h ")]
    for part in ("1 of 2 rows", "id=1 at 1970-01-01 03:00:00Z"):
        assert part in line


def test_leakage_without_a_spine_asks_for_one(run, shop):
    _, _, err = run("verify", "fraud", "--leakage", "-p", shop)

    assert "--spine" in err


def test_an_unknown_service_is_an_error_with_near_names(run, shop):
    code, _, err = run("verify", "fruad", "-p", shop)

    assert code == 2
    assert "Did you mean 'fraud'?" in err


def test_the_events_of_a_view_are_a_spine(run, shop):
    code, out, _ = run(
        "training-set", "fraud", "view:activity", "--label", "amount", "-p", shop,
        "--format", "json",
    )  # fmt: skip
    rows = [json.loads(line) for line in out.splitlines()]

    assert code == 0
    assert [row["amount"] for row in rows] == [1.0, 2.0, 10.0, 4.0]
    assert run("verify", "fraud", "--spine", "view:activity", "-p", shop)[0] == 0
    code, out, _ = run("historical", "fraud", "view:profile", "-p", shop, "--format", "csv")
    assert out.splitlines()[0].startswith('"id","event_timestamp","city"')
    _, _, err = run("historical", "fraud", "view:activity_", "-p", shop)
    assert "Did you mean 'activity'?" in err
