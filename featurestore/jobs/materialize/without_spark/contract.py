"""The runs of views whose source a schema contract refuses: recorded without a session."""

from collections.abc import Mapping, Sequence

from featurestore.definitions.model.view import FeatureView
from featurestore.errors import FeatureStoreError, SourceError
from featurestore.jobs.contract.check import check_schema
from featurestore.jobs.materialize.job import Job, Request, RunResult
from featurestore.jobs.materialize.messages import skip_reason
from featurestore.jobs.materialize.progress import Progress, ProgressEvent
from featurestore.jobs.materialize.record import RunLog


def refused_runs(
    job: Job,
    views: Sequence[FeatureView],
    run_ids: Mapping[str, str],
    request: Request,
    report: Progress,
) -> dict[str, RunResult]:
    """Record the runs that no session is needed to refuse, and return their results by view.

    Views that derive from a refused one are skipped.

    Args:
        job: The project.
        views: The views to materialize. The caller holds their locks.
        run_ids: The name of each view's run.
        request: The options of the call.
        report: Called with each result.
    """
    results: dict[str, RunResult] = {}
    for view in sorted(views, key=lambda view: len(view.lineage)):
        log = RunLog(job, view=view, run_id=run_ids[view.name])
        upstream = results.get(view.source.name) if view.lineage else None
        if upstream is not None:
            results[view.name] = log.skip(skip_reason(upstream))
        elif error := _refusal(job, view, request):
            results[view.name] = log.fail(error, "failed")
    for result in results.values():
        report(ProgressEvent(result.view, result.status, message=result.message))  # type: ignore[arg-type]  # an ended run's status is a phase
    return results


def _refusal(job: Job, view: FeatureView, request: Request) -> SourceError | None:
    try:
        check_schema(job.layout, view, accept=request.accept_schema)
    except SourceError as error:
        return error
    except (FeatureStoreError, OSError, ValueError):  # the run names what is wrong
        return None
    return None
