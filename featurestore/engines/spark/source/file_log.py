"""The log of the files that a build has read, in the folder of its checkpoint.

A batch is recorded before it runs, with its files, and again after it has ended. A batch that was
neither ended nor committed has stored nothing: the next run takes its files again, as they are by
then. The folders are those of Spark's streams, so that the log continues their checkpoints.
"""

import json
from dataclasses import dataclass
from uuid import uuid4

from featurestore.engines.spark.source.offsets import (
    checkpoint_damage,
    last_ended_batch,
    seen_files,
)
from featurestore.store.delta.cleanup import Removed, remove_files
from featurestore.store.file_system import list_names, read_text, write_text
from featurestore.store.source_files import FilePath, SourceFile, content_digest

_VERSION = "v1"
_COMPACTED = 20  # every so many batches, the log is written in one file
_RECENT_BATCHES = 20


@dataclass(frozen=True)
class FileBatch:
    """A batch of files.

    Args:
        number: Its number, from 0.
        files: The files.
    """

    number: int
    files: tuple[SourceFile, ...]


def begin_batch(
    checkpoint: str, path: FilePath, *, committed: int = -1, limit: int | None = None
) -> FileBatch | None:
    """Record the next batch, of files that were not read, and return it; None without such files.

    Args:
        checkpoint: The address of the checkpoint.
        path: The source's files.
        committed: The newest batch of the checkpoint that the table has; -1 for none.
        limit: The most files; None for all new files.
    """
    seen = seen_files(checkpoint, committed)
    names = {path.name_of(file.path) for file in seen}
    files = tuple(file for file in path.files if file.name not in names)[:limit]
    if not files:
        return None
    if read_text(f"{checkpoint}/metadata") is None:
        write_text(f"{checkpoint}/metadata", json.dumps({"id": str(uuid4())}))
    batch = FileBatch(max(last_ended_batch(checkpoint), committed) + 1, files)
    _write_files(checkpoint, batch)
    lines = (_VERSION, "{}", json.dumps({"logOffset": batch.number}))
    write_text(f"{checkpoint}/offsets/{batch.number}", "\n".join(lines))
    return batch


def end_batch(checkpoint: str, batch: FileBatch, rows: int) -> None:
    """Record that a batch has ended.

    Args:
        checkpoint: The address of the checkpoint.
        batch: The batch.
        rows: The number of its rows. If there are any, the table has a commit of the batch.
    """
    ended = json.dumps({"rows": rows})
    write_text(f"{checkpoint}/commits/{batch.number}", f"{_VERSION}\n{ended}")


def prune(checkpoint: str, *, dry_run: bool = False) -> Removed:
    """Remove the files of the log that a later one repeats, and those of earlier batches.

    Args:
        checkpoint: The address of the checkpoint.
        dry_run: Whether to remove nothing.

    Returns:
        What was removed; nothing for the checkpoint of Spark's streams of Delta tables.

    Example:
        >>> prune("no/such/checkpoint")
        Removed(files=0, size=0)
    """
    if checkpoint_damage(checkpoint):  # nothing else may have what its newest files lack
        return Removed()
    log = f"{checkpoint}/sources/0"
    compacted = [
        int(name.partition(".")[0]) for name in list_names(log) if name.endswith(".compact")
    ]
    oldest = min(max(compacted, default=0), last_ended_batch(checkpoint) - _RECENT_BATCHES)
    old = [
        f"{folder}/{name}"
        for folder in (log, f"{checkpoint}/offsets", f"{checkpoint}/commits")
        for name in list_names(folder)
        # Hadoop writes a hidden file with a checksum beside each file.
        if (number := name.lstrip(".").partition(".")[0]).isdigit() and int(number) < oldest
    ]
    return remove_files(old, dry_run=dry_run)


def _write_files(checkpoint: str, batch: FileBatch) -> None:
    entries: list[dict[str, str | int]] = [
        {
            "name": file.name,
            "size": file.size,
            "timestamp": file.modified_at // 1000,
            "digest": content_digest(file.address),
            "batchId": batch.number,
        }
        for file in batch.files
    ]
    name = str(batch.number)
    if batch.number % _COMPACTED == _COMPACTED - 1:
        name += ".compact"
        earlier = seen_files(checkpoint, batch.number - 1)
        entries = [*(file.to_entry() for file in earlier), *entries]
    lines = (json.dumps(entry, ensure_ascii=True) for entry in entries)
    write_text(f"{checkpoint}/sources/0/{name}", "\n".join((_VERSION, *lines)))
