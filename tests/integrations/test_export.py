"""The files for schedulers: what is in them, and that each program reads them."""

import ast
import json
import os
import shlex
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from featurestore.definitions.model.expectations import DeclaredCheck, DeclaredExpectations
from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import RequestError
from featurestore.integrations.airflow import airflow_files
from featurestore.integrations.cron import cron_files, minute_field
from featurestore.integrations.dagster import dagster_files, longest_gap
from featurestore.integrations.export import export
from featurestore.integrations.project import ScheduledProject, scheduled_project
from featurestore.integrations.systemd import systemd_files
from featurestore.settings import Settings
from tests.jobs.world import SPENDING, other

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
HOURLY = other(SPENDING, schedule="@hourly", description='the "sum" of \\ all\n$payments')
BY_DAY = other(SPENDING, name="by_day", source=HOURLY, schedule="0 * * * *")
NIGHTLY = other(SPENDING, name="nightly", source=BY_DAY, schedule="30 3 * * mon-fri")


@pytest.fixture
def project(tmp_path: Path) -> ScheduledProject:
    manifest = Manifest.of([HOURLY, BY_DAY, NIGHTLY, other(SPENDING, name="by_hand")])
    settings = Settings(tmp_path / "my shop 50%", project="my-shop")
    made = scheduled_project(settings, manifest, NEW_YEAR, NEW_YEAR)
    return replace(made, utc_offset=timedelta(), variables={"JAVA_HOME": "/opt/java 17"}, path="")


def test_the_scheduled_views_come_after_those_that_they_derive_from(
    project: ScheduledProject,
) -> None:
    assert [(v.name, v.schedule, v.upstream) for v in project.views] == [
        ("spending", "0 * * * *", None),
        ("by_day", "0 * * * *", "spending"),
        ("nightly", "30 3 * * mon-fri", "by_day"),
    ]
    assert project.group_of == {"spending": "spending", "by_day": "spending", "nightly": "nightly"}
    assert project.program.is_file()


def test_the_nearest_scheduled_view_is_the_upstream_of_a_job() -> None:
    manual = replace(BY_DAY, schedule=None)
    manifest = Manifest.of([HOURLY, manual, replace(NIGHTLY, source=manual)])

    made = scheduled_project(Settings(Path("p"), project="p"), manifest, NEW_YEAR, NEW_YEAR)

    assert [(view.name, view.upstream) for view in made.views] == [
        ("spending", None),
        ("nightly", "spending"),
    ]


def test_cron_and_systemd_get_the_path_and_all_get_the_caches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/opt/java 17/bin:/no/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("FEATURESTORE_CACHE", raising=False)
    settings = Settings(Path("p"), project="p")

    made = scheduled_project(settings, Manifest.of([HOURLY]), NEW_YEAR, NEW_YEAR)

    [crontab], units = cron_files(made).values(), systemd_files(made)
    path, cache = "/opt/java 17/bin:/no/bin", "XDG_CACHE_HOME=/var/cache/me"
    assert made.variables == {"XDG_CACHE_HOME": "/var/cache/me"}
    assert f" {cache} PATH='{path}' " in crontab
    assert f'Environment={cache}\nEnvironment="PATH={path}"\n' in units["featurestore-p.service"]
    for files in (airflow_files(made), dagster_files(made)):
        [module] = files.values()
        assert 'ENVIRONMENT = {"XDG_CACHE_HOME": "/var/cache/me"}\n' in module


def test_the_java_of_path_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"17.0.1\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(java.parent))

    made = scheduled_project(
        Settings(Path("p"), project="p"), Manifest.of([HOURLY]), NEW_YEAR, NEW_YEAR
    )

    assert made.variables["JAVA_HOME"] == str(tmp_path)


@pytest.mark.parametrize("word", ["it's", 'a "b"', "a b", "plain", "back\\slash"])
def test_systemd_reads_each_variable_as_one_word(project: ScheduledProject, word: str) -> None:
    odd = replace(project, variables={"JAVA_HOME": word})

    service = systemd_files(odd)["featurestore-my-shop.service"]

    [line] = [line for line in service.splitlines() if line.startswith("Environment=")]
    assert shlex.split(line.removeprefix("Environment=")) == [f"JAVA_HOME={word}"]


def test_the_timer_of_a_user_goes_on_after_the_logout(
    project: ScheduledProject, tmp_path: Path
) -> None:
    _, steps = export("systemd", project, tmp_path)

    assert any(step.startswith("loginctl enable-linger") for step in steps)


def test_without_a_schedule_there_is_nothing_to_export() -> None:
    settings = Settings(Path("p"), project="p")

    with pytest.raises(RequestError) as refused:
        scheduled_project(settings, Manifest.of([SPENDING]), NEW_YEAR, NEW_YEAR)

    assert "schedule=" in refused.value.fix


@pytest.mark.parametrize(
    ("offset", "minutes"),
    [(0, (0, 30)), (9 * 60, (0, 30)), (5 * 60 + 45, (15, 45)), (-3 * 60 - 30, (0, 30))],
)
def test_cron_asks_at_the_minutes_of_the_ticks_in_local_time(
    project: ScheduledProject, offset: int, minutes: tuple[int, ...]
) -> None:
    local = replace(project, utc_offset=timedelta(minutes=offset))

    assert local.minutes == minutes
    [text] = cron_files(local).values()
    assert f"\n{minute_field(minutes)} * * * * cd " in text


def test_a_minute_field_is_as_short_as_it_can_be() -> None:
    found = [
        minute_field(each) for each in ((5,), (0,), (0, 30), (10, 40), tuple(range(0, 60, 7)))
    ]

    assert found == ["5", "0", "*/30", "10,40", "0,7,14,21,28,35,42,49,56"]


@pytest.mark.parametrize("path", ["shop", "my shop 50%", "it's", 'a "b"', "$HOME", "über"])
def test_the_line_of_cron_runs_the_program_in_the_projects_folder(
    project: ScheduledProject, tmp_path: Path, path: str
) -> None:
    folder = tmp_path / path
    folder.mkdir()
    local = replace(project, folder=folder, program=Path("/bin/echo"))
    [text] = cron_files(local).values()
    [line] = [line for line in text.splitlines() if not line.startswith("#")]
    command = line.removeprefix("*/30 * * * * ").replace(r"\%", "%")  # as cron reads it

    subprocess.run(["/bin/sh", "-c", command], check=True, cwd="/", env={})

    assert (folder / ".featurestore" / "schedule.log").read_text() == "materialize --due\n"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_units(project: ScheduledProject, tmp_path: Path) -> None:
    project.folder.mkdir()
    paths = export("systemd", project, tmp_path / "units")[0]

    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    service, timer = (path.read_text("utf-8") for path in paths)
    assert f"WorkingDirectory={tmp_path}/my shop 50%%\n" in service
    assert 'Environment="JAVA_HOME=/opt/java 17"\n' in service
    assert service.endswith(" materialize --due --wait\n")
    assert "OnCalendar=*-*-* *:00,30:00\n" in timer


def test_every_minute_is_a_star_for_systemd(project: ScheduledProject) -> None:
    each = replace(project, views=(replace(project.views[0], schedule="* * * * *"),))

    timer = systemd_files(each)["featurestore-my-shop.timer"]

    assert "OnCalendar=*-*-* *:*:00\n" in timer


def literals(text: str, name: str) -> list[tuple[object, ...]]:
    """Return the arguments of the calls of a function in a module, all of which are literals."""
    calls = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name
    ]
    return [tuple(ast.literal_eval(argument) for argument in call.args) for call in calls]


def test_a_dag_has_the_views_of_one_schedule_and_lineage(project: ScheduledProject) -> None:
    [(name, text)] = airflow_files(project).items()

    assert name == "featurestore_my-shop.py"
    description = 'the "sum" of \\ all $payments'
    assert literals(text, "dag") == [
        ("spending", "0 * * * *", [("spending", None, description), ("by_day", "spending", "")]),
        ("nightly", "30 3 * * mon-fri", [("nightly", "by_day", "")]),
    ]


def test_a_dagster_job_has_the_views_of_one_schedule_and_lineage(
    project: ScheduledProject,
) -> None:
    [text] = dagster_files(project).values()

    assert [call[:5] for call in literals(text, "view_asset")] == [
        ("spending", "0 * * * *", "2025-12-31T23:00", None, 3_600),
        ("by_day", "0 * * * *", "2025-12-31T23:00", "spending", 3_600),
        ("nightly", "30 3 * * mon-fri", "2025-12-30T03:30", "by_day", 259_200),
    ]
    assert literals(text, "view_schedule") == [
        ("spending", ["spending", "by_day"]),
        ("nightly", ["nightly"]),
    ]


def keywords(text: str, name: str) -> dict[str | None, str]:
    """Return the keyword arguments of the only call of a function in a module, as code."""
    [call] = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name
    ]
    return {each.arg: ast.unparse(each.value) for each in call.keywords}


def test_exported_schedules_run_without_somebody_who_starts_them(
    project: ScheduledProject,
) -> None:
    [dags], [definitions] = airflow_files(project).values(), dagster_files(project).values()

    assert keywords(dags, "DAG")["is_paused_upon_creation"] == "False"
    options = keywords(definitions, "dg.build_schedule_from_partitioned_job")
    assert options == {"default_status": "dg.DefaultScheduleStatus.RUNNING"}


def test_each_check_of_a_view_is_a_check_of_its_dagster_asset(project: ScheduledProject) -> None:
    declared = DeclaredExpectations(
        (
            DeclaredCheck("amount:le", "le(5)", severity="fail"),
            DeclaredCheck("amount:le_2", "le(6)", severity="warn"),
            DeclaredCheck("amount_le", "amount_le"),
        )
    )
    view = other(HOURLY, expectations=declared)
    made = scheduled_project(
        Settings(Path("p"), project="p"), Manifest.of([view]), NEW_YEAR, NEW_YEAR
    )
    [text] = dagster_files(made).values()

    [call] = literals(text, "view_asset")

    assert call[5] == [
        *((name, name, "drop") for name in ("null_key", "null_time", "time_out_of_range")),
        ("amount_le", "amount:le", "fail"),
        ("amount_le_2", "amount:le_2", "warn"),
        ("amount_le_3", "amount_le", "drop"),
    ]
    options = keywords(text, "dg.AssetCheckResult")
    assert (options["check_name"], options["passed"]) == ("name", "check not in failures")


@pytest.mark.parametrize("variables", [{}, {"AIRFLOW_HOME": "flow"}], ids=["unset", "set"])
def test_the_command_for_airflow_copies_the_dags(
    project: ScheduledProject, tmp_path: Path, variables: dict[str, str]
) -> None:
    environment = {name: str(tmp_path / value) for name, value in variables.items()}
    environment |= {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    [file], [command] = export("airflow", project, tmp_path / "my schedules")

    subprocess.run(["/bin/sh", "-c", command], check=True, cwd="/", env=environment)

    folder = environment.get("AIRFLOW_HOME", str(tmp_path / "home" / "airflow"))
    assert Path(folder, "dags", file.name).read_text("utf-8") == file.read_text("utf-8")


def test_the_longest_time_between_ticks_is_found_in_a_year() -> None:
    assert longest_gap("@monthly", NEW_YEAR) == timedelta(days=31)
    assert longest_gap("0 0 29 2 *", NEW_YEAR) == timedelta(days=1461)


def test_no_value_becomes_code(project: ScheduledProject) -> None:
    text = 'x"\'\n"""); import os; os.abort()  # ${HOME} {x} %d \\'
    hostile = replace(
        project,
        folder=Path(f"/{text}"),
        variables={"JAVA_HOME": text},
        views=tuple(replace(view, description=text) for view in project.views),
    )

    for files in (airflow_files(hostile), dagster_files(hostile)):
        [module] = files.values()
        names: dict[str, object] = {}
        for line in module.splitlines():
            if line.startswith(("PROJECT =", "ENVIRONMENT =")):
                exec(line, names)
        assert (names["PROJECT"], names["ENVIRONMENT"]) == (f"/{text}", {"JAVA_HOME": text})
        rows = literals(module, "view_asset")
        rows += [row for dag in literals(module, "dag") for row in dag[2]]  # type: ignore[attr-defined]  # a list
        assert [row[-1] for row in rows] == [text] * 3


def test_a_file_of_somebody_else_is_not_replaced(
    project: ScheduledProject, tmp_path: Path
) -> None:
    mine = tmp_path / "featurestore-my-shop.timer"
    mine.write_text("mine")

    with pytest.raises(RequestError) as refused:
        export("systemd", project, tmp_path)

    assert str(mine) in refused.value.found
    assert [mine.read_text(), len(list(tmp_path.glob("*.service")))] == ["mine", 0]
    export("cron", project, tmp_path)
    assert len(export("cron", project, tmp_path)[0]) == 1


def test_the_command_prints_what_to_do_next(run, tmp_path: Path) -> None:
    from featurestore.cli.template import write_project  # noqa: PLC0415 - only here

    write_project(tmp_path / "shop")
    path = tmp_path / "shop" / "feature_defs" / "shop.py"
    path.write_text(path.read_text().replace("0 * * * *", "@daily"))
    assert run("schedule", "export", "cron", "-p", tmp_path / "shop")[0] == 2  # nothing applied
    run("apply", "-p", tmp_path / "shop", "--yes")

    code, out, err = run("schedule", "export", "cron", "-p", tmp_path / "shop", "--json")

    exported = json.loads(out)["export"]
    assert (code, exported["files"]) == (0, [str(tmp_path / "shop/schedules/shop.crontab")])
    assert exported["next"][0] in err.replace("\n", "")
    assert run("schedule", "export", "jenkins", "-p", tmp_path / "shop")[0] == 2
