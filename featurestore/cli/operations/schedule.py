"""The verb `schedule export`: files for cron, systemd, Airflow and Dagster. It starts no JVM."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from featurestore.cli.group import add_group
from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import print_json, say
from featurestore.times import system_clock


class Scheduler(StrEnum):
    """The program that shall run the jobs."""

    cron = "cron"
    systemd = "systemd"
    airflow = "airflow"
    dagster = "dagster"


def add_verbs(app: typer.Typer) -> None:
    """Add these verbs to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    text = "Write the files with which other programs run the jobs."
    add_group(app, "schedule", text, {"export": export_schedules})


def export_schedules(
    scheduler: Annotated[
        Scheduler, typer.Argument(metavar="SCHEDULER", help="The program that shall run the jobs.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The folder to write to.", show_default="schedules"),
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Write files that run the applied schedules by another program.

    It prints the commands that install them. Earlier files are replaced.
    """
    from featurestore.integrations.export import export
    from featurestore.integrations.project import scheduled_project

    store = open_store(project)
    applied, history = store.applied(), store.history()
    jobs = scheduled_project(store.settings, applied, history[0].applied_at, system_clock())
    folder = store.settings.folder / "schedules" if out is None else out
    paths, steps = export(scheduler.value, jobs, folder)
    for path in paths:
        say("wrote {}", path)
    say("Next:")
    for step in steps:
        say("  {}", step)
    if as_json:
        print_json("export", {"files": [str(path) for path in paths], "next": steps})
