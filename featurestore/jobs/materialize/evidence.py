"""What lies on disk of a build: its table, its stream's checkpoint, and the files it has read."""

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

# Beside our batches' commits there are only those of compaction, so that a few hold one of ours.
_FEW = 20


def gather(layout: Layout, record: TableRecord, source: StoredSource, uri: str) -> Evidence:
    """Return what is found of one build of a view's table, which is made of a source."""
    table = layout.features(record.view, record.table_id)
    newest = _newest(table)
    generation = None if newest is None else newest.generation
    return Evidence(
        exists=is_table(table),
        lost=newest is not None and _is_lost(layout, record, newest),
        resumes_at=_resumes_at(source, uri, newest),
        generation_used=generation == record.generation,
        changed_files=_changed(layout, record, uri) if isinstance(source, FileSource) else (),
    )


def files_read(
    layout: Layout, record: TableRecord, place: str, run_id: str
) -> tuple[FileRecord, ...]:
    """Return the files that the build has read and the ledger does not know yet.

    A file that changed since it was read is kept with the time of its reading and no size, so
    that the next run notices it.
    """
    known = {file.path for file in Files(layout).records(record.table_id)}
    lying = {file.path: file for file in list_files(place)}
    return tuple(
        FileRecord(
            record.view,
            table_id=record.table_id,
            path=seen.path,
            size=_size(lying.get(seen.path), seen.modified_at),
            modified_at=seen.modified_at,
            run_id=run_id,
        )
        for seen in seen_files(layout.checkpoint(record.table_id, record.generation))
        if seen.path not in known
    )


def _newest(table: str) -> CommitNotes | None:
    version = latest_version(table)
    if version is None:
        return None
    found = batch_commits(table, after=version - _FEW) or batch_commits(table)
    return found[-1].notes if found else None


def _is_lost(layout: Layout, record: TableRecord, newest: CommitNotes) -> bool:
    checkpoint = layout.checkpoint(record.table_id, record.generation)
    last = last_batch(checkpoint)
    if last is None:
        return True
    if newest.generation != record.generation:
        # Spark repeats a first batch that a crash cut off, and only startingVersion keeps Delta
        # from putting the whole table into it.
        return not has_ended_batch(checkpoint)
    # An older checkpoint, put back from a copy, would number new batches like committed ones.
    return newest.batch_id > last


def _resumes_at(source: StoredSource, place: str, newest: CommitNotes | None) -> int | None:
    offset = None if newest is None else newest.source_offset
    if not isinstance(source, DeltaSource) or offset is None or not is_table(place):
        return None
    return resume_version(offset) if reservoir(offset) == table_identity(place) else None


def _changed(layout: Layout, record: TableRecord, place: str) -> tuple[str, ...]:
    """A file that is gone is no trouble: its rows are stored. One that changed is."""
    known = {file.path: file for file in Files(layout).records(record.table_id)}
    # A run that was killed read files that the ledger does not know yet.
    seen = seen_files(layout.checkpoint(record.table_id, record.generation))
    lying = list_files(place) if known or seen else ()
    times = {file.path: file.modified_at for file in seen}
    return tuple(
        file.path
        for file in lying
        if file.modified_at // 1000 != times.get(file.path, file.modified_at // 1000)
        or (file.path in known and not _is_same(file, known[file.path]))
    )


def _is_same(lying: SourceFile, known: FileRecord) -> bool:
    return (lying.size, lying.modified_at // 1000) == (known.size, known.modified_at)


def _size(lying: SourceFile | None, read_at: int) -> int:
    return lying.size if lying is not None and lying.modified_at // 1000 == read_at else -1
