"""`featurestore init`: the project's name, the empty project, and paths that cannot be written."""

import sys
import tomllib
from pathlib import Path

import pytest

import featurestore as fs


def project_of(folder: Path) -> str:
    return str(tomllib.loads((folder / "featurestore.toml").read_text())["project"])


@pytest.mark.parametrize(
    ("name", "project"),
    [
        ("shop_two", "shop_two"),
        ("my shop", "my_shop"),
        ("a-1", "a-1"),
        ("été", "t"),
        ("日本", "shop"),
    ],
)
def test_the_project_has_the_folders_name(run, tmp_path, name, project):
    assert run("init", tmp_path / name)[0] == 0

    assert project_of(tmp_path / name) == project
    assert fs.FeatureStore(tmp_path / name).load().services[0].name == "returns_v1"


@pytest.mark.parametrize("has_pandera", [False, True])
def test_the_example_has_schedules_and_expectations_that_one_line_turns_on(
    run, tmp_path, monkeypatch, has_pandera
):
    run("init", tmp_path / "shop")
    definitions = tmp_path / "shop" / "feature_defs" / "shop.py"
    if has_pandera:
        text = definitions.read_text()
        definitions.write_text(text.replace("# expectations=", "expectations="))
        assert definitions.read_text() != text
    else:
        monkeypatch.setitem(sys.modules, "pandera", None)
        monkeypatch.setitem(sys.modules, "pandera.polars", None)

    assert run("apply", "--yes", "-p", tmp_path / "shop")[0] == 0

    applied = fs.FeatureStore(tmp_path / "shop").applied()
    assert {view.schedule for view in applied.views} == {"0 * * * *"}
    declared = [view.expectations for view in applied.views if view.expectations is not None]
    names = [check.name for expectations in declared for check in expectations.checks]
    assert names == (["amount:not_null", "amount:in_range"] if has_pandera else [])


def test_the_current_folder_names_the_project_too(run, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")

    run("init")

    assert project_of(tmp_path / "mine") == "mine"


def test_an_empty_project_has_no_definitions_and_keeps_what_is_there(run, tmp_path):
    (tmp_path / ".gitignore").write_text("mine")
    (tmp_path / "README.md").write_text("mine")

    code, _, err = run("init", "--empty", tmp_path)

    assert code == 0
    assert "plan" in err.splitlines()[-1]
    assert [(tmp_path / name).read_text() for name in (".gitignore", "README.md")] == ["mine"] * 2
    assert fs.FeatureStore(tmp_path).load().definitions == ()
    assert fs.FeatureStore(tmp_path).plan().is_empty
    assert not (tmp_path / "data").exists()
    assert run("init", "--empty", tmp_path)[0] == 2


def test_a_folder_with_a_file_of_the_example_leads_to_the_empty_project(run, tmp_path):
    (tmp_path / "README.md").write_text("mine")

    code, _, err = run("init", tmp_path)

    assert (code, "--empty" in err) == (2, True)
    assert [each.name for each in tmp_path.iterdir()] == ["README.md"]


@pytest.mark.parametrize("options", [(), ("--empty",)])
def test_a_path_below_a_file_is_an_error_that_names_it(run, tmp_path, options):
    (tmp_path / "file").write_text("")

    code, out, err = run("init", tmp_path / "file" / "shop", *options)

    assert (code, out) == (2, "")
    assert str(tmp_path / "file") in err.replace("\n", "")
    assert "Traceback" not in err


def test_the_definitions_that_the_empty_project_shows_load(tmp_path, run):
    run("init", "--empty", tmp_path)
    file = tmp_path / "feature_defs" / "definitions.py"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(line.removeprefix("    ") for line in lines if line[:4] == "    "))

    assert [view.name for view in fs.FeatureStore(tmp_path).load().views] == ["activity"]


@pytest.mark.parametrize("options", [(), ("--empty",)])
def test_a_url_is_no_projects_folder(run, tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)

    code, out, err = run("init", "s3://key:CANARY@bucket/shop", *options)

    assert (code, out) == (2, "")
    assert "CANARY" not in err
    assert list(tmp_path.iterdir()) == []
