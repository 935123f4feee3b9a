"""The files of a source that were renamed in their folder after they were read."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath

from featurestore.engines.spark.source.offsets import SeenFile
from featurestore.store.source_files import FilePath, SourceFile, content_digest

_State = tuple[str, int, int]


def renames(path: FilePath, seen: Iterable[SeenFile]) -> dict[str, str]:
    """Return the old name of each file that was renamed after it was read, by its new name.

    The old name is gone, and the new one has its folder, its size, its time and its content. In
    another folder it is a new file, because folders may be values, as in ``day=2026-01-01``. A
    rename that is in the log is left out.

    Args:
        path: The source's files.
        seen: The files that were read.
    """
    read = {path.name_of(file.path): file for file in seen}
    gone: dict[_State, list[tuple[str, str]]] = {}
    for name in _without_file(path, read, read):
        file = read[name]
        if file.digest:
            state = _state(name, file.size, file.modified_at)
            gone.setdefault(state, []).append((file.digest, name))
    found = {file.name: _taken(file, gone) for file in path.files if file.name not in read}
    return {new: old for new, old in found.items() if old}


def gone_names(
    path: FilePath, seen: Iterable[SeenFile], recorded: Collection[str] = ()
) -> list[str]:
    """Return the names of the read files that are gone, sorted. A renamed file is not gone.

    Args:
        path: The source's files.
        seen: The files that were read, by the log.
        recorded: The names of the files that were read, by the ledger.
    """
    read = {path.name_of(file.path): file for file in seen}
    moved = set(renames(path, read.values()).values())
    return sorted({*_without_file(path, read, {*recorded, *read})} - moved)


def first_name(name: str, read: Mapping[str, SeenFile]) -> str:
    """Return the name that a file had when it was read.

    Args:
        name: The present name of a file.
        read: The files that were read, by name.

    Example:
        >>> first_name("b.csv", {"b.csv": SeenFile("b.csv", 0, renamed_from="a.csv")})
        'a.csv'
    """
    for _ in read:
        if name not in read or not read[name].renamed_from:
            break
        name = read[name].renamed_from
    return name


def _without_file(path: FilePath, read: Mapping[str, SeenFile], names: Iterable[str]) -> list[str]:
    """Return the names of the files that are gone, each with its newest name, by the log."""
    present = {first_name(file.name, read) for file in path.files}
    earlier = {file.renamed_from for file in read.values()}
    return [
        name for name in names if name not in earlier and first_name(name, read) not in present
    ]


def _taken(file: SourceFile, gone: Mapping[_State, list[tuple[str, str]]]) -> str:
    """Return a file's old name, and take it from those that are gone; ``""`` for a new file."""
    candidates = gone.get(_state(file.name, file.size, file.modified_at // 1000), [])
    digest = content_digest(file.address) if candidates else ""
    same = next((each for each in candidates if each[0] == digest), None)
    if same is None:
        return ""
    candidates.remove(same)
    return same[1]


def _state(name: str, size: int, modified_at: int) -> _State:
    return str(PurePosixPath(name).parent), size, modified_at
