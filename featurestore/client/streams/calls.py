"""`StreamCalls`: the call of a store that keeps views up to date until it is stopped.

It is a class of its own because `FeatureStore` has no room for it.
"""

from threading import Event
from typing import TYPE_CHECKING

from featurestore.client.arguments import checked_arguments
from featurestore.client.display.progress import progress_of
from featurestore.client.display.results import RUNS, Results
from featurestore.errors import RequestError
from featurestore.optional import spark_extra
from featurestore.query.selection import Selection
from featurestore.times import MICROS, parse_duration_argument

if TYPE_CHECKING:
    from featurestore.jobs.materialize.job import Job, RunResult
    from featurestore.jobs.materialize.progress import Progress


class StreamCalls:
    """The call of `FeatureStore` that materializes continuously."""

    if TYPE_CHECKING:  # what FeatureStore has

        def _job(self) -> Job: ...

    @checked_arguments
    def materialize_continuously(
        self,
        views: "Selection | None" = None,
        *,
        trigger: str = "5s",
        latest_every: str = "5m",
        stop: Event | None = None,
        progress: "Progress | bool | None" = None,
    ) -> "list[RunResult]":
        """Keep feature tables up to date with their sources, with Spark, until it is stopped.

        At each trigger, each view whose source has new rows gets a run, as by `materialize`. A
        view that fails is tried again after ``retry_delay`` of ``featurestore.toml``, then after
        twice as long, and so on, at most 10 minutes; the other views go on meanwhile. A failure
        that time does not heal is not tried again.

        Args:
            views: Views, or services for all views that they need. None for all views but
                snapshot views, which need a schedule.
            trigger: The duration from the start of a batch to the start of the next one. A batch
                that takes longer is followed by the next one at once.
            latest_every: The least duration between two refreshes of the ``latest`` tables.
            stop: Ends the call once the batches that run have ended, when another thread sets it.
                None to go on until each view has failed for good, or until Ctrl-C, which cuts the
                batches off; the next run continues them.
            progress: As in `materialize`.

        Returns:
            The last result of each view that had new rows. That of a view which was given up, or
            which waited for its next try, is ``failed``.

        Raises:
            NotFoundError: A view is not applied.
            RequestError: A duration is none, a view is a snapshot view, or a definition is not
                the applied one.
            ConflictError: Another process materializes one of the views continuously, or has
                taken over from this one, which was stopped for more than a minute.
            StorageError: The store's root cannot be reached or written at the beginning.
        """
        call = "materialize_continuously()"
        seconds = _seconds(call, "trigger", trigger)
        latest = _seconds(call, "latest_every", latest_every)
        with spark_extra(call):
            # Local import: pyspark takes 0.5 s, which a call with a wrong argument saves.
            from featurestore.jobs.continuous.loop import (  # noqa: PLC0415 - see above
                Pace,
                materialize_continuously,
            )

        with progress_of(progress) as report:
            done = materialize_continuously(
                self._job(), views, pace=Pace(seconds, latest), stop=stop, progress=report
            )
        return Results(done, RUNS)


def _seconds(call: str, name: str, text: str) -> float:
    seconds = parse_duration_argument(call, name, text, example="5s") / MICROS["s"]
    if seconds <= 0:
        raise RequestError(call, f"{name} is {text!r}", f"Write {name}='1s' or more.")
    return seconds
