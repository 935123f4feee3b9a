"""The run of a view whose source is files: batches of new files, each one commit."""

from pyspark.sql import SparkSession

from featurestore.definitions.model.source import FileSource
from featurestore.engines.spark.source.file_log import FileBatch, FileLog
from featurestore.engines.spark.source.file_rows import read_and_count
from featurestore.engines.spark.write.batch import Target, commit_batch
from featurestore.engines.spark.write.cancel import run_cancellable
from featurestore.engines.spark.write.stream import Stream, interrupted
from featurestore.store.columns import used_columns
from featurestore.store.commit import CommitNotes, batch_commit
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
    log = FileLog(target.checkpoint, target.run_id)
    batches = rows = 0
    for batch in log.new_batches(path, _newest(target), run.reading.files_per_batch):
        if run.stop.is_set():
            raise interrupted(run.view)
        log.begin(batch)
        count = len(batch.files)
        run.watch(batches, rows, f"{count:,} new file{'s' * (count != 1)}")
        read = _run_batch(spark, run, source, batch)
        log.end(batch, read)
        batches, rows = batches + 1, rows + read
        run.watch(batches, rows)


def _newest(target: Target) -> CommitNotes | None:
    """Return the notes of the newest batch that the table has of this checkpoint."""
    done = last_transaction(target.table, target.application)
    commit = None if done is None else batch_commit(target.table, target.generation, done)
    return None if commit is None else commit.notes


def _run_batch(spark: SparkSession, run: Stream, source: FileSource, batch: FileBatch) -> int:
    """Run one batch, and return the number of rows read."""

    def store() -> int:
        rows, counts = read_and_count(source, spark, batch.files, used_columns(run.view))
        return commit_batch(run.view, run.target, rows, batch.number, counts.total)

    return run_cancellable(spark, run, store)
