"""Spark jobs of one run that end when the run is stopped."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from uuid import uuid4

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from featurestore.engines.spark.errors.unwrap import is_cancelled
from featurestore.engines.spark.write.stream import POLL_SECONDS, Stream, interrupted
from featurestore.store.lease import is_expiring, require_renewed


def run_cancellable(spark: SparkSession, run: Stream, store: Callable[[], int]) -> int:
    """Run a function in a thread of its own, and cancel its Spark jobs when the run is stopped.

    Args:
        spark: A session of ours.
        run: The run, with the event that stops it.
        store: Stores rows, and returns their number.

    Returns:
        The result of the function.

    Raises:
        InterruptedRunError: The run was stopped.
        ConflictError: This process could not renew the view's lock.
    """
    tag = f"featurestore-{uuid4().hex}"

    # Of the context: the first tag of a session makes it unserializable, and then models of
    # MLlib, which refer to it, cannot be applied (Spark 4.2). Spark Connect has no context.
    context = getattr(spark, "_sc", None)
    add_tag = spark.addTag if context is None else context.addJobTag
    cancel = spark.interruptTag if context is None else context.cancelJobsWithTag

    def tagged() -> int:
        add_tag(tag)
        return store()

    with ThreadPoolExecutor(1, thread_name_prefix=f"store-{run.view.name}") as pool:
        future: Future[int] = pool.submit(tagged)
        while not wait([future], POLL_SECONDS).done:
            if run.stop.is_set() or is_expiring(run.target.lock):
                cancel(tag)
    try:
        return future.result()
    except (PySparkException, Py4JError) as error:
        require_renewed(run.target.lock, f"materialize view {run.view.name!r}")
        if is_cancelled(error) or run.stop.is_set():
            raise interrupted(run.view) from error
        raise
