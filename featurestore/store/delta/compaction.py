"""Compaction: the small files that runs leave are joined into few, sorted as Spark writes them.

A commit of a compaction changes no row: its actions have ``dataChange=false``, so that streams of
the table pass over it. The old files stay on disk, for readers that have pinned an older version,
until `featurestore maintain` removes them.
"""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from featurestore.errors import StorageError
from featurestore.store.delta.file_statistics import file_statistics
from featurestore.store.delta.files import open_file
from featurestore.store.delta.snapshot import KEEP_COMMITS, Snapshot, open_table, snapshot_of
from featurestore.store.failures import storage_errors
from featurestore.store.paths import is_local, local_path

# Larger files are cheaper to open. Smaller files have a narrower range of keys each, so that a
# look-up skips more of them.
ROWS_PER_FILE = 500_000
# Small row groups make look-ups of one key fast.
ROWS_PER_GROUP = 50_000
COMPACTION_SCHEMA = "featurestore.compaction/1"
_FEWEST_ROWS = ROWS_PER_FILE // 2
_FEWEST_BYTES = 32 * 2**20
# What is joined at once is in memory.
_MOST_ROWS = 2 * ROWS_PER_FILE
_MOST_BYTES = 64 * 2**20


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
    return sorted(small, key=lambda file: (file.rows, file.path))


def _groups(small: Sequence[_File]) -> list[list[_File]]:
    """Return groups of files that fit into memory together; a file alone is in none."""
    groups: list[list[_File]] = []
    rows = size = 0
    for file in small:
        rows, size = rows + file.rows, size + file.size
        if not groups or rows > _MOST_ROWS or size > _MOST_BYTES:
            groups.append([])
            rows, size = file.rows, file.size
        groups[-1].append(file)
    return [group for group in groups if len(group) > 1]


def _file_count(group: Sequence[_File]) -> int:
    return max(-(-sum(file.rows for file in group) // ROWS_PER_FILE), 1)


def _join(snapshot: Snapshot, group: Sequence[_File], order: Sequence[str]) -> int:
    """Commit the rows of a group as few sorted files, and return the version."""
    parts = [_read(snapshot, file) for file in group]
    rows = _sorted(pa.concat_tables(parts).combine_chunks(), order)
    count = _file_count(group)
    size = max(-(-rows.num_rows // count), 1)
    added = [_write(snapshot, rows.slice(at * size, size)) for at in range(count)]
    try:
        return _commit(snapshot, group, added)
    except CommitFailedError as error:
        _remove(snapshot, added)
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


def _write(snapshot: Snapshot, rows: pa.Table) -> AddAction:
    path = f"part-00000-{uuid4()}-c000.snappy.parquet"
    with snapshot.filesystem.open_output_stream(path) as stream:
        pq.write_table(
            rows,
            stream,
            row_group_size=ROWS_PER_GROUP,
            compression="snappy",
            store_decimal_as_integer=True,
            store_schema=False,  # files of Spark have no Arrow schema
            write_page_checksum=True,
        )
    if is_local(
        snapshot.uri
    ):  # after a loss of power, the rows must not be gone with the old files
        with Path(local_path(snapshot.uri), path).open("rb+") as file:
            os.fsync(file.fileno())
    size = snapshot.filesystem.get_file_info(path).size
    return AddAction(path, size, {}, _now(), data_change=False, stats=file_statistics(rows))


def _commit(snapshot: Snapshot, group: Sequence[_File], added: Sequence[AddAction]) -> int:
    now = _now()
    removed = [
        RemoveAction(file.path, False, now, size=file.size, partition_values={}) for file in group
    ]
    notes = {"schema": COMPACTION_SCHEMA, "files_before": len(group), "files_after": len(added)}
    table = DeltaTable(snapshot.uri, version=snapshot.version)
    table.create_write_transaction(
        [*added, *removed],
        "append",
        table.schema(),
        commit_properties=CommitProperties(
            custom_metadata={"userMetadata": json.dumps(notes)},
            # A retry would check no more than that the files are still there.
            max_commit_retries=0,
        ),
        post_commithook_properties=KEEP_COMMITS,
    )
    return snapshot.version + 1


def _remove(snapshot: Snapshot, added: Sequence[AddAction]) -> None:
    for file in added:
        snapshot.filesystem.delete_file(file.path)


def _now() -> int:
    return time.time_ns() // 1_000_000
