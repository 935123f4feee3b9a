"""The state of a build on disk: its table, its stream's checkpoint, and the files that it read."""

from featurestore.definitions.model.source import DeltaSource, FileSource, StoredSource
from featurestore.engines.spark.source.offsets import (
    has_ended_batch,
    last_batch,
    reservoir,
    resume_version,
    seen_files,
)
from featurestore.jobs.materialize.decide import Evidence
from featurestore.store.commit import CommitNotes, batch_commits
from featurestore.store.delta.log import is_table, latest_version, table_identity
from featurestore.store.layout import Layout
from featurestore.store.ledger.files import FileRecord, Files
from featurestore.store.ledger.tables import TableRecord
from featurestore.store.source_files import SourceFile, list_files

# Only compactions commit between batches, so one of the last commits is almost always a batch's.
_RECENT_COMMITS = 20


def gather(layout: Layout, record: TableRecord, source: StoredSource, source_uri: str) -> Evidence:
    """Return the state of one build of a view's table."""
    table = layout.features(record.view, record.table_id)
    newest = _newest(table)
    generation = None if newest is None else newest.generation
    is_files = isinstance(source, FileSource)
    return Evidence(
        table_exists=is_table(table),
        checkpoint_lost=newest is not None and _is_lost(layout, record, newest),
        resumes_at=_resumes_at(source, source_uri, newest),
        generation_used=generation == record.generation,
        changed_files=_changed(layout, record, source_uri) if is_files else (),
    )


def files_read(
    layout: Layout, record: TableRecord, source_uri: str, run_id: str
) -> tuple[FileRecord, ...]:
    """Return the files that the build has read and that are not in the ledger yet.

    A file that changed after it was read is recorded with the time of the reading and without a
    size, so that the next run reports it.
    """
    recorded = {file.path for file in Files(layout).records(record.table_id)}
    present = {file.path: file for file in list_files(source_uri)}
    return tuple(
        FileRecord(
            record.view,
            table_id=record.table_id,
            path=seen.path,
            size=_size(present.get(seen.path), seen.modified_at),
            modified_at=seen.modified_at,
            run_id=run_id,
        )
        for seen in seen_files(layout.checkpoint(record.table_id, record.generation))
        if seen.path not in recorded
    )


def _newest(table: str) -> CommitNotes | None:
    version = latest_version(table)
    if version is None:
        return None
    commits = batch_commits(table, after=version - _RECENT_COMMITS) or batch_commits(table)
    return commits[-1].notes if commits else None


def _is_lost(layout: Layout, record: TableRecord, newest: CommitNotes) -> bool:
    checkpoint = layout.checkpoint(record.table_id, record.generation)
    last = last_batch(checkpoint)
    if last is None:
        return True
    if newest.generation != record.generation:
        # Spark repeats a first batch that a crash cut off. Without startingVersion, Delta would
        # put the whole table into it.
        return not has_ended_batch(checkpoint)
    # A checkpoint restored from an older copy would repeat the numbers of committed batches.
    return newest.batch_id > last


def _resumes_at(source: StoredSource, source_uri: str, newest: CommitNotes | None) -> int | None:
    offset = None if newest is None else newest.source_offset
    if not isinstance(source, DeltaSource) or offset is None or not is_table(source_uri):
        return None
    return resume_version(offset) if reservoir(offset) == table_identity(source_uri) else None


def _changed(layout: Layout, record: TableRecord, source_uri: str) -> tuple[str, ...]:
    """Return the files that changed after they were read; a deleted file is fine."""
    recorded = {file.path: file for file in Files(layout).records(record.table_id)}
    # A run that was killed read files that are not in the ledger yet.
    seen = seen_files(layout.checkpoint(record.table_id, record.generation))
    present = list_files(source_uri) if recorded or seen else ()
    times = {file.path: file.modified_at for file in seen}
    return tuple(
        file.path
        for file in present
        if file.modified_at // 1000 != times.get(file.path, file.modified_at // 1000)
        or (file.path in recorded and not _is_same(file, recorded[file.path]))
    )


def _is_same(present: SourceFile, recorded: FileRecord) -> bool:
    return (present.size, present.modified_at // 1000) == (recorded.size, recorded.modified_at)


def _size(present: SourceFile | None, read_at: int) -> int:
    is_unchanged = present is not None and present.modified_at // 1000 == read_at
    return present.size if present is not None and is_unchanged else -1
