"""The verbs that show what is applied: tables within a terminal, and JSON with all fields."""

import json
from pathlib import Path

import pytest

from tests.site.conftest import DEFINITIONS, new_store

VERBS = ("views", "features", "entities", "sources", "services")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    new_store(folder, DEFINITIONS)
    return folder


@pytest.mark.parametrize("verb", VERBS)
def test_each_list_is_a_table_within_eighty_columns(
    run, project: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    code, out, err = run(verb, "--project", project)

    lines = out.splitlines()
    assert code == 0
    assert max(map(len, lines)) <= 80
    assert "─" in lines[2]
    monkeypatch.setenv("COLUMNS", "400")
    wide, said = run(verb, "--project", project)[1:]
    left_out = {*wide.splitlines()[1].split()} - {*lines[1].split()}
    assert all(name in err for name in left_out)
    assert "--json" not in said
    assert bool(left_out) is ("--json" in err)


def test_json_has_all_fields(run, project: Path) -> None:
    printed = {verb: json.loads(run(verb, "--project", project, "--json")[1]) for verb in VERBS}

    assert [printed[verb]["schema"] for verb in VERBS] == [f"featurestore.{v}/1" for v in VERBS]
    assert [len(printed[verb][verb]) for verb in VERBS] == [4, 6, 1, 2, 1]
    assert printed["views"]["views"][0]["schedule"] == "0 * * * *"
    assert printed["features"]["features"][0]["services"] == ["fraud"]


def test_the_features_of_one_view_are_listed(run, project: Path) -> None:
    code, out, _ = run("features", "share", "--project", project, "--json")
    wrong, _, message = run("features", "shar", "--project", project)

    assert (code, [each["name"] for each in json.loads(out)["features"]]) == (0, ["share"])
    assert wrong == 2
    assert "'share'" in message


def test_words_are_searched(run, project: Path) -> None:
    code, out, _ = run("search", "amuont", "2h", "--project", project, "--json")
    none, empty, _ = run("search", "zzzz", "--project", project)

    [found] = json.loads(out)["search"]
    assert (code, found["name"], found["view"]) == (0, "amount_sum_2h", "activity")
    assert (none, empty) == (0, "")
    few = run("search", "amount", "--limit", "1", "--project", project, "--json")[1]
    assert len(json.loads(few)["search"]) == 1
    assert run("search", "amount", "--limit", "0", "--project", project)[0] == 2


def test_a_name_is_described_with_lines_to_copy(
    run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    code, out, _ = run("describe", "amount_sum_2h", "--project", project)
    found = json.loads(run("describe", "amount_sum_2h", "--project", project, "--json")[1])

    description = found["describe"]
    assert code == 0
    assert (description["kind"], description["used_by"]) == ("feature", ["fraud", "share"])
    assert all(f"    {line}" in out for line in description["snippets"]["shell"].splitlines())


def test_a_wrong_name_and_one_of_several_things_are_wrong_usage(run, project: Path) -> None:
    code, _, message = run("describe", "activty", "--project", project)

    assert code == 2
    assert "'activity'" in message
    assert run("describe", "share", "--project", project)[0] == 2
    assert run("describe", "share", "--kind", "feature", "--project", project)[0] == 0


def test_nothing_applied_is_wrong_usage(run, tmp_path: Path) -> None:
    new_store(tmp_path, "")

    assert [run(verb, "--project", tmp_path)[0] for verb in VERBS] == [2] * 5
