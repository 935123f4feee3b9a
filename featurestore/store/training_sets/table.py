"""The tables of saved training sets: each save is one commit, and a new version."""

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
from deltalake import CommitProperties, write_deltalake

from featurestore.errors import FeatureStoreError, NotFoundError, TableError, nearest
from featurestore.store.commit import LOG_PROPERTIES
from featurestore.store.delta.log import Commit, commits, is_table, newest_commits
from featurestore.store.delta.records import read_table
from featurestore.store.delta.retry import retry_commit
from featurestore.store.delta.snapshot import KEEP_COMMITS, open_table
from featurestore.store.failures import storage_errors
from featurestore.store.file_system import list_folders
from featurestore.store.layout import Layout
from featurestore.store.training_sets.notes import TrainingSet
from featurestore.store.training_sets.storage import restored_rows, schema_of, stored_rows

_RECENT = 20


def save_rows(layout: Layout, described: TrainingSet, rows: pa.Table, call: str) -> TrainingSet:
    """Save rows as the next version of a training set, in one commit.

    Other processes may save to the same name at once: each gets a version of its own. Until the
    commit nobody sees anything of it.

    Args:
        layout: The addresses of the tables.
        described: What the commit notes, without a version.
        rows: The rows.
        call: The user's call, for messages.

    Returns:
        What was saved, with its version.

    Raises:
        RequestError: Delta holds no values of a column's type.
        StorageError: The disk or the object store refuses it.
    """
    uri = layout.training_set(described.name)
    stored, noted = stored_rows(rows, call), described.to_json()
    with storage_errors(call, uri):
        version = retry_commit(uri, lambda: _commit(uri, stored, noted))
    return replace(described, version=version)


def _commit(uri: str, rows: pa.Table, noted: str) -> int:
    """Commit rows as the whole table, and return the version."""
    # Without retries in delta-rs, the version is the one after the table that was opened.
    properties = CommitProperties(custom_metadata={"userMetadata": noted}, max_commit_retries=0)
    if not is_table(uri):
        write_deltalake(
            uri,
            rows,
            mode="error",
            configuration=LOG_PROPERTIES,
            commit_properties=properties,
            post_commithook_properties=KEEP_COMMITS,
        )
        return 0
    table = open_table(uri)
    write_deltalake(
        table,
        rows,
        mode="overwrite",
        schema_mode="overwrite",
        commit_properties=properties,
        post_commithook_properties=KEEP_COMMITS,
    )
    return int(table.version())


def load_rows(layout: Layout, saved: TrainingSet) -> pa.Table:
    """Return the rows of a version, with the names, types and order that they had.

    Raises:
        TableError: The table is damaged.
    """
    uri = layout.training_set(saved.name)
    table = open_table(uri, saved.version)
    try:
        return restored_rows(read_table(table), schema_of(saved.schema))
    except (ValueError, KeyError, pa.ArrowException) as error:
        raise _damaged(saved.name, f"its rows are not as they were saved: {error}") from error


def names_of(layout: Layout) -> tuple[str, ...]:
    """Return the names of all saved training sets, sorted.

    Example:
        >>> names_of(Layout("no/such/root"))
        ()
    """
    folder = layout.training_sets()
    names = list_folders(folder)
    return tuple(sorted(name for name in names if is_table(f"{folder}/{name}")))


def newest_of_all(layout: Layout) -> list[TrainingSet]:
    """Return the newest version of each training set; one that is damaged has an ``error``.

    Example:
        >>> newest_of_all(Layout("no/such/root"))
        []
    """
    return [_newest_or_error(layout, name) for name in names_of(layout)]


def version_of(layout: Layout, name: str, version: int | None, call: str) -> TrainingSet:
    """Return a version of a training set, the newest by default.

    Args:
        layout: The addresses of the tables.
        name: The training set's name.
        version: The number of the version.
        call: The user's call, for messages.

    Raises:
        NotFoundError: There is no such training set or version.
        TableError: It is damaged.
    """
    _require_name(layout, name, call)
    if version is None:
        return _whole(_newest(layout, name))
    versions = versions_of(layout, name, call)
    for each in versions:
        if each.version == version:
            return _whole(each)
    numbers = ", ".join(str(each.version) for each in versions)
    found = f"training set {name!r} has no version {version}"
    raise NotFoundError(call, found, f"Its versions: {numbers}.")


def versions_of(layout: Layout, name: str, call: str) -> list[TrainingSet]:
    """Return all versions of a training set, the oldest first; a damaged one has an ``error``.

    Args:
        layout: The addresses of the tables.
        name: The training set's name.
        call: The user's call, for messages.

    Raises:
        NotFoundError: There is no such training set.
        TableError: Its log is damaged.
    """
    _require_name(layout, name, call)
    return list(_saved(name, commits(layout.training_set(name))))


def _newest(layout: Layout, name: str) -> TrainingSet:
    uri = layout.training_set(name)
    # PERF: the notes of a version have megabytes if it has many features. Another program may have
    # committed since the last save, such as an OPTIMIZE.
    for newest in (newest_commits(uri, 1), newest_commits(uri, _RECENT), commits(uri)):
        if found := list(_saved(name, newest)):
            return found[-1]
    raise _damaged(name, "no commit has the notes of a save")


def _newest_or_error(layout: Layout, name: str) -> TrainingSet:
    try:
        return _newest(layout, name)
    except FeatureStoreError as error:
        return TrainingSet(name, error=str(error))


def _saved(name: str, found: tuple[Commit, ...]) -> Iterator[TrainingSet]:
    """Yield the versions that commits describe. The folder's name counts: it may be a copy."""
    for commit in found:
        if saved := TrainingSet.from_notes(commit.notes, commit.version):
            yield replace(saved, name=name)


def _whole(saved: TrainingSet) -> TrainingSet:
    if saved.error is not None:
        raise _damaged(saved.name, saved.error)
    return saved


def _require_name(layout: Layout, name: str, call: str) -> None:
    names = names_of(layout)
    if name not in names:
        found = f"no training set {name!r} is saved"
        raise NotFoundError(call, found, nearest(name, names))


def _damaged(name: str, found: str) -> TableError:
    fix = "Restore its folder from a copy, or save the training set again."
    return TableError(f"read training set {name!r}", found, fix)
