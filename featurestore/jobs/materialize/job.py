"""The inputs and the results of a materialization, as plain data."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import FeatureStoreError, MaterializationError
from featurestore.jobs.openlineage.observer import RunObserver, ignore_run
from featurestore.jobs.openlineage.send import run_observer
from featurestore.notebook import html_table
from featurestore.settings import COMPACT_SMALL_FILES, Settings
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import RunKind, RunStatus
from featurestore.times import Clock, system_clock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def new_run_id() -> str:
    """Return a new name for a run; later names sort after earlier ones.

    Example:
        >>> new_run_id() < new_run_id()
        True
    """
    return f"{time.time_ns():016x}{uuid4().hex[:8]}"


@dataclass(frozen=True)
class Job:
    """A project, for the jobs.

    Args:
        layout: The addresses of its tables and sources.
        applied: Returns the applied definitions.
        loaded: Returns the definitions of the project's folder, whose transforms can run.
        spark: Returns the session. Called after all checks that need no session.
        clock: Returns the present time.
        files_per_batch: The most source files in one batch of a build.
        compact_small_files: A run that finds more small files in its table than this joins them;
            0 to leave them.
        profile: Whether runs record profiles of views that have `profile=True`.
        retries: How often `materialize_due` runs a failed view again.
        retry_seconds: The seconds before the first retry; before each further one, twice as many.
        on_run: Called when a run begins and when it ends.
    """

    layout: Layout
    _: KW_ONLY
    applied: Callable[[], Manifest]
    loaded: Callable[[], Manifest]
    spark: "Callable[[], SparkSession]"
    clock: Clock = system_clock
    files_per_batch: int = 1000
    compact_small_files: int = COMPACT_SMALL_FILES
    profile: bool = True
    retries: int = 0
    retry_seconds: float = 0
    on_run: RunObserver = ignore_run


def project_job(
    settings: Settings,
    layout: Layout,
    *,
    applied: Callable[[], Manifest],
    loaded: Callable[[], Manifest],
    spark: "Callable[[], SparkSession]",
    clock: Clock,
) -> Job:
    """Return the project, for the jobs, as its settings say.

    Args:
        settings: The settings of ``featurestore.toml``.
        layout: The addresses of its tables and sources.
        applied: Returns the applied definitions.
        loaded: Returns the definitions of the project's folder.
        spark: Returns the session.
        clock: Returns the present time.
    """
    return Job(
        layout,
        applied=applied,
        loaded=loaded,
        spark=spark,
        clock=clock,
        compact_small_files=settings.compact_small_files,
        profile=settings.profile,
        retries=settings.retries,
        retry_seconds=settings.retry_seconds,
        on_run=run_observer(settings, layout),
    )


@dataclass(frozen=True)
class Request:
    """The options of a materialization.

    Args:
        start: A build leaves out events before this time.
        full: Build a new table, even if the current one could be updated.
        accept_schema: Take changes of a source's columns that a view's contract refuses.
        latest: The names of the views whose ``latest`` tables are written again after their rows,
            if they are stale. None for all.
    """

    start: datetime | None = None
    full: bool = False
    accept_schema: bool = False
    latest: frozenset[str] | None = None


@dataclass(frozen=True)
class RunResult:
    """The result for one view.

    Args:
        view: Its name.
        run_id: The run's name in the ledger and in commits.
        status: ``done``; ``nothing`` if there was no new data, so that nothing was committed;
            ``failed``; ``interrupted``; or ``skipped`` if its upstream view did not succeed.
        kind: ``run`` for an update of the current table, ``build`` for a new table, ``release`` of
            rows that were in quarantine, ``repair`` of a range of event time.
        version: The Delta version of the view's table afterwards; None if there is none.
        rows_in: Number of source rows read.
        rows_out: Number of rows stored.
        null_rows: Number of rows with a null key or without a time of the years 1 to 9999.
        null_unique_rows: Number of rows stored with a null in ``unique_by``. Of these, only the
            newest row of each key exists.
        rows_quarantined: Number of rows put into the quarantine: they failed a check, or have a
            null key or no time.
        failures: The number of rows that failed each check, by its name.
        seconds: The duration.
        message: The result as a sentence.
        table_id: The build of the table.
        error: The error of a failed or interrupted run.
    """

    view: str
    _: KW_ONLY
    run_id: str
    status: RunStatus
    kind: RunKind
    version: int | None = None
    rows_in: int = 0
    rows_out: int = 0
    null_rows: int = 0
    null_unique_rows: int = 0
    rows_quarantined: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    message: str = ""
    table_id: str = ""
    error: FeatureStoreError | None = None

    @property
    def rows_left_out(self) -> int:
        """Number of source rows that the transform or ``start`` left out.

        Below 0 if the transform makes several rows of one.
        """
        return self.rows_in - self.rows_out - self.rows_quarantined

    def __repr__(self) -> str:
        """Return the view, the status and the message in one line."""
        message = f": {self.message}" if self.message else ""
        return f"RunResult({self.view!r} {self.status}{message})"

    def _repr_html_(self) -> str:
        names = ("kind", "version", "rows_in", "rows_out", "rows_quarantined", "seconds")
        row = [getattr(self, name) for name in names]
        columns = [name.replace("_", " ") for name in names]
        return html_table(f"{self.view} {self.status}", columns, [row], self.message)


def require_success(results: Sequence[RunResult]) -> None:
    """Raise an error if the run of a view did not succeed.

    Args:
        results: The results of all views of a materialization.

    Raises:
        MaterializationError: A view's run failed, or was skipped or interrupted. It has the
            results, and each of them has its error.

    Example:
        >>> require_success([RunResult("v", run_id="r1", status="done", kind="run")])
    """
    failed = [result for result in results if result.status not in ("done", "nothing")]
    if not failed:
        return
    messages = "; ".join(f"{result.view}: {result.message.rstrip('.')}" for result in failed)
    names = ", ".join(repr(result.view) for result in failed)
    error = MaterializationError(
        "materialize()",
        f"{len(failed)} of {len(results)} views failed ({names}): {messages}",
        "The results of all views are the error's results: materialize(on_failure='return') "
        "returns them instead.",
    )
    error.results = results
    # Each result has its error: Spark's own, which a cause would print, is pages long.
    raise error from None
