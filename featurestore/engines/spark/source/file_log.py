"""The log of the files that a build has read, in the folder of its checkpoint.

A batch is recorded before it runs, with its files, and again after it has ended. A batch that was
neither ended nor committed has stored nothing: the next run takes its files again, as they are by
then. The folders are those of Spark's streams, so that the log continues their checkpoints.
"""

import json
from dataclasses import dataclass
from uuid import uuid4

from featurestore.engines.spark.source.offsets import last_ended_batch, seen_files
from featurestore.store.file_system import read_text, write_text
from featurestore.store.source_files import FilePath, SourceFile, content_digest

_VERSION = "v1"
_COMPACTED = 20  # every so many batches, the log is written in one file


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
