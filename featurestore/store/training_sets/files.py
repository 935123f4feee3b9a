"""A version of a training set from Parquet files that are in its folder: only the commit is left.

Executors write the files. Until the commit, nobody sees them; without it, they are removed.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from uuid import uuid4

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake import CommitProperties
from deltalake.schema import Schema
from deltalake.transaction import AddAction, create_table_with_add_actions

from featurestore.store.commit import LOG_PROPERTIES
from featurestore.store.delta.log import is_table
from featurestore.store.delta.retry import retry_commit
from featurestore.store.delta.snapshot import KEEP_COMMITS, open_table
from featurestore.store.failures import storage_errors
from featurestore.store.file_system import file_system
from featurestore.store.layout import Layout
from featurestore.store.training_sets.notes import TrainingSet

_STATISTICS = '{{"numRecords": {}}}'


@contextmanager
def new_folder(layout: Layout, name: str, call: str) -> Iterator[str]:
    """Yield the address of a new folder in the table of a training set, for its files.

    If an error ends the block, the folder is removed.

    Args:
        layout: The addresses of the tables.
        name: The name of the training set.
        call: The user's call, for messages.
    """
    address = f"{layout.training_set(name)}/rows-{uuid4()}"
    try:
        yield address
    except BaseException:
        filesystem, path = file_system(address)
        with suppress(OSError), storage_errors(call, address):
            filesystem.delete_dir(path)
        raise


def save_files(
    layout: Layout, described: TrainingSet, folder: str, schema: pa.Schema, call: str
) -> TrainingSet:
    """Commit the Parquet files of a folder as the next version of a training set.

    Args:
        layout: The addresses of the tables.
        described: What the commit notes, without a version.
        folder: The folder, by `new_folder`.
        schema: The types of the files' columns.
        call: The user's call, for messages.

    Returns:
        What was saved, with its version.

    Raises:
        StorageError: The disk or the object store refuses it.
    """
    uri = layout.training_set(described.name)
    with storage_errors(call, uri):
        added = _added(folder)
        stored, noted = Schema.from_arrow(schema), described.to_json()
        version = retry_commit(uri, lambda: _commit(uri, added, stored, noted))
    return replace(described, version=version)


def _added(folder: str) -> list[AddAction]:
    filesystem, path = file_system(folder)
    name = folder.rpartition("/")[2]
    files = filesystem.get_file_info(pafs.FileSelector(path))
    now = time.time_ns() // 1_000_000
    return [
        AddAction(
            f"{name}/{file.base_name}", file.size, {}, now, data_change=True,
            stats=_STATISTICS.format(pq.read_metadata(file.path, filesystem=filesystem).num_rows),
        )
        for file in files
        if file.base_name.endswith(".parquet")
    ]  # fmt: skip


def _commit(uri: str, added: list[AddAction], schema: Schema, noted: str) -> int:
    """Commit files as the whole table, and return the version."""
    properties = CommitProperties(custom_metadata={"userMetadata": noted}, max_commit_retries=0)
    if not is_table(uri):
        create_table_with_add_actions(
            uri,
            schema,
            added,
            mode="error",
            configuration=LOG_PROPERTIES,
            commit_properties=properties,
            post_commithook_properties=KEEP_COMMITS,
        )
        return 0
    table = open_table(uri)
    table.create_write_transaction(
        [*added],
        "overwrite",
        schema,
        commit_properties=properties,
        post_commithook_properties=KEEP_COMMITS,
    )
    return int(table.version()) + 1
