"""One version of a Delta table, read without a JVM: its schema, its files and their bounds."""

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
from deltalake import DeltaTable, PostCommitHookProperties
from deltalake.exceptions import DeltaError, TableNotFoundError

from featurestore.errors import TableError
from featurestore.store.delta.commit_files import newest_commit_files
from featurestore.store.delta.footer import Footer
from featurestore.store.delta.process import check_process
from featurestore.store.failures import failure_text, object_store_error, storage_error
from featurestore.store.paths import is_local, local_path, stays_inside

READER_VERSION = 1
# After a commit, delta-rs removes expired commits. Of a feature table, streams may need them yet.
KEEP_COMMITS = PostCommitHookProperties(cleanup_expired_logs=False)
_SEARCHED_COMMITS = 1000
# What makes a ledger complete again after its newest commit was removed; and after all of it was.
_WAYS_OUT = {
    ("registry", "versions"): (
        "apply the definitions again: `featurestore apply`",
        "apply the definitions again: `featurestore apply`",
    ),
    ("registry", "tables"): (
        "complete the ledger: `featurestore materialize`",
        "build all views again: `featurestore materialize --full`",
    ),
    ("registry", "models"): (
        "record the newest model again: `store.record_model`",
        "record the models again: `store.record_model`",
    ),
    ("runs", "runs"): (
        "complete the ledger: `featurestore materialize`",
        "record the runs again: `featurestore doctor --repair`",
    ),
    ("profiles", "profiles"): (
        "go on: the next runs record profiles again",
        "go on: the next runs record profiles again",
    ),
    ("runs", "files"): (
        "complete the ledger: `featurestore materialize`",
        "complete the ledger: `featurestore materialize`",
    ),
}


@dataclass(frozen=True)
class Snapshot:
    """A pinned version of a table.

    Args:
        uri: The table's address.
        version: The Delta version.
        files: One row for each data file: ``path``, ``size_bytes``, ``num_records``, and structs
            ``min`` and ``max`` with the bounds of columns that have statistics.
        schema: The table's Arrow schema.
        checksums: Whether the pages of its files are compared with their checksums.
        footers: The footers of the files read so far, by path.
        footer_limit: About the most bytes of footers to keep; None for no limit.
        widths: The measured bytes of one value, by the column's name.
    """

    uri: str
    version: int
    files: pa.Table
    schema: pa.Schema
    checksums: bool = False
    footers: dict[str, Footer] = field(default_factory=dict, repr=False, compare=False)
    footer_limit: int | None = field(default=None, repr=False, compare=False)
    widths: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle and copy without open files: another process opens its own."""
        state = {each.name: getattr(self, each.name) for each in fields(self)}
        return state | {"footers": {}}

    @cached_property
    def rows(self) -> int:
        """The number of rows of all files, from the log."""
        return sum(count or 0 for count in self.files["num_records"].to_pylist())

    @cached_property
    def bytes(self) -> int:
        """The bytes of all files, from the log."""
        return sum(size or 0 for size in self.files["size_bytes"].to_pylist())

    @cached_property
    def filesystem(self) -> pafs.FileSystem:
        """The file system of the files' paths."""
        if is_local(self.uri):
            # Memory-mapped files are not faster, and count as memory of this process.
            return pafs.SubTreeFileSystem(local_path(self.uri), pafs.LocalFileSystem())
        # Local import: it takes 0.3 s, which readers of local tables save.
        from deltalake.fs import DeltaStorageHandler  # noqa: PLC0415 - see above

        table = DeltaTable(self.uri, version=self.version)
        return pafs.PyFileSystem(DeltaStorageHandler.from_table(table._table))


def open_snapshot(uri: str, version: int | None = None) -> Snapshot:
    """Return a version of a Delta table, the newest by default.

    Args:
        uri: A folder or an object-store URL.
        version: The Delta version; None for the newest.

    Raises:
        TableError: There is no such table or version, or the table needs a Delta feature that
            the local engine does not support, such as deletion vectors or column mapping.

    Example:
        >>> open_snapshot("no/such/table")
        Traceback (most recent call last):
        ...
        featurestore.errors.TableError: open table no/such/table: there is no Delta table...
    """
    return snapshot_of(open_table(uri, version), uri)


def snapshot_of(table: DeltaTable, uri: str) -> Snapshot:
    """Return the snapshot of an open table at its version.

    Raises:
        TableError: The table needs a Delta feature that the local engine does not support, or its
            log names a file outside of its folder.
    """
    files = check_readable(table, uri)
    return Snapshot(uri, table.version(), files, pa.schema(table.schema().to_arrow()))


def open_table(uri: str, version: int | None = None) -> DeltaTable:
    """Return delta-rs's table at an address, at a version or the newest.

    Raises:
        TableError: There is no such table or version, or its log cannot be read.
    """
    check_process()
    call = f"open table {uri}" + ("" if version is None else f" at version {version}")
    try:
        return DeltaTable(uri, version=version)
    except TableNotFoundError:
        fix = "Materialize it, or check the path."
        raise TableError(call, "there is no Delta table", fix) from None
    except (DeltaError, OSError) as error:
        raise _unopened(error, call, uri) from error


def read_history(uri: str, count: int) -> list[dict[str, Any]]:
    """Return what delta-rs knows of a table's newest commits, newest first.

    Args:
        uri: The table's address.
        count: The most commits to return.

    Raises:
        TableError: There is no table, or a commit is damaged.
    """
    table = open_table(uri)
    try:
        return list(table.history(count))
    except (DeltaError, OSError) as error:
        raise _unopened(error, f"read the history of table {uri}", uri) from error


def _unopened(error: DeltaError | OSError, call: str, uri: str) -> TableError:
    """Return why a table does not open: a damaged commit, or the disk or the object store."""
    if (refused := object_store_error(error, call, uri)) is not None:
        return refused
    try:
        commits = newest_commit_files(uri, _SEARCHED_COMMITS)
    except OSError:  # the disk that did not open the table
        return storage_error(error, call, uri)
    damaged = [commit for commit in commits if commit.damage]
    if damaged:
        is_newest = damaged[0] is commits[0]
        found = f"the commit {damaged[0].address} {damaged[0].damage}"
        return TableError(call, found, damage_fix(uri, is_newest=is_newest))
    if isinstance(error, OSError):
        return storage_error(error, call, uri)
    fix = damage_fix(uri, is_newest=False)
    check = "Check the version with `featurestore status`. "
    return TableError(call, failure_text(error), check + fix)


def require_newest_commit(uri: str, call: str) -> None:
    """Refuse a table with a damaged newest commit, which readers may take for one without rows.

    Args:
        uri: The table's address.
        call: The operation, for the message.

    Raises:
        TableError: The newest commit is damaged.
    """
    for commit in newest_commit_files(uri, 1):
        if commit.damage:
            found = f"the commit {commit.address} {commit.damage}"
            raise TableError(call, found, damage_fix(uri, is_newest=True))


def damage_fix(uri: str, *, is_newest: bool) -> str:
    """Return what to do about a damaged table of the store.

    Args:
        uri: The table's address.
        is_newest: Whether its newest commit is damaged, which can be removed. Otherwise another
            commit or a data file is.

    Example:
        >>> damage_fix("store/shop/features/rides/t1", is_newest=True)
        'Restore the file from a copy, or rebuild it: `featurestore materialize rides --full`.'
    """
    *_, folder, view, build = ["", "", *uri.rstrip("/").split("/")]
    restore = "Restore the file from a copy"
    if folder == "features":
        return f"{restore}, or rebuild it: `featurestore materialize {view} --full`."
    if folder == "quarantine":
        repair = ", set the commit aside by `featurestore doctor --repair`" if is_newest else ""
        return f"{restore}{repair}, or rebuild it: `featurestore materialize {view} --full`."
    if view == "latest":
        again = f"`featurestore materialize {build} --latest`"
        return f"Remove the folder {uri}, and write it again: {again}."
    newest, again = _WAYS_OUT.get((view, build), ("", ""))
    if is_newest and newest:
        return f"{restore}, or remove it and {newest}."
    if again:
        return f"{restore}. Without a copy, remove the folder {uri}, and {again}."
    return f"{restore}: its log must be complete."


def check_readable(table: DeltaTable, uri: str) -> pa.Table:
    """Return the data files of an open table, if the local engine reads them rightly.

    Raises:
        TableError: The table needs a newer Delta reader than version 1, or its log names a file
            outside of its folder.
    """
    check_protocol(table, uri)
    files = pa.RecordBatchReader.from_stream(table.get_add_actions()).read_all()
    check_paths(files, uri)
    return files


def check_protocol(table: DeltaTable, uri: str) -> None:
    """Refuse a table that the local engine would read wrongly.

    Raises:
        TableError: The table needs a newer Delta reader than version 1.
    """
    protocol = table.protocol()
    if protocol.min_reader_version > READER_VERSION:
        features = ", ".join(protocol.reader_features or ["column mapping"])
        raise TableError(
            f"open table {uri}",
            f"it needs Delta reader version {protocol.min_reader_version} ({features}); "
            f"the local engine reads version {READER_VERSION}",
            "Read it with Spark, or drop the feature with ALTER TABLE ... DROP FEATURE.",
        )


def check_paths(files: pa.Table, uri: str) -> None:
    """Refuse a table whose log names a file outside of the table's folder.

    delta-rs and Spark follow ``..``, absolute paths and URLs. Whoever can write a table could show
    the reader's own files as features.

    Args:
        files: The log's data files: `Snapshot.files`.
        uri: The table's address.

    Raises:
        TableError: A file's path leaves the folder.
    """
    for path in files["path"].to_pylist():
        if not stays_inside(path):
            raise TableError(
                f"open table {uri}",
                f"its log names the file {path!r}, which is not in the table's folder",
                "Restore the table. If it is a shallow clone, make a copy instead, for example by "
                "CREATE TABLE ... DEEP CLONE or by writing its rows to a new table.",
            )
