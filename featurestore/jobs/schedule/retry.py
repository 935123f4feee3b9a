"""Further attempts of failed runs, each after a longer time. Each attempt is a run of its own."""

import time
from collections.abc import Callable, Mapping, Sequence

from featurestore.definitions.model.view import FeatureView
from featurestore.errors import (
    ContractError,
    DataQualityError,
    DefinitionError,
    FeatureStoreError,
    RequestError,
    SetupError,
    StorageError,
    TableError,
)
from featurestore.jobs.materialize.job import Job, RunResult, new_run_id
from featurestore.jobs.materialize.progress import Progress, ProgressEvent

Attempt = Callable[[Sequence[FeatureView], Mapping[str, str]], list[RunResult]]
"""Runs views under the names of runs, and returns their results in the same order."""

# Time does not heal them: somebody has to do what the error says.
_LASTING = (ContractError, DataQualityError, DefinitionError, RequestError, SetupError, TableError)
LONGEST_SECONDS = 600


def with_retries(
    job: Job,
    targets: Sequence[FeatureView],
    run_ids: Mapping[str, str],
    attempt: Attempt,
    report: Progress,
) -> list[RunResult]:
    """Run views, and then those again that failed, with the views that were skipped for them.

    Args:
        job: The project, with the number of retries.
        targets: The views.
        run_ids: The name of each view's first run.
        attempt: Runs views.
        report: Called with the progress of each view.

    Returns:
        The last result of each view, in the order of ``targets``.
    """
    if not targets:
        return []
    results = {result.view: result for result in attempt(targets, run_ids)}
    for number in range(job.retries):
        again = views_to_retry(targets, results)
        if not again:
            break
        seconds = min(job.retry_seconds * 2**number, LONGEST_SECONDS)
        for view in again:
            text = f"attempt {number + 2} of {job.retries + 1} begins in {seconds:g} s"
            report(ProgressEvent(view.name, "waiting", message=text))
        time.sleep(seconds)
        ids = {view.name: new_run_id() for view in again}
        results |= {result.view: result for result in attempt(again, ids)}
    return [results[view.name] for view in targets]


def views_to_retry(
    targets: Sequence[FeatureView], results: Mapping[str, RunResult]
) -> list[FeatureView]:
    """Return the views whose failure may pass, and those that were skipped because of them.

    Example:
        >>> views_to_retry([], {})
        []
    """
    again: dict[str, FeatureView] = {}
    for view in sorted(targets, key=lambda view: len(view.lineage)):
        result = results[view.name]
        failed = result.status == "failed" and may_pass(result.error)
        waits = result.status == "skipped" and bool(view.lineage) and view.source.name in again
        if failed or waits:
            again[view.name] = view
    return list(again.values())


def may_pass(error: FeatureStoreError | None) -> bool:
    """Return whether the same call may succeed later, without anybody's help.

    Example:
        >>> may_pass(StorageError("write t", "the disk is full", "Make room."))
        True
        >>> may_pass(RequestError("run v", "its definition is not applied", "Apply it."))
        False
    """
    return isinstance(error, StorageError) or not isinstance(error, _LASTING)
