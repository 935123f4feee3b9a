"""The runs of the views that are due. Any number of processes may call it at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import ConflictError, RequestError
from featurestore.jobs.materialize.job import Job, Request, RunResult, new_run_id
from featurestore.jobs.materialize.lock import view_locks
from featurestore.jobs.materialize.messages import skip_reason
from featurestore.jobs.materialize.progress import (
    Progress,
    ProgressEvent,
    ignore_progress,
    logging_errors,
)
from featurestore.jobs.materialize.record import RunLog
from featurestore.jobs.materialize.start import (
    loaded_view,
    releasing,
    run_views,
    wait_reporter,
)
from featurestore.jobs.schedule.due import SUCCESSES
from featurestore.jobs.schedule.retry import with_retries
from featurestore.jobs.schedule.states import due


def materialize_due(
    job: Job, names: Sequence[str], *, wait: bool = False, progress: Progress | None = None
) -> list[RunResult]:
    """Update the feature tables of views that are due.

    What is due is decided again once the views' locks are held, so that of several callers only
    one runs a view. A view that fails is run again, ``job.retries`` times; the other views go on,
    but views derived from it are skipped.

    Args:
        job: The project.
        names: The views that are due, each after the views it derives from; from `due`.
        wait: Wait for another process that materializes a view that is due.
        progress: Called with the progress of each view. Its errors are logged only.

    Returns:
        The last result of each view that was due, each after the views it derives from. A view
        that another process materializes is ``skipped``, with a `ConflictError` as its error.

    Raises:
        DefinitionError: The definitions do not load.
        ConflictError: Other processes materialize all views that are due; nothing was done.
        KeyboardInterrupt: The streams were stopped, and the runs were recorded as interrupted.
    """
    report = logging_errors(progress or ignore_progress)
    return _DueRuns(job, report).run(names, wait)


@dataclass(frozen=True)
class _DueRuns:
    """One call of `materialize_due`."""

    job: Job
    report: Progress

    @cached_property
    def loaded(self) -> Manifest:
        """The definitions of the project's folder, loaded once the locks are held."""
        return self.job.loaded()

    @cached_property
    def views(self) -> dict[str, FeatureView]:
        """The applied views by name."""
        return {view.name: view for view in self.job.applied().views}

    def run(self, names: Sequence[str], wait: bool) -> list[RunResult]:
        run_ids = {name: new_run_id() for name in names}
        on_wait = wait_reporter(self.report) if wait else None
        with view_locks(self.job.layout, run_ids, self.job.clock(), on_wait) as locks:
            states = due(self.job.applied(), self.job.layout, self.job.clock(), names)
            still = {state.view for state in states if state.is_due}
            taken = self._taken(names, locks.busy, run_ids)
            ours = [name for name in names if name in still and name not in taken]
            if not ours and locks.busy:
                raise next(iter(locks.busy.values()))
            # A view that failed keeps its lock, since it may be run again.
            runs = replace(self, report=releasing(self.report, locks, SUCCESSES))
            return [*runs._run(ours, run_ids), *taken.values()]

    def _run(self, names: Sequence[str], run_ids: Mapping[str, str]) -> list[RunResult]:
        targets: list[FeatureView] = []
        results: dict[str, RunResult] = {}
        for name in names:
            applied, log = self.views[name], self._log(name, run_ids[name])
            upstream = results.get(applied.source.name) if applied.lineage else None
            try:
                target = loaded_view(self.loaded, applied, f"materialize view {name!r}")
            except RequestError as error:  # it was edited and not applied: the others go on
                results[name] = log.fail(error, "failed")
                continue
            if upstream is not None:
                results[name] = log.skip(skip_reason(upstream))
            else:
                targets.append(target)
        for result in results.values():
            self._report(result)
        done = with_retries(self.job, targets, run_ids, self._attempt, self.report)
        results |= {result.view: result for result in done}
        return [results[name] for name in names]

    def _attempt(
        self, targets: Sequence[FeatureView], run_ids: Mapping[str, str]
    ) -> list[RunResult]:
        return run_views(self.job, targets, run_ids, Request(), self.report)

    def _taken(
        self, names: Sequence[str], busy: Mapping[str, ConflictError], run_ids: Mapping[str, str]
    ) -> dict[str, RunResult]:
        """Return the results of views that others run, and of views that derive from these."""
        results: dict[str, RunResult] = {}
        for name in names:
            lineage = (name, *(view.name for view in self.views[name].lineage))
            error = next((busy[each] for each in lineage if each in busy), None)
            if error is not None:
                results[name] = RunResult(
                    name,
                    run_id=run_ids[name],
                    status="skipped",
                    kind="run",
                    message=str(error),
                    error=error,
                )
                self._report(results[name])
        return results

    def _log(self, name: str, run_id: str) -> RunLog:
        return RunLog(self.job, view=self.views[name], run_id=run_id)

    def _report(self, result: RunResult) -> None:
        event = ProgressEvent(result.view, result.status, message=result.message)  # type: ignore[arg-type]  # an ended run's status is a phase
        self.report(event)
