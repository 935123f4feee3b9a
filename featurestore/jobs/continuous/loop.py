"""The loop of a continuous materialization: at each trigger, a run of each view with new rows.

A batch is an ordinary run, with its lock, its decision from evidence, its commit, its quarantine
and its record. So it holds what runs hold: whatever the process dies of, the next one goes on
without losing or doubling a row.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime
from threading import Event

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.messages import MOST_COUNTED, Behind
from featurestore.errors import RequestError, StorageError
from featurestore.jobs.continuous.failing import (
    Failing,
    after_failure,
    is_given_up,
    wait_seconds,
    waits,
)
from featurestore.jobs.continuous.idle import idle_views
from featurestore.jobs.continuous.news import views_with_news
from featurestore.jobs.continuous.old_runs import EVERY_BATCHES, sum_up_old_runs
from featurestore.jobs.continuous.state import (
    ContinuousState,
    continuous_lock,
    new_state,
    write_state,
)
from featurestore.jobs.materialize.job import Job, Request, RunResult, new_run_id
from featurestore.jobs.materialize.lock import view_locks
from featurestore.jobs.materialize.order import run_with_spark
from featurestore.jobs.materialize.progress import (
    ENDS,
    Progress,
    ProgressEvent,
    ignore_progress,
    logging_errors,
)
from featurestore.jobs.materialize.start import loaded_views, releasing, selected_names
from featurestore.query.selection import Selection, selection_text
from featurestore.store.failures import storage_errors

_SUCCESSES = ("done", "nothing")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How often things happen.

    Args:
        trigger: The seconds from the start of a batch to the start of the next one. A batch that
            takes longer is followed by the next one at once.
        latest: The least seconds between two refreshes of a view's ``latest`` table.
    """

    trigger: float = 5.0
    latest: float = 300.0


def materialize_continuously(
    job: Job,
    views: Selection | None = None,
    *,
    pace: Pace | None = None,
    stop: Event | None = None,
    progress: Progress | None = None,
) -> list[RunResult]:
    """Keep views' feature tables up to date with their sources until it is stopped.

    When other definitions are applied meanwhile, the views are loaded again, and their runs do
    what a run after an ``apply`` does. A view that fails is tried again, ``job.retries`` times in
    a row, after ``job.retry_seconds`` and then twice as long; the other views go on. A failure
    that time does not heal is not tried again.

    Args:
        job: The project.
        views: Views, or services for all views that they need; None for all applied views but
            snapshot views.
        pace: How often to look for new rows.
        stop: Ends the loop once the batches that run have ended. None to go on until each view
            has failed for good.
        progress: Called with the progress of each batch. Its errors are logged only.

    Returns:
        The last result of each view that has run, in the order of the views.

    Raises:
        NotFoundError: A view is not applied.
        RequestError: A view is a snapshot view, or its definition differs from the applied one.
        ConflictError: Another process materializes one of the views continuously, or has taken
            over from this one, which was stopped for more than a minute.
        StorageError: The store's root cannot be reached or written at the beginning.
        KeyboardInterrupt: The batches that ran were cut off, and recorded as interrupted.
    """
    report = logging_errors(progress or ignore_progress)
    loop = _Loop(job, views, pace=pace or Pace(), stop=stop or Event(), report=report)
    try:
        loop.run()
    finally:
        loop.end()
    return [loop.last[name] for name in loop.names if name in loop.last]


@dataclass
class _Loop:
    """One continuous materialization, and its state between two triggers.

    `_noted` is called from the threads of the runs; each run changes what is of its own view.
    """

    job: Job
    views: Selection | None
    _: KW_ONLY
    pace: Pace
    stop: Event
    report: Progress
    applied: Manifest | None = None
    targets: Sequence[FeatureView] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    locks: dict[str, ExitStack] = field(default_factory=dict)
    checks: dict[str, Callable[[], None]] = field(default_factory=dict)
    states: dict[str, ContinuousState] = field(default_factory=dict)
    failing: dict[str, Failing] = field(default_factory=dict)
    last: dict[str, RunResult] = field(default_factory=dict)
    refreshed: dict[str, float] = field(default_factory=dict)
    outages: int = 0

    @property
    def names(self) -> list[str]:
        return [view.name for view in self.targets]

    def run(self) -> None:
        while not self.stop.is_set():
            begun = time.monotonic()
            try:
                with storage_errors("materialize_continuously()", self.job.layout.root):
                    self._look()
            except StorageError as error:
                if self.applied is None:  # nothing has worked so far: the caller has to know
                    raise
                self._wait_for_store(error)
                continue
            self.outages = 0
            if all(is_given_up(view, self.failing) for view in self.targets):
                return
            self.stop.wait(max(self.pace.trigger - (time.monotonic() - begun), 0))

    def end(self) -> None:
        """Say that no view is materialized continuously any more."""
        with ExitStack() as end:  # each is closed, whatever becomes of the others
            for lock in self.locks.values():
                end.callback(lock.close)

    def _look(self) -> None:
        for check in self.checks.values():
            check()
        self._load()
        self._trigger()

    def _wait_for_store(self, error: StorageError) -> None:
        """Wait until the store's root may answer again; the runs go on at what is committed."""
        self.outages += 1
        seconds = wait_seconds(self.outages, self.pace.trigger)
        message = f"{error} The next look is in {seconds:g} s."
        for name in self.names:
            self.report(ProgressEvent(name, "waiting", message=message))
        self.stop.wait(seconds)

    def _load(self) -> None:
        """Load the definitions, if others are applied than before."""
        applied = self.job.applied()
        if applied == self.applied:
            return
        names = selected_names(self.job, self.views)
        targets = loaded_views(self.job, names, is_selected=self.views is not None)
        self.targets = _without_snapshots(targets, self.views)
        self.fingerprints = {view.name: table_fingerprint(view) for view in self.targets}
        self.failing.clear()  # what failed may be what was changed
        self._take_locks()
        self.applied = applied

    def _take_locks(self) -> None:
        for gone in self.locks.keys() - set(self.names):
            self.checks.pop(gone)
            self.locks.pop(gone).close()
        for name in self.names:
            if name in self.locks:
                self._say(_without_backlog(replace(self.states[name], failures=0, retry_at=None)))
                continue
            lock = ExitStack()
            self.checks[name] = lock.enter_context(continuous_lock(self.job.layout, name))
            self.locks[name] = lock
            self._say(new_state(name, self.job.clock(), self.pace.trigger))

    def _say(self, state: ContinuousState) -> None:
        """Write a view's state. It is for people: no batch fails because of it."""
        if state == self.states.get(state.view):
            return
        self.states[state.view] = state
        try:
            write_state(self.job.layout, state)
        except StorageError as error:
            _LOG.warning("the state of view %s was not written: %s", state.view, error.found)

    def _trigger(self) -> None:
        now = self.job.clock()
        views = [view for view in self.targets if not waits(view, self.failing, now)]
        due = self._due(views)
        idle = idle_views(self.job.spark, self.job.layout, views, self._say_behind)
        chosen = views_with_news(self.job.layout, views, self.fingerprints, due, idle)
        # The tables of the others are as new as their rows.
        self._note_refreshed(due - {view.name for view in chosen})
        if chosen:
            self._run(chosen, due, now)

    def _run(self, chosen: Sequence[FeatureView], due: frozenset[str], now: datetime) -> None:
        ids = {view.name: new_run_id() for view in chosen}
        with view_locks(self.job.layout, ids, now) as locks:
            for name, conflict in locks.busy.items():
                self.report(ProgressEvent(name, "waiting", message=conflict.found))
            free = [view for view in chosen if view.name in locks.held]
            if not free:
                return
            report = releasing(self._noted, locks, ENDS)
            results = run_with_spark(self.job, free, ids, Request(latest=due), report)
        self.last |= {result.view: result for result in results}
        succeeded = [result for result in results if result.status in _SUCCESSES]
        self._note_refreshed(due & {result.view for result in succeeded})
        for result in succeeded:
            if result.status == "done":
                self._sum_up(result.view)

    def _due(self, views: Sequence[FeatureView]) -> frozenset[str]:
        """Return the views whose ``latest`` tables shall be fresh now."""
        before = time.monotonic() - self.pace.latest
        names = (view.name for view in views if view.latest)
        return frozenset(name for name in names if self.refreshed.get(name, before) <= before)

    def _note_refreshed(self, names: Collection[str]) -> None:
        self.refreshed |= dict.fromkeys(names, time.monotonic())

    def _say_behind(self, name: str, behind: Behind | None) -> None:
        """Say how many messages of its topic a view does not have; None if that is not known."""
        if behind is None:
            self._say(_without_backlog(self.states[name]))
            return
        is_more = behind.count >= MOST_COUNTED
        state = replace(self.states[name], backlog=behind.count, backlog_is_more=is_more)
        self._say(replace(state, backlog_since=behind.oldest_at))

    def _noted(self, event: ProgressEvent, /) -> None:
        """Say at once what became of a view's batch: other views may run for minutes more."""
        state, now = self.states[event.view], self.job.clock()
        if event.phase == "failed":
            before = self.failing.get(event.view, Failing())
            failing = after_failure(before, event.error, now, self.job.retry_seconds)
            self.failing[event.view] = failing
            state = replace(state, failures=failing.count, retry_at=failing.retry_at)
        if event.phase in _SUCCESSES:
            self.failing.pop(event.view, None)
            state = replace(_with_all_read(state), failures=0, retry_at=None, last_run_at=now)
        if event.phase == "done":
            state = replace(
                state,
                batches=state.batches + 1,
                rows=state.rows + event.rows,
                last_batch_at=now,
                last_batch_rows=event.rows,
                last_batch_seconds=event.seconds,
            )
        self._say(state)
        self.report(event)

    def _sum_up(self, name: str) -> None:
        """Sum up the view's old runs now and then: each batch adds records that all runs read."""
        if self.states[name].batches % EVERY_BATCHES == 1:
            sum_up_old_runs(self.job.layout, name, self.job.clock())


def _with_all_read(state: ContinuousState) -> ContinuousState:
    """Return the state after a run, which reads all that a topic had."""
    if state.backlog is None:
        return state
    return replace(state, backlog=0, backlog_since=None, backlog_is_more=False)


def _without_backlog(state: ContinuousState) -> ContinuousState:
    return replace(state, backlog=None, backlog_since=None, backlog_is_more=False)


def _without_snapshots(
    views: Sequence[FeatureView], selected: Selection | None
) -> list[FeatureView]:
    """Return the views that new rows come to; a snapshot view compares its whole source.

    Raises:
        RequestError: The caller has named a snapshot view, or there is no other view.
    """
    snapshots = [view.name for view in views if view.snapshot]
    others = [view for view in views if not view.snapshot]
    if snapshots and (selected is not None or not others):
        raise RequestError(
            f"materialize_continuously({'' if selected is None else selection_text(selected)})",
            f"view {snapshots[0]!r} is a snapshot view: each run reads its whole source",
            f"Leave it out, and run it by a schedule: `featurestore materialize {snapshots[0]}`.",
        )
    return others
