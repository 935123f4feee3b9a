"""`validate` and `plan` say what is wrong with the sources' data."""

import json
from pathlib import Path

import pytest

from featurestore.cli.template import write_project


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_project(tmp_path / "shop")
    for part in (tmp_path / "shop" / "data" / "orders").iterdir():
        text = part.read_text().replace("ordered_at,amount", "ordered_at,amuont")
        part.write_text(text.replace("Z,", ","))
    return tmp_path / "shop"


def test_validate_fails_and_lists_all(run, shop):
    code, out, err = run("validate", "-p", shop)

    assert (code, out) == (1, "")
    assert "valid: 1 entity" in err
    assert ("'amuont'" in err, "timezone=" in err) == (True, True)


def test_plan_lists_all_and_its_exit_code_is_that_of_the_changes(run, shop):
    code, out, _ = run("plan", "-p", shop)
    issues = json.loads(run("plan", "-p", shop, "--json")[1])["plan"]["source_issues"]

    assert code == 0
    assert ("'amuont'" in out, "timezone=" in out) == (True, True)
    assert {issue["origin"]["file"] for issue in issues} == {"feature_defs/shop.py"}
    assert len(issues) == 2


def test_a_run_shows_the_columns_side_by_side_without_a_session(run, shop, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("JAVA_HOME", str(shop))  # no JVM can start
    run("apply", "-p", shop, "--yes")

    code, _, err = run("materialize", "-p", shop)

    assert code == 1
    table = err.splitlines()
    first = next(at for at, line in enumerate(table) if line.split()[:1] == ["column"])
    rows = [line for line in table[first:] if line.startswith(("   ", "+", "-", "~"))]
    signs = {tuple(row.split()[:2]) for row in rows if row[0] != " "}
    assert {("-", "amount"), ("+", "amuont")} <= signs
    assert max(map(len, rows)) <= 80
    assert "optional_columns" in err


def test_data_that_is_not_there_yet_is_no_failure(run, shop):
    for part in (shop / "data" / "orders").iterdir():
        part.unlink()

    code, _, err = run("validate", "-p", shop)

    assert code == 0
    assert "data/orders" in err.replace("\n", "")
    run("apply", "-p", shop, "--yes")
    assert len(run("plan", "-p", shop)[1].splitlines()) == 1


@pytest.mark.parametrize("verb", ["validate", "plan"])
def test_problems_of_definitions_and_of_sources_are_shown_at_once(run, shop, verb):
    file = shop / "feature_defs" / "shop.py"
    file.write_text(f'{file.read_text()}\nempty = fs.FeatureService("empty", features=())\n')
    (shop / "feature_defs" / "broken.py").write_text("x = 1 / 0\n")

    code, out, err = run(verb, "-p", shop)

    assert (code, out) == (2, "")
    words = ("broken.py:1", "service 'empty'", "'amuont'", "timezone=")
    assert [word in err for word in words] == [True] * 4
    assert "4 problems" in err
