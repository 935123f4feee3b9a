"""The contents of a stream's checkpoint, and the version to resume from if it was lost.

One that belongs to another build has no contents here: see `checkpoint_owner`.
"""

import json
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass

from featurestore.engines.spark.source.checkpoint_owner import other_owner
from featurestore.store.commit import CommitNotes
from featurestore.store.delta.commit_files import commit_digest
from featurestore.store.file_system import list_names, read_text
from featurestore.store.source_files import path_of

# In Delta's offsets: no file of the version was read yet, and the version before was read in full.
_BEFORE_FIRST_FILE = -1
# In Spark's offsets: nothing was read of a source yet.
_NO_OFFSET = ("-",)
# The first byte of Kafka's own file in a checkpoint.
_KAFKA = "\0"


@dataclass(frozen=True)
class SeenFile:
    """A file that a build has read.

    Args:
        path: Its name below the source's folder; its path in a checkpoint that Spark has written.
        modified_at: Its modification time when it was listed, in UTC milliseconds.
        size: Its size in bytes; -1 if it is unknown.
        digest: The hash of its content; empty if it is unknown.
        batch: The batch that read it.
        renamed_from: Its name when it was read, if it was renamed since; ``""`` if it was not.
    """

    path: str
    modified_at: int
    _: KW_ONLY
    size: int = -1
    digest: str = ""
    batch: int = 0
    renamed_from: str = ""

    def to_entry(self) -> dict[str, str | int]:
        """Return its entry in the log."""
        entry: dict[str, str | int] = {
            "name": self.path,
            "size": self.size,
            "timestamp": self.modified_at,
            "digest": self.digest,
            "batchId": self.batch,
        }
        return entry | ({"renamedFrom": self.renamed_from} if self.renamed_from else {})


def last_batch(checkpoint: str) -> int | None:
    """Return a checkpoint's newest batch, begun or ended; None without a checkpoint.

    Example:
        >>> last_batch("no/such/checkpoint") is None
        True
    """
    return max(_batches(checkpoint, "offsets"), default=None)


def has_ended_batch(checkpoint: str) -> bool:
    """Return whether a checkpoint has a batch that ended.

    Example:
        >>> has_ended_batch("no/such/checkpoint")
        False
    """
    return bool(_batches(checkpoint, "commits"))


def checkpoint_damage(checkpoint: str) -> str | None:
    """Return what is wrong with the files of a checkpoint that Spark continues from, as a clause.

    Spark reads the newest files only, so only these are checked. Nothing is returned without a
    checkpoint, or for one without a batch.

    Example:
        >>> checkpoint_damage("no/such/checkpoint") is None
        True
    """
    last = last_batch(checkpoint)
    if last is None:
        return None
    ended = _batches(checkpoint, "commits")
    folder = f"{checkpoint}/sources/0"
    logs = [
        *(f"{checkpoint}/offsets/{batch}" for batch in range(max(last - 1, 0), last + 1)),
        *(f"{checkpoint}/commits/{batch}" for batch in ended[-1:]),
    ]
    problems = [
        *(_lost_file(f"{checkpoint}/{name}") for name in ("offsets", "commits")),
        _json_problem(f"{checkpoint}/metadata", first=0),
        *map(_json_problem, logs),
        *(_log_problem(f"{folder}/{name}") for name in _logs(list_names(folder))),
    ]
    return next((problem for problem in problems if problem), None)


def _lost_file(folder: str) -> str | None:
    """Return which newest file of a folder is gone: its checksum, which Spark writes, is there."""
    names = set(list_names(folder))
    sums = {name[1:].removesuffix(".crc") for name in names if name.endswith(".crc")}
    newest = max((int(name) for name in {*names, *sums} if name.isdigit()), default=None)
    is_gone = newest is not None and str(newest) not in names
    return f"its file {folder}/{newest} is gone" if is_gone else None


def _json_problem(file: str, first: int = 1) -> str | None:
    """Return why a file of JSON lines cannot be read; its lines before ``first`` are no JSON."""
    text = read_text(file)
    if text is None:
        return f"its file {file} is gone"
    lines = text.splitlines()
    try:
        values = [json.loads(line) for line in lines[first:] if line not in _NO_OFFSET]
    except ValueError:
        return f"its file {file} is cut or damaged"
    return None if values else f"its file {file} is empty or cut"


def source_offset(checkpoint: str, batch_id: int) -> str | None:
    """Return the end of a batch in the source, as JSON text; None if it is not in the checkpoint.

    Spark writes it before the batch runs.

    Example:
        >>> source_offset("no/such/checkpoint", 0) is None
        True
    """
    is_other = other_owner(checkpoint) is not None
    text = None if is_other else read_text(f"{checkpoint}/offsets/{batch_id}")
    # A line with the version, a line of settings, then one line for each source: there is one.
    return text.splitlines()[-1] if text else None


def resume_version(offset: str | None) -> int | None:
    """Return the Delta version that a stream without its checkpoint resumes from.

    None means that the view must be rebuilt: the offset is of a file source, or lies inside the
    first snapshot. The offset of a change feed names the last file that was read of a version. If
    more files of that version followed, they were read too, and no row of them was stored.

    Args:
        offset: The end of the newest stored rows in the source, of a build that has ended.

    Example:
        >>> resume_version('{"reservoirVersion": 4, "index": -1, "isStartingVersion": false}')
        4
        >>> resume_version('{"reservoirVersion": 4, "index": 7, "isStartingVersion": false}')
        5
    """
    fields = json.loads(offset) if offset else {}
    if not isinstance(fields, dict) or "reservoirVersion" not in fields:
        return None
    if fields.get("isStartingVersion"):
        return None
    is_unread = fields.get("index") == _BEFORE_FIRST_FILE
    return int(fields["reservoirVersion"]) + (0 if is_unread else 1)


def last_read_version(offset: str | None) -> int | None:
    """Return the newest version of a Delta source that was read, at least in part.

    None means that the offset is of a file source, or that nothing was read.

    Example:
        >>> last_read_version('{"reservoirVersion": 4, "index": -1, "isStartingVersion": false}')
        3
        >>> last_read_version('{"reservoirVersion": 4, "index": 7, "isStartingVersion": false}')
        4
    """
    fields = json.loads(offset) if offset else {}
    if not isinstance(fields, dict) or "reservoirVersion" not in fields:
        return None
    version = int(fields["reservoirVersion"]) - (fields.get("index") == _BEFORE_FIRST_FILE)
    return version if version >= 0 else None


def source_commit(source: str, offset: str | None) -> str | None:
    """Return a hash of the newest commit of a Delta source that an offset's batch has read.

    None for other sources, and if the commit's file cannot be read here or is gone by now.

    Example:
        >>> source_commit("no/such/table", None) is None
        True
    """
    version = last_read_version(offset)
    return None if version is None else commit_digest(source, version)


def snapshot_version(offset: str | None) -> int | None:
    """Return the version of the first snapshot that an offset lies in; None for a later offset.

    Example:
        >>> snapshot_version('{"reservoirVersion": 4, "index": 7, "isStartingVersion": true}')
        4
        >>> snapshot_version('{"reservoirVersion": 5, "index": -1, "isStartingVersion": false}')
    """
    fields = json.loads(offset) if offset else {}
    return int(fields["reservoirVersion"]) if fields.get("isStartingVersion") else None


def reservoir(offset: str) -> str | None:
    """Return the id of an offset's Delta table; None for other sources.

    Example:
        >>> reservoir('{"reservoirId": "8abd", "reservoirVersion": 4}')
        '8abd'
    """
    fields = json.loads(offset)
    return fields.get("reservoirId") if isinstance(fields, dict) else None


def last_ended_batch(checkpoint: str) -> int:
    """Return a checkpoint's newest batch that ended; -1 without one.

    Example:
        >>> last_ended_batch("no/such/checkpoint")
        -1
    """
    return max(_batches(checkpoint, "commits"), default=-1)


def batch_with_rows_after(checkpoint: str, committed: int) -> int | None:
    """Return a batch of files that ended with rows after the newest one that the table has.

    None if there is none. Spark's streams do not record whether a batch had rows.

    Example:
        >>> batch_with_rows_after("no/such/checkpoint", 0) is None
        True
    """
    ended = _batches(checkpoint, "commits")
    with_rows = (each for each in ended if each > committed and _rows(checkpoint, each))
    return next(with_rows, None)


def _batches(checkpoint: str, folder: str) -> list[int]:
    """Return the batches in a folder of a checkpoint, the oldest first."""
    names = () if other_owner(checkpoint) else list_names(f"{checkpoint}/{folder}")
    return sorted(int(name) for name in names if name.isdigit())


def _rows(checkpoint: str, batch: int) -> int:
    *_, last = ["", *(read_text(f"{checkpoint}/commits/{batch}") or "").splitlines()]
    try:
        fields = json.loads(last)
    except ValueError:  # a damaged checkpoint, which `checkpoint_damage` reports
        return 0
    return int(fields.get("rows", 0)) if isinstance(fields, dict) else 0


def seen_files(checkpoint: str, newest: CommitNotes | None = None) -> tuple[SeenFile, ...]:
    """Return the files that a build has read, by path; none for other sources.

    Args:
        checkpoint: The address of the checkpoint.
        newest: The notes of the newest batch of the checkpoint that the table has, whose end may
            be missing in the checkpoint. Files of later batches were not read unless the batch
            ended.

    Example:
        >>> seen_files("no/such/checkpoint")
        ()
    """
    folder, last = f"{checkpoint}/sources/0", last_ended_batch(checkpoint)
    names = () if other_owner(checkpoint) else list_names(folder)
    logs = _logs(names)
    if newest is not None and newest.batch_id > last:
        last = newest.batch_id
        logs += [name for name in names if name == f"{last}.{newest.run_id}"]
    # Spark counts the batches with new files alone.
    last = _log_offset(checkpoint, last)
    lines = (line for name in logs for line in _entries(f"{folder}/{name}"))
    files = {file.path: file for file in _files(lines) if file.batch <= last}
    return tuple(files[path] for path in sorted(files))


def _log_offset(checkpoint: str, batch: int) -> int:
    """Return the number that a batch has in the log of files."""
    try:
        fields = json.loads(source_offset(checkpoint, batch) or "{}")
    except ValueError:  # a damaged checkpoint, which `checkpoint_damage` reports
        return batch
    return int(fields.get("logOffset", batch)) if isinstance(fields, dict) else batch


def _logs(names: Iterable[str]) -> list[str]:
    """Return the names of the log's files, without those that a later one repeats.

    ``7`` and ``19.compact`` are of ended batches. ``8.RUN`` is of a batch that a run has begun.
    """
    parts = {name: name.partition(".") for name in names}
    ended = (name for name, (number, _, rest) in parts.items() if _is_ended(number, rest))
    logs = sorted(ended, key=_number)
    compact = [at for at, name in enumerate(logs) if name.endswith(".compact")]
    return logs[compact[-1] :] if compact else logs


def _is_ended(number: str, rest: str) -> bool:
    return number.isdigit() and rest in ("", "compact")


def _number(name: str) -> tuple[int, bool]:
    number, _, rest = name.partition(".")
    return int(number), bool(rest)


def _entries(uri: str) -> list[str]:
    return (read_text(uri) or "").splitlines()[1:]


def _files(lines: Iterable[str]) -> Iterable[SeenFile]:
    """Return the entries of a log; `checkpoint_damage` reports those that cannot be read."""
    return (file for line in lines if (file := _entry(line)) is not None)


def _entry(line: str) -> SeenFile | None:
    try:
        entry = json.loads(line)
        return SeenFile(
            str(entry["name"]) if "name" in entry else path_of(entry["path"]),
            int(entry["timestamp"]),
            size=int(entry.get("size", -1)),
            digest=str(entry.get("digest", "")),
            batch=int(entry.get("batchId", 0)),
            renamed_from=str(entry.get("renamedFrom", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _log_problem(file: str) -> str | None:
    if (read_text(file) or "").startswith(_KAFKA):
        return None  # the first offsets of a topic, which Spark reads for a new stream only
    is_damaged = any(_entry(line) is None for line in _entries(file))
    return _json_problem(file) or (f"its file {file} is damaged" if is_damaged else None)
