"""One call of `FeatureStore.materialize`: views now, or those that are due."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from featurestore.client.display.progress import progress_of
from featurestore.client.display.results import RUNS, Results
from featurestore.errors import RequestError
from featurestore.jobs.materialize.job import Job, RunResult, require_success
from featurestore.jobs.materialize.progress import Progress
from featurestore.jobs.schedule.states import due
from featurestore.optional import spark_extra
from featurestore.query.selection import Selection
from featurestore.times import parse_moment_argument


@dataclass(frozen=True)
class MaterializeOptions:
    """The options of the call, as `FeatureStore.materialize` describes them."""

    due: bool = False
    start: str | datetime | None = None
    full: bool = False
    accept_schema: bool = False
    wait: bool = False
    on_failure: Literal["raise", "return"] = "raise"
    progress: Progress | bool | None = None


def materialize(
    job: Job, views: Selection | None, options: MaterializeOptions
) -> Results[RunResult]:
    """Run views, and return a result for each of them.

    Args:
        job: The project.
        views: Views, or services for all views that they need. None for all views.
        options: The options of the call.
    """
    results = Results(
        _due(job, views, options) if options.due else _now(job, views, options), RUNS
    )
    if options.on_failure == "raise":
        require_success(results)
    return results


def _now(job: Job, views: Selection | None, options: MaterializeOptions) -> list[RunResult]:
    with spark_extra("materialize"):
        from featurestore.jobs.materialize.start import materialize as run  # noqa: PLC0415 - Spark

    start = options.start
    first = None if start is None else parse_moment_argument("materialize()", "start", start)
    with progress_of(options.progress) as progress:
        return run(
            job,
            views,
            start=first,
            full=options.full,
            accept_schema=options.accept_schema,
            wait=options.wait,
            progress=progress,
        )


def _due(job: Job, views: Selection | None, options: MaterializeOptions) -> list[RunResult]:
    others = {
        "full": options.full,
        "start": options.start is not None,
        "accept_schema": options.accept_schema,
    }
    if other := next((name for name, is_set in others.items() if is_set), ""):
        raise RequestError(
            "materialize(due=True)",
            f"it is called with {other} too",
            "Leave one of them out: a view that is due is brought up to date.",
        )
    states = due(job.applied(), job.layout, job.clock(), views)
    names = [state.view for state in states if state.is_due]
    if not names:  # the most frequent call: it loads no Spark
        return []
    with spark_extra("materialize"):
        from featurestore.jobs.schedule.run import materialize_due  # noqa: PLC0415 - Spark

    with progress_of(options.progress) as progress:
        return materialize_due(job, names, wait=options.wait, progress=progress)
