"""Which rows of the source a repair reads: those that the view's runs have read so far.

A table whose later commits only add rows is read at the version that the last run has read: the
next run reads the later ones. Compactions that follow it change no row, so the table is read after
them: the files before them may have been removed. A table that was changed since, by an update or
a delete, is read at its newest version, as no stream goes on after such a commit; and files are
read as they are now.
Then all rows are compared with the stored ones, see `engines.spark.write.repair`.
"""

import json
from dataclasses import KW_ONLY, dataclass
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

from featurestore.definitions.model.source import DeltaSource
from featurestore.engines.spark.source.offsets import (
    last_ended_batch,
    resume_version,
    seen_files,
    source_offset,
)
from featurestore.engines.spark.source.renames import renames
from featurestore.jobs.materialize.refusal import Evidence
from featurestore.jobs.materialize.upstream import Upstream
from featurestore.store.commit import CommitNotes
from featurestore.store.delta.commit_files import (
    changes_table,
    commit_actions,
    commit_digest,
    oldest_version,
    read_if_known,
)
from featurestore.store.delta.log import latest_version
from featurestore.store.delta.snapshot import open_table
from featurestore.store.file_system import file_system
from featurestore.store.source_files import FilePath, SourceFile

# At its start, Spark's stream reads the last batch of its checkpoint again, and refuses one with
# an update or a delete. So an empty batch follows the one that the repair stands for.
NEW_BATCHES = 2


@dataclass(frozen=True)
class Position:
    """Which rows of a source to read, and the batch that the new table ends with.

    Args:
        batch_id: The number of the batch that the new table ends with.
        last: The last batch that has ended, or that the table has. What another process does after
            it is left to the next run.
        source_offset: The end of that batch in the source, as the checkpoint's JSON text.
        source_commit: A hash of the newest commit that is read of a Delta source.
        version: The version of a Delta source; None for files.
        files: The files; empty for a Delta source.
        changed: Those of the files that changed after they were read.
        is_changed: Whether the source has changed since, or may have: then all its rows are
            compared with the stored ones, and the batch is a new one.
        is_known: Whether the commits of the source that tell this can be read.
    """

    batch_id: int
    _: KW_ONLY
    last: int
    source_offset: str | None
    source_commit: str | None = None
    version: int | None = None
    files: tuple[SourceFile, ...] = ()
    changed: tuple[SourceFile, ...] = ()
    is_changed: bool = False
    is_known: bool = True


def position_of(
    upstream: Upstream, checkpoint: str, newest: CommitNotes, generation: int, evidence: Evidence
) -> Position | None:
    """Return which rows of the source to read; None if these cannot be read now.

    The first build may not have read the source to an end; or rows came since, and the version
    before them is gone.

    Args:
        upstream: The source, or the upstream view's table.
        checkpoint: The address of the stream's checkpoint.
        newest: The notes of the view's newest batch.
        generation: The generation of the checkpoint.
        evidence: The state of the view's table and source.
    """
    is_own = newest.generation == generation
    ended = last_ended_batch(checkpoint)
    batch_id = newest.batch_id if is_own else ended
    if not isinstance(upstream.source, DeltaSource):
        return _of_files(upstream.uri, checkpoint, newest, batch_id, evidence)
    last = max(ended, batch_id)
    offset = source_offset(checkpoint, last) or newest.source_offset
    first_unread, present = resume_version(offset), latest_version(upstream.uri)
    if offset is None or first_unread is None or present is None:
        return None
    changed = _rows_changed(upstream.uri, first_unread, present)
    if changed is False:
        version = _after_compactions(upstream.uri, first_unread, present)
        if version < oldest_version(upstream.uri):
            return None  # Delta has removed the commits of that version
        return Position(
            batch_id,
            last=last,
            source_offset=newest.source_offset,
            source_commit=newest.source_commit,
            version=version,
        )
    return Position(
        last + NEW_BATCHES,
        last=last,
        source_offset=_offset_after(offset, present),
        source_commit=commit_digest(upstream.uri, present),
        version=present,
        is_changed=True,
        is_known=changed is not None,
    )


def _of_files(
    uri: str, checkpoint: str, newest: CommitNotes, batch_id: int, evidence: Evidence
) -> Position:
    path = FilePath(uri)
    present = {file.name: file for file in path.files}
    seen = seen_files(checkpoint, newest)
    read = {path.name_of(file.path) for file in seen} | renames(path, seen).keys()
    files = tuple(present[name] for name in sorted(read) if name in present)
    changed = tuple(file for file in files if file.path in evidence.changed_files)
    last = max(last_ended_batch(checkpoint), batch_id)
    return Position(
        last + 1 if changed else batch_id,
        last=last,
        source_offset=json.dumps({"logOffset": last + 1}) if changed else newest.source_offset,
        files=files,
        changed=changed,
        is_changed=bool(changed),
    )


def _rows_changed(uri: str, first: int, newest: int) -> bool | None:
    """Return whether a commit since a version has taken rows away; None if one cannot be read."""
    commits = [commit_actions(uri, version) for version in range(first, newest + 1)]
    if any(actions is not None and _takes_rows(actions) for actions in commits):
        return True
    return None if None in commits else False


def _takes_rows(actions: tuple[dict[str, dict[str, object]], ...]) -> bool:
    return any("remove" in each and each["remove"].get("dataChange", True) for each in actions)


def _after_compactions(uri: str, first: int, newest: int) -> int:
    """Return the last version that has the same rows as the version before ``first``."""
    for version in range(first, newest + 1):
        actions = commit_actions(uri, version)
        if actions is None or changes_table(actions):
            return version - 1
    return newest


def lost_file(uri: str, version: int) -> str | None:
    """Return the address of a data file that a version of a table needs, and that is gone.

    Only files that the newest version does not need are looked at: others are not removed. None if
    all are there, or if Arrow cannot read the object store.

    Args:
        uri: The table's address.
        version: The Delta version.
    """
    newest = open_table(uri)
    if newest.version() == version:
        return None
    older = sorted(_paths(open_table(uri, version)) - _paths(newest))
    lost = (f"{uri}/{path}" for path in older if not _is_there(uri, path))
    return read_if_known(uri, lambda: next(lost, None))


def _paths(table: DeltaTable) -> set[str]:
    return {*pa.table(table.get_add_actions())["path"].to_pylist()}


def _is_there(uri: str, path: str) -> bool:
    files, folder = file_system(uri)
    # The log has URLs: some characters of a partition's value are encoded in them once more.
    found = files.get_file_info([f"{folder}/{each}" for each in (path, unquote(path))])
    return any(info.is_file for info in found)


def _offset_after(offset: str, version: int) -> str:
    """Return the offset of a stream that has read a table up to and with a version."""
    fields = json.loads(offset)
    # -1: no file of the next version was read.
    end = {"reservoirVersion": version + 1, "index": -1, "isStartingVersion": False}
    return json.dumps(fields | end)
