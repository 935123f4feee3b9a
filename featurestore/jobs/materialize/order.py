"""The order of runs: views run side by side, and a derived view after its upstream view."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.retrieval.threads import wait_for_all
from featurestore.engines.spark.session.child import own_session
from featurestore.jobs.materialize.job import Job, Request, RunResult
from featurestore.jobs.materialize.progress import Progress, ProgressEvent
from featurestore.jobs.materialize.run import ViewRun, run_view, skip_view

# Each stream needs a thread of the driver, and all streams share the same executors.
_SIDE_BY_SIDE = 2


def run_with_spark(
    job: Job,
    views: Sequence[FeatureView],
    run_ids: Mapping[str, str],
    request: Request,
    progress: Progress,
) -> list[RunResult]:
    """Start a session, run the views in order, and return their results.

    Args:
        job: The project.
        views: The views. The caller holds their locks.
        run_ids: The name of each view's run.
        request: The options of the call.
        progress: Called with the progress of each view.

    Raises:
        KeyboardInterrupt: The streams were stopped, and the runs were recorded as interrupted.
    """
    for view in views:
        progress(ProgressEvent(view.name, "starting"))
    spark, stop = own_session(job.spark()), Event()
    for view in views:
        progress(ProgressEvent(view.name, "waiting"))
    runs = [
        ViewRun(
            job,
            view=view,
            request=request,
            spark=spark,
            stop=stop,
            progress=progress,
            run_id=run_ids[view.name],
        )
        for view in views
    ]
    return run_in_order(runs, stop)


def run_in_order(
    runs: Sequence[ViewRun], stop: Event, work: Callable[[ViewRun], RunResult] | None = None
) -> list[RunResult]:
    """Run the views, and return their results in the order of ``runs``.

    A derived view waits for its upstream view, if that is among the runs, and is skipped if the
    upstream view's run does not succeed.

    Args:
        runs: The runs; the caller holds each view's lock.
        stop: Set by this function to end the runs early.
        work: What each run does instead, such as the repair of a range.

    Raises:
        KeyboardInterrupt: The streams were stopped, and the runs were recorded as interrupted.

    Example:
        >>> run_in_order([], Event())
        []
    """
    futures: dict[str, Future[RunResult]] = {}
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="materialize") as pool:
        # Upstream views first, so that each run which waits, waits for one that has begun.
        for run in sorted(runs, key=lambda run: len(run.view.lineage)):
            upstream = futures.get(run.view.source.name) if run.view.lineage else None
            futures[run.view.name] = pool.submit(_run_after, upstream, run, work)
        try:
            wait_for_all(futures.values())
        except KeyboardInterrupt:
            _stop(list(futures.values()), stop)
            raise
    return [futures[run.view.name].result() for run in runs]


def _run_after(
    upstream: "Future[RunResult] | None",
    run: ViewRun,
    work: Callable[[ViewRun], RunResult] | None,
) -> RunResult:
    result = None if upstream is None else upstream.result()
    if result is not None and result.status not in ("done", "nothing"):
        return skip_view(run, result)
    return run_view(run, work)


def _stop(futures: "Sequence[Future[RunResult]]", stop: Event) -> None:
    stop.set()
    for future in futures:
        future.cancel()
    wait_for_all(futures)
