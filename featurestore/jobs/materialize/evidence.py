"""The state of a build on disk: its table, its stream's checkpoint, and the files that it read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from featurestore.definitions.model.source import (
    DeltaSource,
    FileSource,
    KafkaSource,
    StoredSource,
)
from featurestore.engines.files.event_days import event_days
from featurestore.engines.spark.source.checkpoint_owner import other_owner, owner_of
from featurestore.engines.spark.source.offsets import (
    SeenFile,
    batch_with_rows_after,
    checkpoint_damage,
    has_ended_batch,
    last_batch,
    reservoir,
    resume_version,
    seen_files,
)
from featurestore.engines.spark.source.renames import gone_names
from featurestore.errors import TableError
from featurestore.jobs.materialize.refusal import Evidence, listed
from featurestore.jobs.materialize.source_change import source_change
from featurestore.store.commit import CommitNotes, newest_batch
from featurestore.store.delta.log import (
    is_table,
    last_transaction,
    table_identity,
)
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.file_system import list_names
from featurestore.store.integrity import table_damage
from featurestore.store.layout import Layout
from featurestore.store.ledger.files import FileRecord, Files
from featurestore.store.ledger.runs import RunRecord
from featurestore.store.ledger.tables import TableRecord
from featurestore.store.source_files import FilePath, SourceFile, content_digest

_UNKNOWN = -1  # the size of a file that changed before it was recorded


def gather(
    layout: Layout,
    record: TableRecord,
    runs: Sequence[RunRecord],
    source: StoredSource,
    source_uri: str,
) -> Evidence:
    """Return the state of one build of a view's table, compared with the ledgers and the source.

    Args:
        layout: The addresses of the tables.
        record: The build.
        runs: The view's recorded runs.
        source: The view's source, or the table of its upstream view.
        source_uri: The source's address.
    """
    table = layout.features(record.view, record.table_id)
    own = [run for run in runs if run.table_id == record.table_id]
    damage, newest = table_damage(table, own), None
    try:
        newest = None if damage else _newest(table)
    except TableError as error:  # e.g. a damaged checkpoint of its log
        damage = error.found
    is_delta, is_files = isinstance(source, DeltaSource), isinstance(source, FileSource)
    files = _files(layout, record, source_uri, newest) if is_files else None
    problem = None if damage else _checkpoint_problem(layout, record, newest)
    if files is not None:
        problem = problem or _checkpoint_ahead(layout, record, newest) or files.unlogged
    has_no_row = not damage and newest is None and _is_empty(table)
    return Evidence(
        table_exists=bool(damage) or is_table(table),
        table_damage=damage,
        source_change=source_change(source_uri, newest, own) if is_delta else None,
        checkpoint_problem=problem.text if problem else None,
        resumes_at=_resumes_at(source, source_uri, newest),
        new_generation=_free_generation(layout, record) if _ends_generation(problem) else None,
        changed_files=tuple(file.path for file in files.changed) if files else (),
        changed_days=lambda: (
            event_days(source, files.changed) if files and isinstance(source, FileSource) else None
        ),
        lost_files=None if has_no_row else _lost(source, files),
    )


def snapshot_evidence(layout: Layout, record: TableRecord, runs: Sequence[RunRecord]) -> Evidence:
    """Return the state of a build of a snapshot view, whose source is read whole at each run.

    Args:
        layout: The addresses of the tables.
        record: The build.
        runs: The view's recorded runs.
    """
    table = layout.features(record.view, record.table_id)
    damage = table_damage(table, [run for run in runs if run.table_id == record.table_id])
    gone = "the changes of earlier runs are only in that table, not in the view's source"
    return Evidence(
        table_exists=bool(damage) or is_table(table), table_damage=damage, lost_files=gone
    )


def files_read(
    layout: Layout, record: TableRecord, source_uri: str, run_id: str
) -> tuple[FileRecord, ...]:
    """Return the files that the build has read, as far as they are not in the ledger yet.

    A file that changed after it was read is recorded with the time of the reading and without a
    size, so that the next run reports it. A copy is recorded with its own time, too.
    """
    checkpoint = layout.checkpoint(record.table_id, record.generation)
    seen = seen_files(checkpoint)
    if not seen:
        return ()
    path = FilePath(source_uri)
    known = _records(layout, record, path)
    present = {file.name: file for file in path.files}
    return tuple(
        FileRecord(
            record.view,
            table_id=record.table_id,
            path=name,
            size=size,
            modified_at=modified_at,
            run_id=run_id,
            digest=file.digest or None,
        )
        for file in seen
        for name in [path.name_of(file.path)]
        for size, modified_at in _new_states(file, present.get(name), known.get(name, ()))
    )


def _new_states(
    seen: SeenFile, present: SourceFile | None, records: Sequence[FileRecord]
) -> Iterator[tuple[int, int]]:
    """Yield a file's sizes and times that are not recorded: as it was read, and as a copy."""
    if not records:
        yield _size(seen, present), seen.modified_at
    elif present is None or _is_recorded(present, records):
        return
    elif _has_content(present, [seen]):
        # With the time of the copy, so that the next run need not read its content.
        yield present.size, present.modified_at // 1000


def _newest(table: str) -> CommitNotes | None:
    batch = newest_batch(table)
    return None if batch is None else batch.notes


def _is_empty(table: str) -> bool:
    return is_table(table) and not open_snapshot(table).rows


@dataclass(frozen=True)
class _Problem:
    """Why a checkpoint cannot continue, and whether its generation is used up."""

    text: str
    ends_generation: bool = True


def _checkpoint_problem(
    layout: Layout, record: TableRecord, newest: CommitNotes | None
) -> _Problem | None:
    checkpoint = layout.checkpoint(record.table_id, record.generation)
    if other := _other_checkpoint(checkpoint, record):
        return _Problem(other)
    if damage := checkpoint_damage(checkpoint):
        return _Problem(f"the checkpoint of its stream cannot be read: {damage}")
    if newest is None:
        return None
    is_used, last = newest.generation == record.generation, last_batch(checkpoint)
    if last is None:
        return _Problem(f"the checkpoint of its stream, {checkpoint}, is gone", is_used)
    application = f"{record.table_id}/{record.generation}"
    done = last_transaction(layout.features(record.view, record.table_id), application)
    if done != (newest.batch_id if is_used else None):
        return _Problem(
            f"another program has committed to its table as application {application!r}, "
            f"version {done}, so Delta would ignore the stream's next batches"
        )
    if not is_used:
        # Spark repeats a first batch that a crash cut off. Without startingVersion, Delta would
        # put the whole table into it.
        text = f"the checkpoint of its stream, {checkpoint}, has no finished batch"
        return None if has_ended_batch(checkpoint) else _Problem(text, ends_generation=False)
    # A checkpoint restored from an older copy would repeat the numbers of committed batches.
    text = f"the checkpoint of its stream, {checkpoint}, is older than its table"
    return _Problem(text) if newest.batch_id > last else None


def _other_checkpoint(checkpoint: str, record: TableRecord) -> str | None:
    """Return whose checkpoint is in the place of a build's own one, as a clause."""
    owner = other_owner(checkpoint)
    if owner is None:
        return None
    build = f"build {owner.table_id}"
    if owner.table_id == record.table_id:
        build += f", generation {owner.generation}"
    return f"the checkpoint at {checkpoint} is that of view {owner.view!r} ({build})"


def _ends_generation(problem: _Problem | None) -> bool:
    return problem is not None and problem.ends_generation


def _free_generation(layout: Layout, record: TableRecord) -> int:
    """Return the next generation that has no checkpoint, also not one of another build.

    Somebody may have copied all generations of another build into the folder of this one.
    """
    generation = record.generation + 1
    while _is_there(layout.checkpoint(record.table_id, generation)):
        generation += 1
    return generation


def _is_there(checkpoint: str) -> bool:
    return owner_of(checkpoint) is not None or bool(list_names(f"{checkpoint}/offsets"))


def _checkpoint_ahead(
    layout: Layout, record: TableRecord, newest: CommitNotes | None
) -> _Problem | None:
    """Return that files count as read whose rows a table lacks: it was restored from a copy."""
    if newest is None or newest.generation != record.generation:
        return None
    checkpoint = layout.checkpoint(record.table_id, record.generation)
    batch = batch_with_rows_after(checkpoint, newest.batch_id)
    text = f"its table has no commit of batch {batch}, which ended by the checkpoint {checkpoint}"
    return None if batch is None else _Problem(text)


def _lost(source: StoredSource, files: "_Files | None") -> str | None:
    if isinstance(source, KafkaSource):
        return "messages that it read may have expired in the topic"
    return files.lost if files else None


def _resumes_at(
    source: StoredSource, source_uri: str, newest: CommitNotes | None
) -> int | str | None:
    offset = None if newest is None else newest.source_offset
    if offset is None or isinstance(source, FileSource):
        return None
    if isinstance(source, KafkaSource):
        return offset
    if not is_table(source_uri):
        return None
    return resume_version(offset) if reservoir(offset) == table_identity(source_uri) else None


@dataclass(frozen=True)
class _Files:
    """The state of the source's files that were read: those that changed, and what is lost."""

    changed: tuple[SourceFile, ...]
    lost: str | None
    unlogged: _Problem | None = None


def _files(
    layout: Layout, record: TableRecord, source_uri: str, newest: CommitNotes | None
) -> _Files:
    is_current = newest is not None and newest.generation == record.generation
    checkpoint = layout.checkpoint(record.table_id, record.generation)
    # A run that was killed read files that are not in the ledger yet.
    entries = seen_files(checkpoint, newest if is_current else None)
    path = FilePath(source_uri)
    records = _records(layout, record, path)
    if not entries and not records:
        return _Files((), "no record says which files it read")
    seen = {path.name_of(file.path): file for file in entries}
    changed = tuple(
        file
        for file in path.files
        if not _is_same(file, seen.get(file.name), records.get(file.name, ()))
    )
    gone = gone_names(path, entries, records)
    folder = path.folder.rstrip("/")
    listed_files = listed([f"{folder}/{name}" for name in gone])
    unlogged = sorted(records.keys() - seen.keys())
    text = f"the checkpoint of its stream, {checkpoint}, lacks files that were read"
    return _Files(
        changed,
        f"files that it read are gone: {listed_files}" if gone else None,
        _Problem(f"{text}: {listed(unlogged)}") if unlogged else None,
    )


def _records(
    layout: Layout, record: TableRecord, path: FilePath
) -> Mapping[str, Sequence[FileRecord]]:
    """Return the ledger's records of each file that a build has read, by the file's name."""
    records: dict[str, list[FileRecord]] = {}
    for each in Files(layout).records(record.table_id):
        records.setdefault(path.name_of(each.path), []).append(each)
    return records


def _is_same(present: SourceFile, seen: SeenFile | None, records: Sequence[FileRecord]) -> bool:
    """Return whether a file is as it was read; one that was not read is.

    A copied file has another time, but the same content.
    """
    if _is_recorded(present, records) or (seen is None and not records):
        return True
    if seen is None:  # the checkpoint is gone: the ledger knows what was read
        return _has_content(present, records)
    is_listed = seen.modified_at == present.modified_at // 1000
    if is_listed and not records and seen.size in (present.size, _UNKNOWN):
        return True
    return _has_content(present, [seen])


def _is_recorded(present: SourceFile, records: Sequence[FileRecord]) -> bool:
    state = present.size, present.modified_at // 1000
    return any((each.size, each.modified_at) == state for each in records)


def _has_content(present: SourceFile, read: Sequence[SeenFile | FileRecord]) -> bool:
    """Return whether a file has the content of one that was read. Only then it is hashed."""
    digests = {each.digest for each in read if each.digest and each.size == present.size}
    return bool(digests) and content_digest(present.address) in digests


def _size(seen: SeenFile, present: SourceFile | None) -> int:
    if seen.size != _UNKNOWN:
        return seen.size
    is_unchanged = present is not None and present.modified_at // 1000 == seen.modified_at
    return present.size if present is not None and is_unchanged else _UNKNOWN
