"""The files for a scheduler, written to a folder."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from featurestore.errors import RequestError
from featurestore.integrations.airflow import airflow_files, airflow_steps
from featurestore.integrations.cron import cron_files, cron_steps
from featurestore.integrations.dagster import dagster_files, dagster_steps
from featurestore.integrations.project import ScheduledProject
from featurestore.integrations.systemd import systemd_files, systemd_steps
from featurestore.store.failures import storage_errors

Scheduler = Literal["cron", "systemd", "airflow", "dagster"]

_Files = Callable[[ScheduledProject], dict[str, str]]
_Steps = Callable[[ScheduledProject, Sequence[Path]], list[str]]

_SCHEDULERS: Mapping[Scheduler, tuple[_Files, _Steps]] = {
    "cron": (cron_files, cron_steps),
    "systemd": (systemd_files, systemd_steps),
    "airflow": (airflow_files, airflow_steps),
    "dagster": (dagster_files, dagster_steps),
}
_MARK = "Written by `featurestore schedule export"


def export(
    scheduler: Scheduler, project: ScheduledProject, folder: Path
) -> tuple[list[Path], list[str]]:
    """Write the files for a scheduler, in place of earlier ones.

    Args:
        scheduler: The program that shall run the jobs.
        project: The scheduled views.
        folder: Where to write; it is created.

    Returns:
        The paths of the files, and the commands that install them.

    Raises:
        RequestError: A file of that name was not written by this function. Nothing is written.
        StorageError: A file cannot be written.
    """
    files_of, steps_of = _SCHEDULERS[scheduler]
    files = {folder.absolute() / name: text for name, text in files_of(project).items()}
    call = f"schedule export {scheduler}"
    with storage_errors(call, str(folder)):
        for path in files:
            if path.exists() and _MARK not in path.read_text("utf-8", errors="replace"):
                raise RequestError(
                    call,
                    f"{path} was not written by this command",
                    "Move it away, or name another folder with --out.",
                )
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, "utf-8")
    return list(files), steps_of(project, list(files))
