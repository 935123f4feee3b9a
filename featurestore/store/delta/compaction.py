"""Compaction: the small files that runs leave are joined into few, sorted as Spark writes them.

A commit of a compaction changes no row: its actions have ``dataChange=false``, so that streams of
the table pass over it. The old files stay on disk, for readers that have pinned an older version,
until `featurestore maintain` removes them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import CommitFailedError

from featurestore.errors import StorageError
from featurestore.store.delta.files import open_file
from featurestore.store.delta.footer import Footer
from featurestore.store.delta.replacement import (
    BYTES_PER_FILE,
    BYTES_PER_GROUP,
    ROWS_PER_FILE,
    ROWS_PER_GROUP,
    file_count,
    remove_files,
    replace_files,
    write_files,
)
from featurestore.store.delta.snapshot import Snapshot, open_table, snapshot_of
from featurestore.store.failures import storage_errors

COMPACTION_SCHEMA = "featurestore.compaction/1"
_FEWEST_ROWS = ROWS_PER_FILE // 2
_FEWEST_BYTES = 32 * 2**20
# Of values before they are compressed. Values of a smaller file than this are taken to have less:
# it is not opened to see.
_FEWEST_VALUES = BYTES_PER_FILE // 2
_LEAST_OPENED = 2**20
# What is joined at once is in memory.
_MOST_ROWS = 2 * ROWS_PER_FILE
_MOST_BYTES = 64 * 2**20
_MOST_VALUES = 2 * BYTES_PER_FILE


@dataclass(frozen=True)
class Compaction:
    """What a compaction has done.

    Args:
        version: The version of its last commit; None if there was nothing to join.
        files_before: The number of the table's files before.
        files_after: The number of its files after.
    """

    version: int | None = None
    _: KW_ONLY
    files_before: int = 0
    files_after: int = 0


@dataclass(frozen=True)
class _File:
    path: str
    size: int
    rows: int
    values: int = 0  # about the bytes before they are compressed


def small_files(snapshot: Snapshot) -> int:
    """Return how many files of a table are small enough to be joined."""
    return len(_small(snapshot))


def planned(snapshot: Snapshot) -> Compaction:
    """Return what `compact` would do to all small files of a table."""
    groups = _groups(_small(snapshot))
    before = snapshot.files.num_rows
    after = before + sum(_file_count(group) - len(group) for group in groups)
    return Compaction(files_before=before, files_after=after)


def compact(uri: str, order: Sequence[str], *, most_commits: int | None = None) -> Compaction:
    """Join a table's small files into files that are sorted by (keys, event time).

    The caller holds the lock of the table's view. If another program commits at the same time,
    nothing is changed.

    Args:
        uri: The table's address.
        order: The columns to sort by.
        most_commits: The most commits. One joins as many files as fit into memory, the smallest
            first. None to join all small files.

    Raises:
        StorageError: The disk failed, or another program has committed to the table.
        TableError: A file is gone or damaged.
    """
    with storage_errors(f"compact {uri}", uri):
        snapshot = _newest(uri)
        before, version = snapshot.files.num_rows, None
        for group in _groups(_small(snapshot))[:most_commits]:
            version = _join(snapshot, group, order)
            snapshot = _newest(uri)
        after = snapshot.files.num_rows
        return Compaction(version, files_before=before, files_after=after)


def _newest(uri: str) -> Snapshot:
    # With the checksums of the pages: a flipped bit must not get a new checksum.
    return replace(snapshot_of(open_table(uri), uri), checksums=True)


def _small(snapshot: Snapshot) -> list[_File]:
    columns = (snapshot.files[name].to_pylist() for name in ("path", "size_bytes", "num_records"))
    files = [_File(*row) for row in zip(*columns, strict=True) if row[2] is not None]
    small = [file for file in files if file.rows < _FEWEST_ROWS and file.size < _FEWEST_BYTES]
    small.sort(key=lambda file: (file.rows, file.path))
    return [*_not_full(snapshot, small)]


def _not_full(snapshot: Snapshot, small: Sequence[_File]) -> Iterator[_File]:
    """Yield files before the first one that is as large as it may be by the bytes of its values.

    The rows of a view are of much the same width, so the files after it are full as well. Joined,
    they would only be divided again, in each run.

    Args:
        snapshot: The table.
        small: The files, that with the fewest rows first.
    """
    for file in small:
        values = file.size
        if file.size >= _LEAST_OPENED:
            values = _values(open_file(snapshot, file.path).footer)
        if values >= _FEWEST_VALUES:
            return
        yield replace(file, values=values)


def _values(footer: Footer) -> int:
    """Return about the bytes of a file's values in memory.

    The encoded size is less if values repeat. Then the size of a row group tells: writers end it
    at a number of bytes of values, unless it has as many rows as it may have.
    """
    groups = range(footer.metadata.num_row_groups)
    encoded: int = sum(footer.metadata.row_group(group).total_byte_size for group in groups)
    first = footer.rows[0] if len(groups) > 1 else ROWS_PER_GROUP
    by_groups: int = footer.metadata.num_rows * BYTES_PER_GROUP // max(first, 1)
    return max(encoded, by_groups if first < ROWS_PER_GROUP else 0)


def _groups(small: Sequence[_File]) -> list[list[_File]]:
    """Return groups of files that fit into memory together; a file alone is in none."""
    groups: list[list[_File]] = []
    rows = size = values = 0
    for file in small:
        rows, size, values = rows + file.rows, size + file.size, values + file.values
        if not groups or rows > _MOST_ROWS or size > _MOST_BYTES or values > _MOST_VALUES:
            groups.append([])
            rows, size, values = file.rows, file.size, file.values
        groups[-1].append(file)
    return [group for group in groups if len(group) > 1]


def _file_count(group: Sequence[_File]) -> int:
    return file_count(sum(file.rows for file in group), sum(file.values for file in group))


def _join(snapshot: Snapshot, group: Sequence[_File], order: Sequence[str]) -> int:
    """Commit the rows of a group as few sorted files, and return the version."""
    parts = [_read(snapshot, file) for file in group]
    rows = _sorted(pa.concat_tables(parts).combine_chunks(), order)
    added = write_files(snapshot, rows)
    old = {file.path: file.size for file in group}
    notes = {"schema": COMPACTION_SCHEMA, "files_before": len(group), "files_after": len(added)}
    try:
        return replace_files(snapshot, old, added, json.dumps(notes), changes_rows=False)
    except CommitFailedError as error:
        remove_files(snapshot, added)
        raise StorageError(
            f"compact {snapshot.uri}",
            "another program has committed to the table at the same time, so nothing was changed",
            "Run the same command again. Only featurestore may write to feature tables.",
        ) from error


def _sorted(rows: pa.Table, order: Sequence[str]) -> pa.Table:
    # By numbers: Arrow takes a name such as ".a" for a path to a part of a column.
    names = [str(number) for number in range(len(order))]
    keys = pa.table([rows[name] for name in order], names)
    return rows.take(pc.sort_indices(keys, [(name, "ascending") for name in names]))


def _read(snapshot: Snapshot, file: _File) -> pa.Table:
    opened = open_file(snapshot, file.path)
    groups = range(opened.data.num_row_groups)
    return opened.read(groups, snapshot.schema.names)
