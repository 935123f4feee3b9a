"""How far a view that is materialized continuously is behind its source, seen without Java."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from featurestore.definitions.model.source import DeltaSource, KafkaSource, StoredSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.file_log import unread_files
from featurestore.engines.spark.source.offsets import (
    SeenFile,
    last_ended_batch,
    resume_version,
    seen_files,
    source_offset,
)
from featurestore.errors import FeatureStoreError
from featurestore.jobs.continuous.news import reading
from featurestore.jobs.continuous.state import ContinuousState, find_state, read_state
from featurestore.jobs.materialize.upstream import Upstream
from featurestore.store.delta.commit_files import changes_table, commit_actions
from featurestore.store.delta.log import latest_version
from featurestore.store.layout import Layout
from featurestore.store.ledger.files import Files
from featurestore.store.ledger.runs import RunRecord
from featurestore.store.ledger.tables import TableRecord
from featurestore.store.source_files import FilePath
from featurestore.times import from_micros

# To read more commits than these takes longer than people wait.
_MOST_COMMITS = 1000
# The runs that read what is new in a source, and how they end if nothing is wrong.
_READING = ("run", "build")
_SUCCESSES = ("done", "nothing")

Unit = Literal["versions", "files", "messages"]


@dataclass(frozen=True)
class Backlog:
    """What a source has and a view does not have yet.

    Args:
        unit: What is counted: versions of a table that changed its rows, files, or messages.
        count: Their number.
        size: The size of their files, in bytes; None if it is not known.
        oldest_at: The moment when the oldest of them came; None if there is none, or if it is
            not known.
        is_more: Whether there may be more: so many are counted at most.
    """

    unit: Unit
    count: int
    size: int | None = None
    oldest_at: datetime | None = None
    is_more: bool = False


@dataclass(frozen=True)
class UpstreamBacklog:
    """What a view that another one is derived from does not have yet.

    Args:
        view: Its name.
        backlog: How far it is behind its source; None if that cannot be seen.
    """

    view: str
    backlog: Backlog | None


@dataclass(frozen=True)
class Continuous:
    """The continuous materialization of a view.

    Args:
        state: What its process says, or said last.
        backlog: How far the view is behind its source; None if that cannot be seen.
        lag_seconds: The age of the oldest row that its source has and the view does not have, or
            that a view which it is derived from does not have; 0 without a backlog, None if it is
            not known.
        upstream: The views that it is derived from, the nearest first, as far as they are behind,
            or may be. A snapshot view is not among them: it reads its whole source at each run.
        is_running: Whether the process runs. False if it has died: it was killed, or its machine
            stopped.
    """

    state: ContinuousState
    backlog: Backlog | None = None
    lag_seconds: float | None = None
    upstream: tuple[UpstreamBacklog, ...] = ()
    is_running: bool = True


def continuous_of(
    layout: Layout,
    view: FeatureView,
    records: Sequence[TableRecord],
    now: datetime,
    require_known: Callable[[StoredSource], None] = lambda source: None,
    runs: Sequence[RunRecord] = (),
) -> Continuous | None:
    """Return the continuous materialization of a view; None if no process does so, or did last.

    None also for a process that has died if another one has brought the view up to date since.

    Args:
        layout: The addresses of the tables.
        view: The view.
        records: The records of all builds.
        now: The present moment.
        require_known: Raises a FeatureStoreError for a source that must not be looked at. Then
            the backlog is not known.
        runs: The records of runs.
    """
    found = find_state(layout, view.name)
    if found is None or (not found.is_running and _has_run_since(found.state, runs)):
        return None
    unknown = Continuous(found.state, is_running=found.is_running)
    # A snapshot view has no position in its source, which it reads whole at each run.
    views = (view, *(each for each in view.lineage if not each.snapshot))
    try:
        for each in views:
            if isinstance(each.source, StoredSource):
                require_known(each.source)
        own, *above = (_backlog(layout, each, records) for each in views)
    # Of a table or a log that cannot be read: the run says what is wrong with it.
    except (FeatureStoreError, OSError, ValueError, LookupError, TypeError):
        return unknown
    upstream = tuple(
        UpstreamBacklog(each.name, backlog)
        for each, backlog in zip(views[1:], above, strict=True)
        if _may_lag(backlog)
    )
    lag = _lag([own, *above], now)
    return replace(unknown, backlog=own, lag_seconds=lag, upstream=upstream)


def _has_run_since(state: ContinuousState, runs: Sequence[RunRecord]) -> bool:
    """Return whether a run has read the view's source after the last success of a process."""
    return any(
        run.started_at > state.seen_at
        for run in runs
        if run.view == state.view and run.kind in _READING and run.status in _SUCCESSES
    )


def _lag(backlogs: Sequence[Backlog | None], now: datetime) -> float | None:
    """Return the age of the oldest row that is behind; None if it is not known."""
    oldest = [None if each is None else each.oldest_at for each in backlogs if _may_lag(each)]
    known = [moment for moment in oldest if moment is not None]
    if len(known) < len(oldest):
        return None
    return max([0.0, *((now - moment).total_seconds() for moment in known)])


def _may_lag(backlog: Backlog | None) -> bool:
    return backlog is None or backlog.count > 0


def _backlog(layout: Layout, view: FeatureView, records: Sequence[TableRecord]) -> Backlog | None:
    if isinstance(view.source, KafkaSource):
        return _messages(read_state(layout, view.name))
    upstream = reading(layout, view, records)
    builds = {record.state: record for record in records if record.view == view.name}
    table = builds.get("current", builds.get("building"))
    if upstream is None or table is None:
        return None
    checkpoint = layout.checkpoint(table.table_id, table.generation)
    if isinstance(upstream.source, DeltaSource):
        return _versions(upstream, checkpoint)
    seen = seen_files(checkpoint)
    if not seen and Files(layout).records(table.table_id):
        return None  # its checkpoint is gone: the next run says what that means
    return _files(upstream, seen)


def _messages(state: ContinuousState | None) -> Backlog | None:
    if state is None or state.backlog is None:
        return None
    since, is_more = state.backlog_since, state.backlog_is_more
    return Backlog("messages", state.backlog, oldest_at=since, is_more=is_more)


def _versions(upstream: Upstream, checkpoint: str) -> Backlog | None:
    first = resume_version(source_offset(checkpoint, last_ended_batch(checkpoint)))
    newest = latest_version(upstream.uri)
    if first is None or newest is None or newest - first >= _MOST_COMMITS:
        return None
    found = (commit_actions(upstream.uri, version) for version in range(first, newest + 1))
    new = [actions for actions in found if actions is not None and changes_table(actions)]
    added = [action["add"] for actions in new for action in actions if "add" in action]
    moments = [
        action["commitInfo"]["timestamp"]
        for actions in new
        for action in actions
        if "commitInfo" in action
    ]
    return Backlog(
        "versions",
        len(new),
        size=sum(int(add.get("size", 0)) for add in added),
        oldest_at=from_micros(min(moments) * 1000) if moments else None,
    )


def _files(upstream: Upstream, seen: Sequence[SeenFile]) -> Backlog:
    new = unread_files(FilePath(upstream.uri), seen)
    oldest = min((file.modified_at for file in new), default=None)
    return Backlog(
        "files",
        len(new),
        size=sum(file.size for file in new),
        oldest_at=None if oldest is None else from_micros(oldest).astimezone(UTC),
    )
