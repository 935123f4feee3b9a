"""The log of the files that a build has read, in the folder of its checkpoint.

A batch is recorded before it runs, with its files and its run, and again after it has ended. A
batch that was neither ended nor committed has stored nothing: the next run takes its files again,
as they are by then. The folders are those of Spark's streams, so that the log continues their
checkpoints.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from uuid import uuid4

from featurestore.engines.spark.source.offsets import (
    SeenFile,
    checkpoint_damage,
    last_ended_batch,
    seen_files,
)
from featurestore.engines.spark.source.renames import renames
from featurestore.store.commit import CommitNotes
from featurestore.store.delta.cleanup import Removed, remove_files
from featurestore.store.file_system import list_names, read_text, remove, write_text
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

    @cached_property
    def entries(self) -> tuple[SeenFile, ...]:
        """The files as the log has them. Their content is hashed once, before it is read."""
        return tuple(
            SeenFile(
                file.name,
                file.modified_at // 1000,
                size=file.size,
                digest=content_digest(file.address),
                batch=self.number,
            )
            for file in self.files
        )


@dataclass(frozen=True)
class FileLog:
    """The log, as one run writes it.

    Two runs at once would take the same number for different files, where no lock prevents it. So
    each run has files of its own in the log, until the table has a commit of its batch.

    Args:
        checkpoint: The address of the checkpoint.
        run_id: The run.
    """

    checkpoint: str
    run_id: str

    def new_batches(
        self, path: FilePath, newest: CommitNotes | None = None, limit: int | None = None
    ) -> Iterator[FileBatch]:
        """Yield batches of the files that were not read.

        Args:
            path: The source's files.
            newest: The notes of the newest batch of the checkpoint that the table has; its run
                may have been killed before its end was recorded.
            limit: The most files in a batch; None for all new files in one.
        """
        if newest is not None and newest.batch_id > last_ended_batch(self.checkpoint):
            read = seen_files(self.checkpoint, newest)
            own = [file for file in read if file.batch == newest.batch_id]
            self._end(newest.batch_id, newest.rows_in, own)
        self._record_renames(path)
        files = unread_files(path, seen_files(self.checkpoint))
        first, size = last_ended_batch(self.checkpoint) + 1, limit or max(len(files), 1)
        for number, start in enumerate(range(0, len(files), size), first):
            yield FileBatch(number, files[start : start + size])

    def begin(self, batch: FileBatch) -> None:
        """Record that a batch is about to run."""
        if read_text(f"{self.checkpoint}/metadata") is None:
            write_text(f"{self.checkpoint}/metadata", json.dumps({"id": str(uuid4())}))
        self._write(f"{batch.number}.{self.run_id}", batch.entries)
        lines = (_VERSION, "{}", json.dumps({"logOffset": batch.number}))
        write_text(f"{self.checkpoint}/offsets/{batch.number}", "\n".join(lines))

    def end(self, batch: FileBatch, rows: int) -> None:
        """Record that a batch has ended.

        Args:
            batch: The batch.
            rows: The number of its rows. If there are any, the table has a commit of the batch.
        """
        self._end(batch.number, rows, batch.entries)
        remove(self._address(f"{batch.number}.{self.run_id}"))

    def _record_renames(self, path: FilePath) -> None:
        """Add the new names of renamed files to the newest part of the log.

        Without them, a renamed file that is changed later would be a new one, with all its rows.
        """
        seen = {path.name_of(file.path): file for file in seen_files(self.checkpoint)}
        if not (found := renames(path, seen.values())):
            return
        last = last_ended_batch(self.checkpoint)
        files = (
            replace(seen[old], path=new, batch=last, renamed_from=old)
            for new, old in found.items()
        )
        address = self._address(_log_name(last))
        before = (read_text(address) or _VERSION).splitlines()
        write_text(address, "\n".join((*before, *map(_line, files))))

    def _end(self, number: int, rows: int, files: Iterable[SeenFile]) -> None:
        is_compact = _is_compact(number)
        earlier = seen_files(self.checkpoint) if is_compact else ()
        self._write(_log_name(number), (*earlier, *files))
        text = f"{_VERSION}\n{json.dumps({'rows': rows})}"
        write_text(f"{self.checkpoint}/commits/{number}", text)
        if is_compact:
            self._remove_before(number)

    def _remove_before(self, number: int) -> None:
        """Remove the files that a compact one repeats: the log would grow with each of these."""
        for name in list_names(self._address("")):
            if name.partition(".")[0].isdigit() and int(name.partition(".")[0]) < number:
                remove(self._address(name))

    def _write(self, name: str, files: Iterable[SeenFile]) -> None:
        write_text(self._address(name), "\n".join((_VERSION, *map(_line, files))))

    def _address(self, name: str) -> str:
        return f"{self.checkpoint}/sources/0/{name}"


def _line(file: SeenFile) -> str:
    return json.dumps(file.to_entry(), ensure_ascii=True)


def _is_compact(number: int) -> bool:
    return number % _COMPACTED == _COMPACTED - 1


def _log_name(number: int) -> str:
    """Return the name of an ended batch's file in the log."""
    return f"{number}.compact" if _is_compact(number) else str(number)


def unread_files(path: FilePath, seen: Iterable[SeenFile]) -> tuple[SourceFile, ...]:
    """Return the files of a source that were not read.

    A file that was renamed in its folder counts as read, see `renames`.

    Args:
        path: The source's files.
        seen: The files that were read.
    """
    entries = tuple(seen)
    read = {path.name_of(file.path) for file in entries} | renames(path, entries).keys()
    return tuple(file for file in path.files if file.name not in read)


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
