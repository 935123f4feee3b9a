"""The verb `docs build`."""

import json
from pathlib import Path

import pytest

from featurestore.cli import main


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "featurestore.toml").write_text('project = "shop"\n')
    return tmp_path


def build(project: Path, *options: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["docs", "build", "--project", str(project), *options])
    return int(ended.value.code or 0)


def test_it_builds_the_site_in_the_projects_folder(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(project, "--json") == 0

    printed = json.loads(capsys.readouterr().out)["site"]
    assert printed["index"] == str(project / "site" / "index.html")
    assert Path(printed["index"]).is_file()
    assert printed["files"] == sum(path.is_file() for path in (project / "site").rglob("*"))


def test_a_folder_with_other_files_is_wrong_usage(project: Path) -> None:
    assert build(project, "--out", str(project)) == 2

    assert [path.name for path in project.iterdir() if not path.name.startswith(".")] == [
        "featurestore.toml"
    ]


def test_the_other_folder_is_used(project: Path) -> None:
    assert build(project, "--out", str(project / "public")) == 0

    assert not (project / "site").exists()
    assert (project / "public" / "index.html").is_file()
