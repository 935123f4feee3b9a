"""What a stream's checkpoint says, and where a source is taken up again when one was lost."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from featurestore.store.source_files import list_names, path_of, read_text

# In Delta's offsets the index before a version's first file: all of the version before is read.
_BEFORE_FIRST_FILE = -1


@dataclass(frozen=True)
class SeenFile:
    """A file that a stream has read.

    Args:
        path: Its path, as `featurestore.store.source_files` spells it.
        modified_at: Its time when it was found, in UTC milliseconds.
    """

    path: str
    modified_at: int


def last_batch(checkpoint: str) -> int | None:
    """Return the newest batch that a checkpoint knows of, begun or done; None where it is lost.

    Example:
        >>> last_batch("no/such/checkpoint") is None
        True
    """
    batches = [int(name) for name in list_names(f"{checkpoint}/offsets") if name.isdigit()]
    return max(batches, default=None)


def has_ended_batch(checkpoint: str) -> bool:
    """Return whether a checkpoint knows of a batch that is done.

    Example:
        >>> has_ended_batch("no/such/checkpoint")
        False
    """
    return any(name.isdigit() for name in list_names(f"{checkpoint}/commits"))


def source_offset(checkpoint: str, batch_id: int) -> str | None:
    """Return where in the source a batch ends, as JSON text; known before the batch runs.

    Example:
        >>> source_offset("no/such/checkpoint", 0) is None
        True
    """
    text = read_text(f"{checkpoint}/offsets/{batch_id}")
    # A version line, a line of settings, then one line a source; we have one source.
    return text.splitlines()[-1] if text else None


def resume_version(offset: str | None) -> int | None:
    """Return the Delta version to take up behind the newest rows of a whole table.

    None stands for an offset of a file source, or inside the first snapshot: there the stream
    cannot be taken up by version, and the table is built anew. A change feed's offset names the
    last file of a version that was read; if more followed in it, that was read too, and stored
    nothing.

    Args:
        offset: Where in the source the newest rows end, of a table whose build has ended.

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
    begins = fields.get("index") == _BEFORE_FIRST_FILE
    return int(fields["reservoirVersion"]) + (0 if begins else 1)


def snapshot_version(offset: str | None) -> int | None:
    """Return the version of the first snapshot that an offset lies in; None behind the snapshot.

    Example:
        >>> snapshot_version('{"reservoirVersion": 4, "index": 7, "isStartingVersion": true}')
        4
        >>> snapshot_version('{"reservoirVersion": 5, "index": -1, "isStartingVersion": false}')
    """
    fields = json.loads(offset) if offset else {}
    return int(fields["reservoirVersion"]) if fields.get("isStartingVersion") else None


def reservoir(offset: str) -> str | None:
    """Return the id of the Delta table that an offset speaks of; None for other sources.

    Example:
        >>> reservoir('{"reservoirId": "8abd", "reservoirVersion": 4}')
        '8abd'
    """
    fields = json.loads(offset)
    return fields.get("reservoirId") if isinstance(fields, dict) else None


def seen_files(checkpoint: str) -> tuple[SeenFile, ...]:
    """Return the files that a file stream has read, by path; none for other streams.

    Example:
        >>> seen_files("no/such/checkpoint")
        ()
    """
    folder = f"{checkpoint}/sources/0"
    lines = (line for name in list_names(folder) for line in _entries(f"{folder}/{name}"))
    # Every tenth log file repeats those before it.
    found = {file.path: file for file in _files(lines)}
    return tuple(found[path] for path in sorted(found))


def _entries(address: str) -> list[str]:
    return (read_text(address) or "").splitlines()[1:] if not _is_hidden(address) else []


def _is_hidden(address: str) -> bool:
    return address.rsplit("/", 1)[-1].startswith(".")


def _files(lines: Iterable[str]) -> Iterable[SeenFile]:
    for line in lines:
        entry = json.loads(line)
        if "path" in entry:
            yield SeenFile(path_of(entry["path"]), int(entry["timestamp"]))
