"""Data files of a Delta table that replace others, written and committed without Spark."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import AddAction, RemoveAction

from featurestore.store.delta.file_statistics import file_statistics
from featurestore.store.delta.snapshot import KEEP_COMMITS, Snapshot
from featurestore.store.paths import is_local, local_path

# Larger files are cheaper to open. Smaller files have a narrower range of keys each, so that a
# look-up skips more of them.
ROWS_PER_FILE = 500_000
# Of values before they are compressed: long texts and lists make large rows.
BYTES_PER_FILE = 128 << 20
# Small row groups make look-ups of one key fast.
ROWS_PER_GROUP = 50_000
BYTES_PER_GROUP = 16 << 20


@dataclass(frozen=True)
class NewFile:
    """A data file that was written, and that no commit names yet.

    Args:
        path: Its path in the table.
        size: Its bytes.
        statistics: Its statistics, as Delta's JSON.
    """

    path: str
    size: int
    statistics: str


def write_files(snapshot: Snapshot, rows: pa.Table) -> list[NewFile]:
    """Write rows as files of equal numbers of rows; one without rows.

    A file has at most 500,000 rows, and about 128 MB of values.

    Args:
        snapshot: The table.
        rows: The rows, with the table's columns, in the order in which they are stored.
    """
    count = file_count(rows.num_rows, rows.nbytes)
    size = max(-(-rows.num_rows // count), 1)
    return [_write(snapshot, rows.slice(at * size, size)) for at in range(count)]


def file_count(rows: int, size: int) -> int:
    """Return the number of files for some rows.

    Args:
        rows: The number of rows.
        size: The bytes of their values, before they are compressed.

    Example:
        >>> file_count(0, 0), file_count(500_001, 0), file_count(1_000, 300 << 20)
        (1, 2, 3)
    """
    most = max(rows, 1)
    return min(max(-(-rows // ROWS_PER_FILE), -(-size // BYTES_PER_FILE), 1), most)


def replace_files(
    snapshot: Snapshot,
    old: Mapping[str, int],
    new: Sequence[NewFile],
    notes: str,
    *,
    changes_rows: bool,
) -> int:
    """Commit new files in the place of old ones, and return the version.

    Args:
        snapshot: The table at its newest version.
        old: The bytes of each old file, by its path in the table.
        new: The new files.
        notes: The text for the commit's ``userMetadata``.
        changes_rows: Whether the table has other rows then. Streams pass over a commit that
            changes none.

    Raises:
        CommitFailedError: Another program has committed to the table at the same time.
    """
    now = time.time_ns() // 1_000_000
    added = [
        AddAction(each.path, each.size, {}, now, data_change=changes_rows, stats=each.statistics)
        for each in new
    ]
    removed = [
        RemoveAction(path, changes_rows, now, size=size, partition_values={})
        for path, size in old.items()
    ]
    table = DeltaTable(snapshot.uri, version=snapshot.version)
    table.create_write_transaction(
        [*added, *removed],
        "append",
        table.schema(),
        commit_properties=CommitProperties(
            custom_metadata={"userMetadata": notes},
            # A retry would check no more than that the files are still there.
            max_commit_retries=0,
        ),
        post_commithook_properties=KEEP_COMMITS,
    )
    return snapshot.version + 1


def remove_files(snapshot: Snapshot, new: Sequence[NewFile]) -> None:
    """Remove files that no commit names.

    Args:
        snapshot: The table.
        new: The files.
    """
    for file in new:
        snapshot.filesystem.delete_file(file.path)


def _rows_per_group(rows: pa.Table) -> int:
    """Return the number of rows in a row group: at most 50,000, and about 16 MB."""
    by_size = int(rows.num_rows * BYTES_PER_GROUP // max(rows.nbytes, 1))
    return max(min(by_size, ROWS_PER_GROUP), 1)


def _write(snapshot: Snapshot, rows: pa.Table) -> NewFile:
    path = f"part-00000-{uuid4()}-c000.snappy.parquet"
    with snapshot.filesystem.open_output_stream(path) as stream:
        pq.write_table(
            rows,
            stream,
            row_group_size=_rows_per_group(rows),
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
    return NewFile(path, size, file_statistics(rows))
