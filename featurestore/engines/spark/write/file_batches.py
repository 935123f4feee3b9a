"""The run of a view whose source is files: batches of new files, each one commit."""

from pyspark.sql import SparkSession

from featurestore.definitions.model.source import FileSource
from featurestore.engines.spark.source.file_log import FileBatch, begin_batch, end_batch
from featurestore.engines.spark.source.file_rows import read_files
from featurestore.engines.spark.write.batch import commit_batch
from featurestore.engines.spark.write.cancel import run_cancellable
from featurestore.engines.spark.write.stream import Stream, interrupted
from featurestore.store.columns import used_columns
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
    """Run one batch, and return the number of rows read."""

    def store() -> int:
        rows = read_files(source, spark, batch.files, used_columns(run.view))
        return commit_batch(run.view, run.target, rows, batch.number)

    rows = run_cancellable(spark, run, store)
    end_batch(run.target.checkpoint, batch, rows)
    return rows
