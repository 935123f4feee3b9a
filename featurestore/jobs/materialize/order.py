"""Views run side by side, each behind the view that it is derived from."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event

from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.materialize.run import ViewRun, run_view, skip_view

# Each stream keeps a thread of the driver busy; more of them only share the same executors.
_SIDE_BY_SIDE = 2


def run_in_order(runs: Sequence[ViewRun], stop: Event) -> list[RunResult]:
    """Return what became of each run, in the order given.

    A view that is derived from another one of them waits for it, and is skipped where that fails.

    Args:
        runs: What to run; each view's lock is held.
        stop: Set when they are to end early.

    Raises:
        KeyboardInterrupt: After the streams were stopped and the runs recorded as interrupted.

    Example:
        >>> run_in_order([], Event())
        []
    """
    futures: dict[str, Future[RunResult]] = {}
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="materialize") as pool:
        # Sources before what is made of them: whoever waits, waits for one that runs already.
        for run in sorted(runs, key=lambda run: len(run.view.lineage)):
            before = futures.get(run.view.source.name)
            after = before if run.view.lineage else None
            futures[run.view.name] = pool.submit(_run_after, after, run)
        try:
            wait(futures.values())
        except KeyboardInterrupt:
            _stop(list(futures.values()), stop)
            raise
    return [futures[run.view.name].result() for run in runs]


def _run_after(before: "Future[RunResult] | None", run: ViewRun) -> RunResult:
    upstream = None if before is None else before.result()
    if upstream is not None and upstream.status not in ("done", "nothing"):
        return skip_view(run, upstream)
    return run_view(run)


def _stop(futures: "Sequence[Future[RunResult]]", stop: Event) -> None:
    stop.set()
    for future in futures:
        future.cancel()
    wait(futures)
