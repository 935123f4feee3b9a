"""What a materialization is given, and what it gives back: plain data."""

import time
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import FeatureStoreError
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import RunKind, RunStatus
from featurestore.times import Clock, system_clock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def new_run_id() -> str:
    """Return a name for a run; names sort in the order they were made.

    Example:
        >>> new_run_id() < new_run_id()
        True
    """
    return f"{time.time_ns():016x}{uuid4().hex[:8]}"


@dataclass(frozen=True)
class Job:
    """A project as the jobs see it.

    Args:
        layout: Where its tables and sources lie.
        applied: Gives what is applied.
        loaded: Gives what the definitions folder declares; its transforms can run.
        spark: Gives the session; called once everything that needs none is checked.
        clock: Gives the present moment.
        files_per_batch: How many source files a build takes at once.
    """

    layout: Layout
    _: KW_ONLY
    applied: Callable[[], Manifest]
    loaded: Callable[[], Manifest]
    spark: "Callable[[], SparkSession]"
    clock: Clock = system_clock
    files_per_batch: int = 1000


@dataclass(frozen=True)
class Request:
    """What is asked of a materialization.

    Args:
        start: On a build, leave out events before this moment.
        full: Build anew, whatever there is.
    """

    start: datetime | None = None
    full: bool = False


@dataclass(frozen=True)
class RunResult:
    """What became of one view.

    Args:
        view: Its name.
        run_id: The run, as the ledger and the commits name it.
        status: ``done``, ``nothing`` (no new data: nothing was committed), ``failed``,
            ``interrupted``, or ``skipped`` (the view that it is derived from did not succeed).
        kind: ``run`` on the current table, or ``build`` of a new one.
        version: Delta version of the view's table afterwards; None if there is none.
        rows_in: Source rows read.
        rows_out: Rows stored.
        null_rows: Rows left out because a key or the event time is null.
        null_unique_rows: Rows stored with a null in ``unique_by``: of those of a key only the
            newest exists.
        seconds: How long it took.
        message: What happened, as a sentence.
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
    seconds: float = 0.0
    message: str = ""
    table_id: str = ""
    error: FeatureStoreError | None = None
