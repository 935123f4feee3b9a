"""One batch of a stream: its rows are transformed, cast, and committed to the feature table."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime
from functools import partial

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from featurestore.definitions.model.source import KafkaSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.run import run_failure
from featurestore.engines.spark.errors.transport import send_errors
from featurestore.engines.spark.errors.unwrap import is_cancelled
from featurestore.engines.spark.source.messages import readable, with_unreadable
from featurestore.engines.spark.source.offsets import source_commit, source_offset
from featurestore.engines.spark.transform.inputs import batch_input
from featurestore.engines.spark.transform.run import transformed
from featurestore.engines.spark.transform.stored_rows import sort_columns, stored_rows
from featurestore.engines.spark.write.batch_rows import (
    BatchRows,
    batch_rows,
    batch_rows_once,
    failures,
    with_history,
)
from featurestore.engines.spark.write.file_sizes import file_count
from featurestore.engines.spark.write.masks import Validation
from featurestore.engines.spark.write.profiling import (
    Profiling,
    descriptions,
    file_descriptions,
    reads_files,
)
from featurestore.engines.spark.write.quarantine import commit_quarantine, require_written
from featurestore.engines.spark.write.repeated import without_repeated
from featurestore.errors import ConflictError, MaterializationError
from featurestore.store.commit import LOG_PROPERTIES, CommitNotes, batch_commit
from featurestore.store.delta.log import last_transaction
from featurestore.store.delta.replacement import BYTES_PER_FILE, ROWS_PER_FILE
from featurestore.store.failures import storage_errors
from featurestore.store.fault_points import fault_point
from featurestore.store.lease import NO_LEASE, HeldLock, confirm_lease
from featurestore.store.quarantine import QuarantineNotes


@dataclass(frozen=True)
class Target:
    """The destination of a run's batches; plain data, because Spark may pickle it.

    Args:
        run_id: The run.
        table_id: The build of the view's table.
        generation: The generation of the stream's checkpoint.
        table: The feature table's address.
        checkpoint: The checkpoint's address.
        source: The source's address.
        quarantine: The address of the quarantine.
        staging: The folder for rows that are being checked.
        validation: The checks of the rows; None if the view has no expectations.
        profiling: How the stored rows are described for a profile; None without one.
        started_at: When the run started.
        start: Rows of older events are left out; None keeps all.
        rows_per_file: The intended number of rows in a file.
        bytes_per_file: The intended most bytes of a file's values before they are compressed.
        columns: The columns of the source that the run accepted, each as name and type.
        reads_again: Whether the rows of a stream's batch are read from the source each time that
            they are needed; otherwise a copy of them is kept.
        lock: The view's lock, which the run holds.
    """

    run_id: str
    _: KW_ONLY
    table_id: str
    generation: int
    table: str
    checkpoint: str
    source: str
    quarantine: str
    staging: str
    validation: Validation | None = None
    profiling: Profiling | None = None
    started_at: datetime
    start: datetime | None = None
    rows_per_file: int = ROWS_PER_FILE
    bytes_per_file: int = BYTES_PER_FILE
    columns: tuple[tuple[str, str], ...] | None = None
    reads_again: bool = False
    lock: HeldLock = NO_LEASE

    @property
    def application(self) -> str:
        """The name by which Delta numbers these batches; each checkpoint starts from 0 again."""
        return f"{self.table_id}/{self.generation}"


def write_batch(view: FeatureView, target: Target, rows: DataFrame, batch_id: int) -> None:
    """Commit one batch to the feature table; a batch that is already committed changes nothing.

    Spark may call this in another process than the driver's, so the commit's ``userMetadata`` is
    the only record of what it did.

    Args:
        view: The view, as loaded.
        target: The destination.
        rows: The source's new rows.
        batch_id: The stream's number of the batch; a repeated batch has the same number.
    """
    call = f"commit batch {batch_id} of view {view.name!r}"
    # Mapped here: Spark passes on only the text of an exception of the disk.
    with send_errors(), storage_errors(call, target.table):
        done = last_transaction(target.table, target.application)
        if done is None or batch_id > done:
            commit_batch(view, target, rows, batch_id)
        elif not _is_committed(target, batch_id):
            raise MaterializationError(
                call,
                f"another program has committed to table {target.table} as application "
                f"{target.application!r} of version {done}, so Delta would ignore the batch",
                _again_or_full(view),
            )


def _is_committed(target: Target, batch_id: int) -> bool:
    """Return whether a batch was committed before, rather than its number used for other rows."""
    commit = batch_commit(target.table, target.generation, batch_id)
    if commit is None:
        return False
    return commit.notes.source_offset in (None, source_offset(target.checkpoint, batch_id))


def _again_or_full(view: FeatureView) -> str:
    return (
        f"Run `featurestore materialize {view.name}` again. If it fails again, rebuild the "
        f"table with `featurestore materialize {view.name} --full`."
    )


def commit_batch(
    view: FeatureView,
    target: Target,
    rows: DataFrame,
    batch_id: int,
    count: Callable[[DataFrame], int] = DataFrame.count,
) -> int:
    """Commit one batch that the table does not have, and return the number of rows read.

    Args:
        view: The view, as loaded.
        target: The destination.
        rows: The source's new rows.
        batch_id: The batch's number.
        count: Returns the number of the source's new rows, after they were read.

    Raises:
        FeatureStoreError: The rows cannot be read, transformed or stored; nothing was committed.
    """
    with cause_named(view):
        fault_point("source.pinned", view.name)
        return _write(view, target, rows, batch_id, count)


def _write(
    view: FeatureView,
    target: Target,
    rows: DataFrame,
    batch_id: int,
    count: Callable[[DataFrame], int],
) -> int:
    source_rows = batch_input(view, rows, target.checkpoint, target.generation, batch_id)
    with unpersisted(source_rows):
        stored = _stored(view, target, source_rows)
        with _batch(view, target, stored) as batch:
            # The counts are part of the commit, so they come first.
            notes = _notes(view, target, batch, batch_id, partial(count, source_rows))
            fault_point("rows.computed", view.name)
            quarantine_rows(view, target, batch, notes)
            if target.validation is not None:
                checked = notes.rows_out + notes.rows_quarantined
                require_gate(target.validation, checked, notes)
            commit_rows(view, target, batch, notes)
            return notes.rows_in


def _batch(
    view: FeatureView, target: Target, stored: DataFrame
) -> AbstractContextManager[BatchRows]:
    if target.reads_again and target.validation is None:
        return nullcontext(batch_rows(view, stored))
    return batch_rows_once(view, stored, target.validation, target.staging)


def _stored(view: FeatureView, target: Target, source_rows: DataFrame) -> DataFrame:
    if not isinstance(view.source, KafkaSource):
        return stored_rows(view, transformed(view, source_rows), target.start)
    stored = stored_rows(view, transformed(view, readable(source_rows)), target.start)
    return with_unreadable(stored, source_rows)


def commit_stored(
    view: FeatureView,
    target: Target,
    stored: DataFrame,
    batch_id: int,
    *,
    delivery: DataFrame,
    history: DataFrame | None = None,
) -> int:
    """Commit the changes that a snapshot view's run found, and return their number.

    A bad row that is in the quarantine since an earlier run is no change. Where all changes are
    bad, the commit has no rows: its notes count them.

    Args:
        view: The view, as loaded.
        target: The destination.
        stored: The rows, by `stored_rows`.
        batch_id: The number of the commit.
        delivery: All rows that the source has now, changed or not: the gate's share is of these.
        history: The rows of an earlier table, for a new one. They are not checked: the source
            cannot give them again, and the next run would remove them from the quarantine.
    """
    with batch_rows_once(view, stored, target.validation, target.staging) as checked:
        found = notes_of(view, target, checked, batch_id)
        batch = with_history(without_repeated(view, checked, target.quarantine), history)
        notes = found
        if batch is not checked:
            notes = notes_of(view, target, batch, batch_id)
        notes = replace(notes, snapshot=True)
        fault_point("rows.computed", view.name)
        quarantine_rows(view, target, batch, notes)
        if target.validation is not None:
            require_gate(target.validation, delivery.count(), found)
        commit_rows(view, target, batch, notes)
        return notes.rows_in


@contextmanager
def unpersisted(rows: DataFrame) -> Iterator[None]:
    """Release the cached rows at the end."""
    try:
        yield
    finally:
        rows.unpersist()


@contextmanager
def cause_named(view: FeatureView) -> Iterator[None]:
    """Map Spark's failures here: outside of the batch function, their causes are lost."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        if is_cancelled(error):
            raise
        raise run_failure(error, view) from error


def _notes(
    view: FeatureView,
    target: Target,
    batch: BatchRows,
    batch_id: int,
    count: Callable[[], int],
) -> CommitNotes:
    notes = notes_of(view, target, batch, batch_id)
    if view.transform is not None or target.start is not None:  # rows may have been left out
        notes = replace(notes, rows_in=count())
    offset = _position(view, target, batch_id)
    commit = source_commit(target.source, offset)
    return replace(notes, source_offset=offset, source_commit=commit)


def _position(view: FeatureView, target: Target, batch_id: int) -> str:
    """Return the end of a batch in the source, which was written before the batch began.

    Raises:
        MaterializationError: The checkpoint no longer has it. No later run could go on after a
            commit without its position, if it needs one.
    """
    offset = source_offset(target.checkpoint, batch_id)
    if offset is None:
        file = f"{target.checkpoint}/offsets/{batch_id}"
        raise MaterializationError(
            f"commit batch {batch_id} of view {view.name!r}",
            f"the file {file} of its stream's checkpoint is gone or empty, so the position of the "
            "batch in its source is not known. Nothing was committed",
            f"Find out what removes files there, and run `featurestore materialize {view.name}`.",
        )
    return offset


def notes_of(view: FeatureView, target: Target, batch: BatchRows, batch_id: int) -> CommitNotes:
    """Return the notes of a batch with its counts.

    Args:
        view: The view, as loaded.
        target: The destination.
        batch: The rows.
        batch_id: The number of the commit.
    """
    counts = batch.counts
    return CommitNotes(
        target.run_id,
        view=view.name,
        table_id=target.table_id,
        generation=target.generation,
        batch_id=batch_id,
        source_offset=None,
        rows_in=int(counts["rows_out"] + counts["rows_quarantined"]),
        rows_out=counts["rows_out"],
        null_rows=counts["null_rows"],
        null_unique_rows=counts["null_unique_rows"],
        rows_quarantined=counts["rows_quarantined"],
        failures=failures(batch) if counts["rows_failing"] else {},
        max_event_timestamp=counts["newest"],
        started_at=target.started_at,
        source_columns=target.columns,
        source_name=view.source.name,
    )


def quarantine_rows(
    view: FeatureView, target: Target, batch: BatchRows, notes: CommitNotes
) -> None:
    """Commit the bad rows, if there are any.

    Args:
        view: The view, as loaded.
        target: The destination.
        batch: The rows.
        notes: The notes of the batch.
    """
    if notes.rows_quarantined:
        own = QuarantineNotes(
            target.run_id,
            generation=target.generation,
            batch_id=notes.batch_id,
            rows=notes.rows_quarantined,
        )
        confirm_lease(target.lock, f"quarantine rows of view {view.name!r}")
        commit_quarantine(view, batch, target.quarantine, own, target.started_at)
    fault_point("quarantine.committed", view.name)


def require_gate(validation: Validation, rows: int, found: CommitNotes) -> None:
    """Check that so many rows may be stored, from the counts of what was found in them.

    Raises:
        DataQualityError: The expectations of the view stop the batch.
    """
    refused = validation.gate(rows, found.rows_quarantined, found.failures)
    if refused is not None:
        raise refused


def commit_rows(view: FeatureView, target: Target, batch: BatchRows, notes: CommitNotes) -> None:
    """Append good rows to the table in one commit with their notes, and check that it is there.

    Args:
        view: The view, as loaded.
        target: The destination.
        batch: The rows.
        notes: The notes.

    Raises:
        ConflictError: Another run has committed the batch, or another process has the lock.
        MaterializationError: Delta did not commit the rows.
    """
    profiling = target.profiling if notes.rows_out else None
    if profiling is None:
        _commit(view, target, batch, notes)
    elif reads_files(spark := batch.rows.sparkSession, target.table):
        version = _commit(view, target, batch, notes)
        profiling.collect(file_descriptions(spark, target.table, version, profiling))
    else:
        # Before the commit: it releases copies of rows that were compared with the table.
        texts = descriptions(batch.good, profiling)
        _commit(view, target, batch, notes)
        profiling.collect(texts)


def _commit(view: FeatureView, target: Target, batch: BatchRows, notes: CommitNotes) -> int:
    # Delta's commits to S3 are not on the condition that nobody else has made that commit.
    confirm_lease(target.lock, f"commit batch {notes.batch_id} of view {view.name!r}")
    # A batch whose rows were all left out is committed too: the counts are only in its notes.
    if notes.rows_in or notes.repair:
        files = _file_count(target, batch, notes)
        # A coalesce would read the whole source by one task, where no copy of the rows is kept.
        rows = batch.good.repartition(1) if files == 1 and target.reads_again else batch.good
        ordered = in_order(view, rows, files)
        ordered.write.format("delta").mode("append").options(
            txnAppId=target.application,
            txnVersion=str(notes.batch_id),
            userMetadata=notes.to_json(),
            **LOG_PROPERTIES,
        ).save(target.table)
        fault_point("data.committed", view.name)
    version = _own_commit(view, target, notes)
    if notes.rows_in or notes.repair:
        require_written(view, target.table, notes.rows_out)
        fault_point("commit.verified", view.name)
    return version


def _file_count(target: Target, batch: BatchRows, notes: CommitNotes) -> int:
    limits = {"most_rows": target.rows_per_file, "most_bytes": target.bytes_per_file}
    return file_count(notes.rows_out, batch.counts["bytes"], **limits)


def _own_commit(view: FeatureView, target: Target, notes: CommitNotes) -> int:
    """Return the version of the batch of this run; -1 if it had no row, and no run has it.

    Delta ignores a write whose number is not newer, without an exception.
    """
    commit = batch_commit(target.table, target.generation, notes.batch_id)
    call = f"commit batch {notes.batch_id} of view {view.name!r}"
    if commit is not None and commit.notes.run_id != target.run_id:
        raise ConflictError(
            call,
            f"run {commit.notes.run_id} has committed the batch at the same time",
            f"Wait until that run has ended. Then run `featurestore materialize {view.name}`.",
        )
    if commit is None and notes.rows_in:
        found = f"Delta did not commit it to table {target.table}"
        raise MaterializationError(call, found, _again_or_full(view))
    return -1 if commit is None else commit.version


def in_order(view: FeatureView, rows: DataFrame, files: int) -> DataFrame:
    order = sort_columns(view)
    ranged = rows.coalesce(1) if files == 1 else rows.repartitionByRange(files, *order)
    return ranged.sortWithinPartitions(*order)
