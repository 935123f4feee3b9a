"""The verb `lint`: before and after apply, as JSON, with codes that are left out."""

import json
from pathlib import Path

import pytest

import featurestore as fs

DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),), owner="me", description="A card")
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at", owner="me", description="x")
profile = fs.FeatureView(
    "profile", entities=(card,), source=paid, schema=(fs.Field("city", fs.String),),
    owner="me", description="Who pays",
)
fraud = fs.FeatureService("fraud", features=(profile,), owner="me", description="Is it fraud?")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "featurestore.toml").write_text('project = "shop"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "shop.py").write_text(DEFINITIONS)
    return tmp_path


def codes(out: str) -> list[str]:
    return [each["code"] for each in json.loads(out)["lint"]["issues"]]


def test_an_unknown_code_of_the_settings_is_an_error_that_names_their_file(
    run, project: Path
) -> None:
    (project / "featurestore.toml").write_text('project = "shop"\nlint_ignore = ["unusd"]\n')

    code, out, err = run("lint", "--project", project)

    assert (code, out) == (2, "")
    assert "'unused'" in err and "featurestore.toml" in err


def test_definitions_are_checked_before_they_are_applied(run, project: Path) -> None:
    code, out, _ = run("lint", "--project", project, "--json")

    printed = json.loads(out)["lint"]
    assert code == 1
    assert codes(out) == ["unvalidated"]
    (issue,) = printed["issues"]
    assert (issue["kind"], issue["name"], issue["features"]) == ("view", "profile", [])
    assert issue["origin"] == "feature_defs/shop.py:6"
    scores = {(each["kind"], each["name"]): each["score"] for each in printed["scores"]}
    assert scores == {
        ("view", "profile"): 80, ("service", "fraud"): 100, ("entity", "card"): 100,
        ("source", "paid"): 100,
    }  # fmt: skip
    assert printed["score"] == 95


def test_tables_are_checked_once_there_are_any(run, project: Path) -> None:
    store = fs.FeatureStore(project)
    store.apply(store.plan())

    code, out, _ = run("lint", "--project", project, "--json", "--ignore", "unvalidated")

    assert (code, codes(out)) == (1, ["never-materialized"])


def test_a_code_may_be_left_out_in_the_command_and_in_the_settings(run, project: Path) -> None:
    assert run("lint", "--project", project, "--ignore", "unvalidated")[0] == 0
    assert run("lint", "--project", project, "--ignore", "unvalidated:profile")[0] == 0
    assert run("lint", "--project", project, "--ignore", "unvalidated:other")[0] == 1
    assert run("lint", "--project", project, "--only", "no-owner")[0] == 0
    (project / "featurestore.toml").write_text(
        'project = "shop"\nlint_ignore = ["unvalidated:profile"]\n'
    )
    assert run("lint", "--project", project)[0] == 0


def test_the_options_wrong_codes_are_wrong_usage(run, project: Path) -> None:
    assert run("lint", "--project", project, "--ignore", "unvalidatd")[0] == 2
    assert run("lint", "--project", project, "--only", "unvalidatd")[0] == 2


def test_what_is_applied_is_checked_without_the_folder(run, project: Path) -> None:
    assert run("lint", "--project", project, "--applied")[0] == 2  # nothing is applied
    store = fs.FeatureStore(project)
    store.apply(store.plan())
    (project / "feature_defs" / "shop.py").write_text("import nothing_of_that_name\n")

    assert run("lint", "--project", project)[0] == 2
    code, out, _ = run("lint", "--project", project, "--applied", "--json")
    assert (code, codes(out)) == (1, ["unvalidated", "never-materialized"])


def test_an_empty_project_has_no_issue(run, project: Path) -> None:
    (project / "feature_defs" / "shop.py").write_text("")

    code, out, _ = run("lint", "--project", project, "--json")

    assert (code, json.loads(out)["lint"]) == (0, {"score": None, "scores": [], "issues": []})


def test_people_read_each_issue_within_eighty_columns(
    run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    _, out, _ = run("lint", "--project", project)

    assert max(map(len, out.splitlines())) <= 80
    assert out.startswith("unvalidated  ")
    assert "feature_defs/shop.py:6  view profile: " in out


def test_what_is_equal_for_all_issues_of_a_code_is_printed_once(run, project: Path) -> None:
    path = project / "feature_defs" / "shop.py"
    path.write_text(path.read_text().replace('owner="me", ', ""))

    _, out, _ = run("lint", "--project", project, "--only", "no-owner")

    lines = out.splitlines()
    assert lines[0].startswith("no-owner  ")
    assert [line.split()[1:] for line in lines[1:-1]] == [
        ["view", "profile"], ["service", "fraud"], ["entity", "card"], ["source", "paid"],
    ]  # fmt: skip
    assert "owner=" in lines[-1]
