"""Removal of files that no version of a Delta table within a retention needs, and checkpoints."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pyarrow.fs as pafs

from featurestore.store.delta.commit_files import newest_checkpoint, oldest_version
from featurestore.store.delta.snapshot import KEEP_COMMITS, open_table, require_newest_commit
from featurestore.store.failures import storage_errors
from featurestore.store.file_system import file_system, infos_of_folder, list_names
from featurestore.store.paths import is_local

_HOUR = timedelta(hours=1)
# Delta writes a checkpoint every so many commits, but not if the commit is a compaction's.
_CHECKPOINT_INTERVAL = 10
_CHECKSUM = re.compile(r"\.?(\d{20})\.(?:crc|crc\.crc|json\.crc)")
_EXPIRES = "delta.enableExpiredLogCleanup"


@dataclass(frozen=True)
class Removed:
    """Files that were removed, or that would be.

    Args:
        files: Their number.
        size: Their bytes.
    """

    files: int = 0
    size: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        """Return the sum of both."""
        return Removed(self.files + other.files, self.size + other.size)


def vacuum(
    uri: str, retention: timedelta, *, keep: Sequence[int] = (), dry_run: bool = False
) -> Removed:
    """Remove files that the table does not refer to, and that it did not within the retention.

    The files of killed runs are among them.

    Args:
        uri: The table's address.
        retention: How long files stay after the table no longer refers to them.
        keep: Older versions whose files stay.
        dry_run: Whether to remove nothing.

    Raises:
        StorageError: A file cannot be removed.
        TableError: The newest commit is damaged: what it names may be needed yet.
    """
    hours = -(-retention // _HOUR)
    call = f"remove old files of {uri}"
    with storage_errors(call, uri):
        require_newest_commit(uri, call)
        table = open_table(uri)
        present = set(range(oldest_version(uri), table.version() + 1))
        keep_versions = sorted(present & set(keep)) or None

        def run(*, dry_run: bool) -> list[str]:
            return table.vacuum(
                hours,
                dry_run=dry_run,
                enforce_retention_duration=False,
                full=True,
                keep_versions=keep_versions,
                post_commithook_properties=KEEP_COMMITS,
            )

        old = run(dry_run=True)
        removed = Removed(len(old), _size(uri, old))
        if old and not dry_run:  # each call makes two commits
            run(dry_run=False)
        return removed


def checkpoint(uri: str) -> bool:
    """Write a checkpoint if the newest one is old, and remove expired commits; return whether.

    Without checkpoints, each reader reads the files of all commits. No commit is removed if the
    table's properties forbid it.

    Raises:
        StorageError: The checkpoint cannot be written.
        TableError: The newest commit is damaged.
    """
    call = f"write a checkpoint of {uri}"
    with storage_errors(call, uri):
        require_newest_commit(uri, call)  # a checkpoint would seal what is lost
        table = open_table(uri)
        if table.version() - newest_checkpoint(uri) < _CHECKPOINT_INTERVAL:
            return False
        table.create_checkpoint()
        if table.metadata().configuration.get(_EXPIRES) != "false":
            table.cleanup_metadata()
        return True


def remove_checksums(uri: str, *, dry_run: bool = False) -> Removed:
    """Remove the checksums of commits before the newest checkpoint of a local table.

    Spark writes three small files beside each commit: one with the table's state, and Hadoop's
    checksums of this and of the commit. None of them is needed, and each reader lists them.

    Args:
        uri: The table's address.
        dry_run: Whether to remove nothing.

    Raises:
        StorageError: A file cannot be removed.

    Example:
        >>> remove_checksums("no/such/table")
        Removed(files=0, size=0)
    """
    log = f"{uri}/_delta_log"
    # Those of later commits show that the newest commit is lost.
    needed = newest_checkpoint(uri) if is_local(uri) else 0
    old = [
        f"{log}/{name}"
        for name in (list_names(log) if needed > 0 else ())
        if (match := _CHECKSUM.fullmatch(name)) and int(match[1]) < needed
    ]
    return remove_files(old, dry_run=dry_run)


def set_properties(uri: str, properties: Mapping[str, str]) -> None:
    """Give a table properties, unless it has them.

    Raises:
        StorageError: The table cannot be written.
    """
    with storage_errors(f"set the properties of {uri}", uri):
        table = open_table(uri)
        if not properties.items() <= table.metadata().configuration.items():
            table.alter.set_table_properties(dict(properties))


def remove_folder(uri: str, *, dry_run: bool = False) -> Removed:
    """Remove a folder and all that is in it; nothing happens if there is none.

    Args:
        uri: Its address.
        dry_run: Whether to remove nothing.

    Raises:
        StorageError: A file cannot be removed.

    Example:
        >>> remove_folder("no/such/folder")
        Removed(files=0, size=0)
    """
    with storage_errors(f"remove {uri}", uri):
        filesystem, path = file_system(uri)
        infos = infos_of_folder(filesystem, path, recursive=True)
        files = [info for info in infos if info.type == pafs.FileType.File]
        if infos and not dry_run:
            filesystem.delete_dir(path)
        return Removed(len(files), sum(info.size or 0 for info in files))


def remove_file(address: str, *, dry_run: bool = False) -> Removed:
    """Remove a file, if there is one, and return its size.

    Args:
        address: Its address.
        dry_run: Whether to remove nothing.

    Raises:
        StorageError: The file cannot be removed.

    Example:
        >>> remove_file("no/such/file")
        Removed(files=0, size=0)
    """
    filesystem, path = file_system(address)
    is_file = filesystem.get_file_info(path).type == pafs.FileType.File
    return remove_files([address] if is_file else [], dry_run=dry_run)


def remove_files(addresses: Sequence[str], *, dry_run: bool = False) -> Removed:
    """Remove files, and return their number and size.

    Args:
        addresses: Their addresses.
        dry_run: Whether to remove nothing.

    Raises:
        StorageError: A file cannot be removed.

    Example:
        >>> remove_files([])
        Removed(files=0, size=0)
    """
    removed = Removed()
    for address in addresses:
        with storage_errors(f"remove {address}", address):
            filesystem, path = file_system(address)
            removed += Removed(1, filesystem.get_file_info(path).size or 0)
            if not dry_run:
                filesystem.delete_file(path)
    return removed


def _size(uri: str, names: Sequence[str]) -> int:
    filesystem, folder = file_system(uri)
    infos = filesystem.get_file_info([f"{folder}/{name}" for name in names])
    return sum(info.size or 0 for info in infos)
