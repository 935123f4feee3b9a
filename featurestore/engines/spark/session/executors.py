"""The executors of a cluster: Spark's jobs do not wait without end for executors that never come.

Spark itself waits as long as it takes, and writes a warning into its log every 15 seconds.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import SparkContext

from featurestore.engines.spark.errors.transport import sent_text
from featurestore.errors import ProjectError, RequestError, SetupError
from featurestore.times import MICROS, parse_duration

TIMEOUT = "spark.featurestore.executorTimeout"
"""The setting: how long Spark's jobs wait, while the cluster has no executor for them."""

DEFAULT_TIMEOUT = "2m"
_LOG = logging.getLogger(__name__)
_CALL = "run Spark's jobs on the cluster"
_POLL_SECONDS = 1.0
_REQUESTED = ("spark.executor.memory", "spark.executor.cores")


def is_cluster(master: str) -> bool:
    """Return whether executors are processes of their own.

    Args:
        master: The value of ``spark.master``.

    Example:
        >>> is_cluster("local[*]"), is_cluster("local-cluster[2,1,1024]"), is_cluster("yarn")
        (False, True, True)
    """
    return master != "local" and not master.startswith("local[")


def timeout_seconds(settings: Mapping[str, str]) -> float:
    """Return how long jobs wait while the cluster has no executor, in seconds.

    Args:
        settings: Spark's settings.

    Raises:
        ProjectError: The setting is no duration.

    Example:
        >>> timeout_seconds({}), timeout_seconds({"spark.featurestore.executorTimeout": "90s"})
        (120.0, 90.0)
    """
    text = settings.get(TIMEOUT, DEFAULT_TIMEOUT)
    try:
        return parse_duration(text) / MICROS["s"]
    except RequestError as error:
        raise ProjectError(
            f"read Spark's settings: {TIMEOUT}", f"{text!r}: {error.found}", error.fix
        ) from None


def watch_executors(context: SparkContext, settings: Mapping[str, str]) -> None:
    """Cancel jobs that wait while the cluster has no executor, until the context is stopped.

    Their error is a `SetupError`, see `received_error`. A thread of its own watches: any job of
    any thread may wait.

    Args:
        context: A context that featurestore has started.
        settings: Its settings.

    Raises:
        ProjectError: The time to wait is no duration.
    """
    seconds = timeout_seconds(settings)
    reason = sent_text(_not_granted(settings, seconds))
    threading.Thread(
        target=_watch, args=(context, seconds, reason), name="watch-executors", daemon=True
    ).start()


class WaitingJobs:
    """Since when each job waits: a new job is what makes a cluster grant executors.

    Args:
        seconds: How long a job may wait.

    Example:
        >>> waiting = WaitingJobs(120)
        >>> waiting.overdue([1], now=0.0), waiting.overdue([1, 2], now=120.0)
        ([], [1])
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[int, float] = {}

    def overdue(self, jobs: Sequence[int], now: float) -> list[int]:
        """Return the jobs that have waited too long.

        Args:
            jobs: All jobs that wait now. Others are forgotten.
            now: The time of a monotonic clock, in seconds.
        """
        self._since = {job: self._since.get(job, now) for job in jobs}
        return [job for job, since in self._since.items() if now - since >= self._seconds]


def _watch(context: SparkContext, seconds: float, reason: str) -> None:
    waiting = WaitingJobs(seconds)
    while context._jsc is not None:  # there is no public method for it
        try:
            jobs = context.statusTracker().getActiveJobsIds()
            waits = [] if not jobs or _has_executors(context) else jobs
            for job in waiting.overdue(waits, time.monotonic()):
                # PySpark's own method cancels without a reason.
                context._jsc.sc().cancelJob(job, reason)
        except Py4JJavaError:
            _LOG.debug("the executors were not counted", exc_info=True)  # the next look may work
        except (Py4JError, OSError, AttributeError):  # the context or Java has ended
            return
        time.sleep(_POLL_SECONDS)


def _has_executors(context: SparkContext) -> bool:
    return len(context.statusTracker().getExecutorInfos()) > 1  # one is the driver


def _not_granted(settings: Mapping[str, str], seconds: float) -> SetupError:
    requested = ", ".join(f"{name} {settings[name]}" for name in _REQUESTED if name in settings)
    return SetupError(
        _CALL,
        f"{settings['spark.master']} has granted no executor for {seconds:g} seconds"
        f" ({requested or 'with the default memory and cores of an executor'})",
        "Check on the page of the cluster that workers run, that one of them has so much memory "
        "and so many cores free, and that no quota is used up. Ask for less by "
        f"{' and '.join(_REQUESTED)} in the Spark settings, or wait longer by {TIMEOUT}. Then run "
        "the same command again: it goes on after the last commit.",
    )
