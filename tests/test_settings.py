"""The project of a folder: its settings, and where the project is if it is elsewhere."""

from pathlib import Path

import pytest

from featurestore.errors import ProjectError
from featurestore.settings import FILE, OpenLineage, read_settings


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "data" / "orders").mkdir(parents=True)
    (folder / FILE).write_text('project = "shop"\n')
    return folder


def test_a_project_is_opened_by_its_folder_or_its_file(project: Path) -> None:
    assert read_settings(project) == read_settings(project / FILE)
    assert read_settings(project / FILE).folder == project


@pytest.mark.parametrize("folder", [".", "shop/data/orders"])
def test_the_project_around_or_below_a_folder_is_named(project: Path, folder: str) -> None:
    with pytest.raises(ProjectError) as refused:
        read_settings(project.parent / folder)

    assert f"--project {project}" in refused.value.fix


def test_without_any_project_init_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as refused:
        read_settings(tmp_path)

    assert "featurestore init" in refused.value.fix


def test_a_mark_of_the_byte_order_is_no_part_of_the_file(project: Path) -> None:
    (project / FILE).write_text('project = "shop"\n', encoding="utf-8-sig")

    assert read_settings(project).project == "shop"


def test_a_folder_that_the_locale_cannot_decode_is_an_error(tmp_path: Path) -> None:
    # As Python decodes the name of a folder with LC_ALL=C and PYTHONUTF8=0.
    folder = tmp_path / "\udcc3\udc9cber"
    folder.mkdir()
    (folder / FILE).write_text('project = "shop"\n')

    with pytest.raises(ProjectError) as refused:
        read_settings(folder)

    assert "PYTHONUTF8=1" in refused.value.fix


def test_retries_are_settings_with_defaults(project: Path) -> None:
    assert (read_settings(project).retries, read_settings(project).retry_delay) == (2, "30s")

    (project / FILE).write_text('project = "shop"\nretries = 0\nretry_delay = "5m"\n')

    assert (read_settings(project).retries, read_settings(project).retry_delay) == (0, "5m")


@pytest.mark.parametrize(
    "line",
    [
        *("retries = -1", 'retries = "2"', "retries = true", "retries = 1.5"),
        *('retry_delay = "soon"', "retry_delay = 30", 'retry_delay = ""'),
    ],
)
def test_retries_that_are_no_number_and_no_duration_are_refused(project: Path, line: str) -> None:
    (project / FILE).write_text(f'project = "shop"\n{line}\n')

    with pytest.raises(ProjectError) as refused:
        read_settings(project)

    assert line.split()[0] in refused.value.found


def test_a_number_of_small_files_is_a_setting(project: Path) -> None:
    default = read_settings(project).compact_small_files
    (project / FILE).write_text('project = "shop"\ncompact_small_files = 0\n')

    assert (default, read_settings(project).compact_small_files) == (10, 0)


@pytest.mark.parametrize("text", ["true", "-1", "1.5", '"10"'])
def test_a_wrong_number_of_small_files_is_named(project: Path, text: str) -> None:
    (project / FILE).write_text(f'project = "shop"\ncompact_small_files = {text}\n')

    with pytest.raises(ProjectError) as refused:
        read_settings(project)

    assert "compact_small_files" in refused.value.found
    assert "compact_small_files = 10" in refused.value.fix


def test_openlineage_has_a_file_or_a_host(project: Path) -> None:
    assert read_settings(project).openlineage is None

    (project / FILE).write_text('project = "shop"\n[openlineage]\npath = "events.jsonl"\n')
    assert read_settings(project).openlineage == OpenLineage(path="events.jsonl")

    host = 'url = "https://${env:H}"\napi_key = "${env:K}"\ntimeout = "2s"\n'
    (project / FILE).write_text(f'project = "shop"\n[openlineage]\n{host}')
    found = read_settings(project).openlineage
    assert found == OpenLineage(url="https://${env:H}", api_key="${env:K}", timeout="2s")
    assert found.timeout_seconds == 2


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        ("openlineage = true", "openlineage is True"),
        ("[openlineage]", "neither path nor url"),
        ('[openlineage]\npath = "a"\nurl = "b"', "both path and url"),
        ('[openlineage]\npaht = "a"', "'paht'"),
        ("[openlineage]\npath = 1", "path of [openlineage] is 1"),
        ('[openlineage]\npath = "a"\ntimeout = "fast"', "timeout of [openlineage]"),
        ('[openlineage]\npath = "a"\ntimeout = "0s"', "'0s'"),
        ('[openlineage]\nurl = "https://user:hunter2@h"', "contains a credential"),
        ('[openlineage]\nurl = "https://h"\napi_key = "hunter2"', "contains a credential"),
        ('[openlineage]\nurl = "https://${env:A-B}"', "${env:A-B}"),
    ],
)
def test_a_wrong_table_of_openlineage_is_an_error(project: Path, lines: str, part: str) -> None:
    (project / FILE).write_text(f'project = "shop"\n{lines}\n')

    with pytest.raises(ProjectError) as refused:
        read_settings(project)

    assert part in refused.value.found
    assert "hunter2" not in str(refused.value)
    assert refused.value.fix
