"""The run of a view whose source is files: batches of new files, each one commit."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from uuid import uuid4

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from featurestore.definitions.model.source import FileSource
from featurestore.engines.spark.errors.unwrap import is_cancelled
from featurestore.engines.spark.source.file_log import FileBatch, begin_batch, end_batch
from featurestore.engines.spark.source.file_rows import read_files
from featurestore.engines.spark.transform.run import used_columns
from featurestore.engines.spark.write.batch import commit_batch
from featurestore.engines.spark.write.stream import POLL_SECONDS, Stream, interrupted
from featurestore.store.delta.log import last_transaction
from featurestore.store.source_files import FilePath


def run_file_batches(spark: SparkSession, run: Stream, source: FileSource) -> None:
    """Store all rows of the files that were not read.

    Args:
        spark: A session of ours, by `session.child.own_session`.
        run: The run.
        source: The files.

    Raises:
        SourceError: A file cannot be read as the source declares.
        MaterializationError: Spark failed.
        InterruptedRunError: The run was interrupted.
    """
    target, path = run.target, FilePath(run.reading.uri)
    batches = rows = 0
    while True:
        if run.stop.is_set():
            raise interrupted(run.view)
        done = last_transaction(target.table, target.application)
        batch = begin_batch(
            target.checkpoint,
            path,
            committed=-1 if done is None else done,
            limit=run.reading.files_per_batch,
        )
        if batch is None:
            return
        rows += _run_batch(spark, run, source, batch)
        batches += 1
        run.watch(batches, rows)


def _run_batch(spark: SparkSession, run: Stream, source: FileSource, batch: FileBatch) -> int:
    """Run one batch in a thread of its own, and return the number of rows read."""
    tag = f"featurestore-{uuid4().hex}"

    def store() -> int:
        # Of the context: the first tag of a session makes it unserializable, and then models of
        # MLlib, which refer to it, cannot be applied (Spark 4.2).
        spark.sparkContext.addJobTag(tag)
        rows = read_files(source, spark, batch.files, used_columns(run.view))
        return commit_batch(run.view, run.target, rows, batch.number)

    with ThreadPoolExecutor(1, thread_name_prefix=f"files-{run.view.name}") as pool:
        future: Future[int] = pool.submit(store)
        while not wait([future], POLL_SECONDS).done:
            if run.stop.is_set():
                spark.sparkContext.cancelJobsWithTag(tag)
    try:
        rows = future.result()
    except (PySparkException, Py4JError) as error:
        if is_cancelled(error) or run.stop.is_set():
            raise interrupted(run.view) from error
        raise
    end_batch(run.target.checkpoint, batch, rows)
    return rows
