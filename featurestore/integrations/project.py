"""The scheduled views of a project, as the files for schedulers need them."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from featurestore.definitions.code.expectations import declared_expectations
from featurestore.definitions.model.expectations import Severity
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import KafkaSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.session.java import find_java
from featurestore.environments import VARIABLE
from featurestore.errors import RequestError, SetupError
from featurestore.jobs.schedule.cron import five_fields, require_schedules, values
from featurestore.settings import Settings
from featurestore.store.quarantine import OWN_REASONS, UNREADABLE_MESSAGE

# What a program needs that a scheduler starts with an empty environment.
_VARIABLES = ("JAVA_HOME", "FEATURESTORE_CACHE", "XDG_CACHE_HOME")


@dataclass(frozen=True)
class ScheduledView:
    """A view with a schedule.

    Args:
        name: Its name.
        schedule: Its five fields of cron, in UTC.
        upstream: The nearest scheduled view that it derives from. None without one.
        description: Its description.
        checks: The names of the checks that each row must pass, those of every view first. Each
            has its severity.
    """

    name: str
    _: KW_ONLY
    schedule: str
    upstream: str | None = None
    description: str = ""
    checks: tuple[tuple[str, Severity], ...] = ()


@dataclass(frozen=True)
class ScheduledProject:
    """A project with scheduled views.

    Args:
        name: Its name; with that of the environment after ``-``, if it has one.
        folder: Its folder, as an absolute path.
        program: The program ``featurestore``, as an absolute path.
        variables: The environment variables that the program needs.
        path: Where programs are, such as Java; for schedulers that have a short PATH.
        since: The time when definitions were applied for the first time.
        utc_offset: What the local time of this host is ahead of UTC.
        retries: How often a failed run is tried again.
        retry_seconds: The seconds before the first retry.
        views: The views, each after the view that it derives from.
    """

    name: str
    _: KW_ONLY
    folder: Path
    program: Path
    variables: Mapping[str, str]
    path: str = ""
    since: datetime
    utc_offset: timedelta
    retries: int
    retry_seconds: float
    views: tuple[ScheduledView, ...]

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables, and PATH if there is one."""
        return {**self.variables, **({"PATH": self.path} if self.path else {})}

    @property
    def command(self) -> tuple[str, ...]:
        """The command that runs what is due."""
        return str(self.program), "materialize", "--due"

    @property
    def minutes(self) -> tuple[int, ...]:
        """The minutes of the hour, in local time, at which a schedule may tick; all are sorted."""
        ticks = {minute for view in self.views for minute in values(view.schedule)[0] or range(60)}
        ahead = int(self.utc_offset.total_seconds()) // 60
        return tuple(sorted((minute + ahead) % 60 for minute in ticks))

    @property
    def group_of(self) -> dict[str, str]:
        """For each view the view whose job it belongs to: an upstream view of equal schedule."""
        groups: dict[str, str] = {}
        schedules = {view.name: view.schedule for view in self.views}
        for view in self.views:
            joins = view.upstream is not None and schedules[view.upstream] == view.schedule
            groups[view.name] = groups[view.upstream] if joins and view.upstream else view.name
        return groups


def scheduled_project(
    settings: Settings, applied: Manifest, since: datetime, now: datetime
) -> ScheduledProject:
    """Return a project's scheduled views, and how its program is started on this host.

    Args:
        settings: The project's settings.
        applied: The applied definitions.
        since: The time when definitions were applied for the first time.
        now: The present moment, for this host's offset from UTC.

    Raises:
        RequestError: No view has a schedule.
    """
    views = sorted(applied.views, key=lambda view: (len(view.lineage), view.name))
    scheduled = tuple(_scheduled(view) for view in views if view.schedule is not None)
    require_schedules(views)
    if not scheduled:
        raise RequestError(
            "schedule export",
            "no applied view has a schedule",
            "Add schedule='*/15 * * * *' to a view, and run `featurestore apply`.",
        )
    environment = settings.environment
    return ScheduledProject(
        settings.full_name,
        folder=settings.folder.absolute(),
        program=_program(),
        variables=_variables() | ({VARIABLE: environment} if environment else {}),
        path=os.environ.get("PATH", ""),
        since=since,
        utc_offset=now.astimezone().utcoffset() or timedelta(),
        retries=settings.retries,
        retry_seconds=settings.retry_seconds,
        views=scheduled,
    )


def _variables() -> dict[str, str]:
    """Return the variables that the program needs, and where Java is if only PATH says so."""
    variables = {each: os.environ[each] for each in _VARIABLES if os.environ.get(each)}
    try:
        return {"JAVA_HOME": str(find_java().home), **variables}
    except SetupError:  # this host may export for another one
        return variables


def _program() -> Path:
    """Return the program of this environment; else the one on PATH, such as that of pipx."""
    beside = Path(sys.executable).with_name("featurestore")
    return beside if beside.is_file() else Path(shutil.which("featurestore") or beside)


def _scheduled(view: FeatureView) -> ScheduledView:
    upstream = next((each.name for each in view.lineage if each.schedule is not None), None)
    return ScheduledView(
        view.name,
        schedule=five_fields(str(view.schedule)),
        upstream=upstream,
        description=" ".join(view.description.split()),
        checks=(*((name, "drop") for name in _own_reasons(view)), *_checks(view)),
    )


def _own_reasons(view: FeatureView) -> Iterator[str]:
    has_messages = isinstance(view.source, KafkaSource)
    return (name for name in OWN_REASONS if has_messages or name != UNREADABLE_MESSAGE)


def _checks(view: FeatureView) -> Iterator[tuple[str, Severity]]:
    expectations = declared_expectations(view)
    for check in () if expectations is None else expectations.checks:
        yield check.name, check.severity
