"""`Quarantine`: the rows that a view's table does not have, and their release."""

from collections.abc import Sequence

from featurestore.client.display.results import QUARANTINED, Results
from featurestore.jobs.materialize.job import Job, RunResult
from featurestore.jobs.quarantine.rows import quarantined_rows
from featurestore.optional import spark_extra
from featurestore.store.quarantine import QuarantinedRow


class Quarantine(Results[QuarantinedRow]):
    """The rows in a view's quarantine, oldest run first: a list, which a notebook shows.

    Args:
        job: The project.
        view: The view's name.

    Raises:
        NotFoundError: The view is not applied, or was never materialized.
    """

    def __init__(self, job: Job, view: str) -> None:
        super().__init__(quarantined_rows(job.layout, job.applied(), view), QUARANTINED)
        self._job, self._view = job, view

    def __reduce__(self) -> tuple[type, tuple[list[QuarantinedRow], tuple[str, ...]]]:
        """Pickle as a list of rows."""
        return Results, (list(self), self._columns)

    def release(self, ids: Sequence[str] | None = None) -> RunResult:
        """Store rows in the view's table, available from now on, with Spark.

        Args:
            ids: The ids of the rows. None for all rows that pass the view's present expectations.

        Returns:
            The result. Its ``rows_out`` is the number of released rows.

        Raises:
            NotFoundError: A row is not in the quarantine.
            RequestError: The quarantine is empty, or a row still fails a check. Nothing was
                released.
            ConflictError: Another process is materializing the view.
        """
        with spark_extra("release"):
            # The engine is imported here: rows are shown without Spark.
            from featurestore.jobs.quarantine.release import release  # noqa: PLC0415

        return release(self._job, self._view, ids)
