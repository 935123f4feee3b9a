"""The decision which views are due, from the registry and the ledgers only.

The newest run is the one with the greatest sequence number, never the one with the latest time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from featurestore.definitions.model.view import FeatureView
from featurestore.errors import TableError
from featurestore.jobs.schedule.cron import last_tick, next_tick, require_schedules
from featurestore.store.current import CurrentTables
from featurestore.store.ledger.runs import RunRecord

TableState = Literal["current", "never materialized", "building", "changed", "outdated", "damaged"]
Reason = Literal[
    "never materialized",
    "building",
    "changed",
    "outdated",
    "damaged",
    "scheduled",
    "clock went back",
]
"""Why a view is due. ``scheduled``: its schedule has ticked since its last successful run. For
the others see `ViewStatus.state`."""

_NEW_TABLE = ("never materialized", "building", "changed", "outdated")
"""The reasons whose runs end with a new table, so that derived views need one too."""

SUCCESSES = ("done", "nothing")
# They read nothing new of the source, so they cover no tick.
_UNSCHEDULED = ("release", "repair")
# Clocks of several hosts differ by seconds.
_SKEW = timedelta(minutes=1)


@dataclass(frozen=True)
class ViewSchedule:
    """The state of one view that has a schedule.

    Args:
        view: The view's name.
        schedule: Its cron text, in UTC.
        reason: Why it is due. None if it is not.
        due_since: The first tick that no successful run has covered. None if the view is not
            due, or is due for another reason than its schedule.
        late_seconds: The seconds since then.
        next_tick: The first tick after the present moment.
        last_success: The start of its last successful run. None without one.
    """

    view: str
    _: KW_ONLY
    schedule: str
    reason: Reason | None
    due_since: datetime | None = None
    late_seconds: int | None = None
    next_tick: datetime
    last_success: datetime | None = None

    @property
    def is_due(self) -> bool:
        """Whether `materialize --due` runs the view."""
        return self.reason is not None


def schedules(
    views: Sequence[FeatureView], tables: CurrentTables, runs: Sequence[RunRecord], now: datetime
) -> list[ViewSchedule]:
    """Return the state of each view that has a schedule, each after the views it derives from.

    A run covers all ticks until its start: it reads all rows that the source has by then. A view
    is due until a run succeeds, however often runs fail.

    Args:
        views: The applied views.
        tables: Their current tables.
        runs: The recorded runs, in the order of their sequence.
        now: The present moment.

    Raises:
        TableError: A schedule is no cron text: the registry was changed.
    """
    require_schedules(views)
    states: dict[str, ViewSchedule] = {}
    for view in sorted(views, key=lambda view: len(view.lineage)):
        if view.schedule is None:
            continue
        state = _view_schedule(view, tables, runs, now)
        upstream = states.get(view.source.name) if view.lineage else None
        if state.reason in (None, "scheduled") and upstream and upstream.reason in _NEW_TABLE:
            state = replace(state, reason="outdated", due_since=None, late_seconds=None)
        states[view.name] = state
    return list(states.values())


def _view_schedule(
    view: FeatureView, tables: CurrentTables, runs: Sequence[RunRecord], now: datetime
) -> ViewSchedule:
    schedule = str(view.schedule)
    success = last_success(run for run in runs if run.view == view.name)
    began = None if success is None else success.started_at
    reason = _reason(schedule, _table_state(view, tables), began, now)
    since = next_tick(schedule, began) if began is not None and reason == "scheduled" else None
    return ViewSchedule(
        view.name,
        schedule=schedule,
        reason=reason,
        due_since=since,
        late_seconds=None if since is None else int((now - since).total_seconds()),
        next_tick=next_tick(schedule, now),
        last_success=began,
    )


def _table_state(view: FeatureView, tables: CurrentTables) -> TableState:
    try:
        return tables.of(view).state
    except TableError:  # its run fails with this error; the other views are decided all the same
        return "damaged"


def last_success(runs: Iterable[RunRecord]) -> RunRecord | None:
    """Return the last run that succeeded; None without one. A release reads no source.

    Example:
        >>> last_success([]) is None
        True
    """
    succeeded = (
        run
        for run in reversed([*runs])
        if run.status in SUCCESSES and run.kind not in _UNSCHEDULED
    )
    return next(succeeded, None)


def _reason(
    schedule: str, table: TableState, began: datetime | None, now: datetime
) -> Reason | None:
    if table != "current":
        return table
    if began is None:  # the ledger of runs is lost: the next run rebuilds it
        return "never materialized"
    if began > now + _SKEW:
        return "clock went back"
    return "scheduled" if began < last_tick(schedule, now) else None
