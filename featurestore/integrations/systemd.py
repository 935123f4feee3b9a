"""A timer and a service for systemd."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from featurestore.integrations.project import ScheduledProject

_SERVICE = """\
# Written by `featurestore schedule export systemd`: write it again after a change of a schedule.
[Unit]
Description=Materialize the views of feature store project {project} that are due

[Service]
Type=oneshot
WorkingDirectory={folder}
{variables}ExecStart={command} --wait
"""
_TIMER = """\
# Written by `featurestore schedule export systemd`: write it again after a change of a schedule.
#
# The timer asks in each hour whether a view is due, and `--due` decides. That takes a second,
# without Java, if none is. A view that failed is tried again in the next hour at the latest.
#
# The schedules of the views, in UTC:
{schedules}
[Unit]
Description=Ask which views of feature store project {project} are due

[Timer]
OnCalendar=*-*-* *:{minutes}:00
Persistent=true

[Install]
WantedBy=timers.target
"""


def systemd_steps(project: ScheduledProject, files: Sequence[Path]) -> list[str]:
    """Return the commands that install the timer for the present user, in place of another."""
    name, units = f"featurestore-{project.name}", "~/.config/systemd/user"
    return [
        f"mkdir -p {units} && cp {shlex.join(map(str, files))} {units}",
        f"systemctl --user daemon-reload && systemctl --user enable --now {name}.timer",
        "loginctl enable-linger  # else the timer stops when you log out",
        f"journalctl --user -u {name}  # what the runs print",
    ]


def systemd_files(project: ScheduledProject) -> dict[str, str]:
    """Return the service and the timer of a project, by the names of their files."""
    name = f"featurestore-{project.name}"
    width = max(len(view.schedule) for view in project.views)
    variables = (f"Environment={_quoted(f'{k}={v}')}\n" for k, v in project.environment.items())
    minutes = project.minutes
    service = _SERVICE.format(
        project=project.name,
        folder=str(project.folder).replace("%", "%%"),
        variables="".join(variables),
        command=" ".join(_quoted(word).replace("$", "$$") for word in project.command),
    )
    timer = _TIMER.format(
        project=project.name,
        schedules="\n".join(f"#   {v.schedule:{width}}  {v.name}" for v in project.views),
        minutes="*" if len(minutes) == 60 else ",".join(f"{minute:02}" for minute in minutes),
    )
    return {f"{name}.service": service, f"{name}.timer": timer}


def _quoted(word: str) -> str:
    """Return a word of a setting of systemd, which knows quotes, backslashes and ``%``."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"' if any(each in word for each in " \t\"'\\") else escaped
