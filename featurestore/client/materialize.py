"""One call of `FeatureStore.materialize`: views now, or those that are due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from featurestore.client.display.progress import progress_of
from featurestore.client.display.results import REPAIRS, RUNS, Results
from featurestore.errors import RequestError
from featurestore.jobs.materialize.job import Job, RunResult, require_success
from featurestore.jobs.materialize.progress import Progress
from featurestore.jobs.repair import plan
from featurestore.jobs.schedule.states import due
from featurestore.optional import spark_extra
from featurestore.query.selection import Selection
from featurestore.store.interval import Interval, checked_interval
from featurestore.times import parse_moment_argument


@dataclass(frozen=True)
class MaterializeOptions:
    """The options of the call, as `FeatureStore.materialize` describes them."""

    due: bool = False
    start: str | datetime | None = None
    end: str | datetime | None = None
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
    at_once = _now if options.end is None else _repair
    run = _due if options.due else at_once
    results = Results(run(job, views, options), RUNS)
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


def repair_plans(
    job: Job,
    views: Selection | None,
    *,
    start: str | datetime | None,
    end: str | datetime | None,
) -> Results[plan.RepairPlan]:
    """Return what a repair of a range would replace, without Spark.

    Args:
        job: The project.
        views: Views, or services for all views that they need.
        start: The first moment of the range.
        end: The moment after the last one.
    """
    return Results(plan.repair_plans(job, views, _interval(job, start, end)), REPAIRS)


def _repair(job: Job, views: Selection | None, options: MaterializeOptions) -> list[RunResult]:
    require_compatible(options)
    interval = _interval(job, options.start, options.end)
    with spark_extra("materialize"):
        from featurestore.jobs.repair.repair import repair  # noqa: PLC0415 - Spark

    with progress_of(options.progress) as progress:
        return repair(
            job,
            views,
            interval,
            accept_schema=options.accept_schema,
            wait=options.wait,
            progress=progress,
        )


def _interval(job: Job, start: str | datetime | None, end: str | datetime | None) -> Interval:
    call = "materialize(start=..., end=...)"
    for name, value in (("start", start), ("end", end)):
        if value is None:
            raise RequestError(
                call,
                f"{name} is missing",
                "The repair of a range needs both: --start 2026-01-31 --end 2026-02-01.",
            )
    first, last = (
        parse_moment_argument(call, name, value)  # type: ignore[arg-type]  # neither is None
        for name, value in (("start", start), ("end", end))
    )
    return checked_interval(call, first, last, job.clock())


def require_compatible(options: MaterializeOptions) -> None:
    """Refuse options that exclude each other.

    Args:
        options: The options of the call.

    Raises:
        RequestError: Two of them exclude each other.

    Example:
        >>> require_compatible(MaterializeOptions(due=True))
    """
    others = {"full": options.full}
    if options.due:
        others |= {
            "accept_schema": options.accept_schema,
            "start": options.start is not None,
            "end": options.end is not None,
        }
        fix = "Leave one of them out: a view that is due is brought up to date."
        _refuse_others("materialize(due=True)", others, fix)
    elif options.end is not None:
        fix = "Leave one of them out: a repair replaces the rows from start until before end."
        _refuse_others("materialize(end=...)", others, fix)


def _refuse_others(call: str, others: Mapping[str, bool], fix: str) -> None:
    if other := next((name for name, is_set in others.items() if is_set), ""):
        raise RequestError(call, f"it is called with {other} too", fix)


def _due(job: Job, views: Selection | None, options: MaterializeOptions) -> list[RunResult]:
    require_compatible(options)
    states = due(job.applied(), job.layout, job.clock(), views)
    names = [state.view for state in states if state.is_due]
    if not names:  # the most frequent call: it loads no Spark
        return []
    with spark_extra("materialize"):
        from featurestore.jobs.schedule.run import materialize_due  # noqa: PLC0415 - Spark

    with progress_of(options.progress) as progress:
        return materialize_due(job, names, wait=options.wait, progress=progress)
