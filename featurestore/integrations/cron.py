"""A crontab with one line, which asks at each minute when a view may be due."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from featurestore.integrations.project import ScheduledProject

_TEXT = """\
# featurestore {project}: begin
# Written by `featurestore schedule export cron`: write it again after a change of a schedule.
#
# The schedules of the views are in UTC, but cron uses the local time of the host. So this line
# asks in each hour whether a view is due, and `--due` decides. That takes a second, without Java,
# if none is. A view that failed is tried again in the next hour at the latest.
#
{schedules}
#
{minutes} * * * * {command}
# featurestore {project}: end
"""


def cron_steps(project: ScheduledProject, files: Sequence[Path]) -> list[str]:
    """Return the commands that install the crontab, or replace an earlier one."""
    begin, end = (f"^# featurestore {project.name}: {name}$" for name in ("begin", "end"))
    others = f"crontab -l 2>/dev/null | sed '/{begin}/,/{end}/d'"
    return [f"({others}; cat {shlex.quote(str(files[0]))}) | crontab -"]


def cron_files(project: ScheduledProject) -> dict[str, str]:
    """Return the crontab of a project, by the name of its file."""
    name = f"{project.name}.crontab"
    width = max(len(view.schedule) for view in project.views)
    text = _TEXT.format(
        project=project.name,
        schedules="\n".join(f"#   {v.schedule:{width}}  {v.name}" for v in project.views),
        minutes=minute_field(project.minutes),
        command=_command(project),
    )
    return {name: text}


def minute_field(minutes: tuple[int, ...]) -> str:
    """Return the first field of a cron text, as short as it can be.

    Example:
        >>> minute_field((0, 15, 30, 45)), minute_field((0, 10)), minute_field(tuple(range(60)))
        ('*/15', '0,10', '*')
    """
    step = 60 // len(minutes)
    if minutes == tuple(range(0, 60, step)) and len(minutes) > 1:
        return "*" if step == 1 else f"*/{step}"
    return ",".join(map(str, minutes))


def _command(project: ScheduledProject) -> str:
    folder = shlex.quote(str(project.folder))
    variables = (f"{name}={shlex.quote(value)} " for name, value in project.environment.items())
    program = shlex.join(project.command)
    log = ".featurestore/schedule.log"
    line = f"cd {folder} && mkdir -p .featurestore && {''.join(variables)}{program} >>{log} 2>&1"
    return line.replace("%", r"\%")  # cron makes a line break of %
