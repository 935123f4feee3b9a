"""Whether a build's table has exactly what the runs of featurestore committed to it."""

import json
from collections.abc import Sequence

from featurestore.errors import TableError
from featurestore.store.commit import CommitNotes
from featurestore.store.delta.commit_files import CommitFile, newest_commit_files
from featurestore.store.delta.snapshot import damage_fix
from featurestore.store.ledger.runs import RunRecord
from featurestore.store.paths import is_local

# Each run checks the newest commits, so an older one was checked while it was new.
_CHECKED_COMMITS = 10


def table_damage(uri: str, runs: Sequence[RunRecord]) -> str | None:
    """Return which commits a table has lost, or has from another program; None if none is known.

    A commit's file that is empty, cut or gone takes rows with it, and readers do not see that. A
    table that was put back from a copy is older than the ledger, or has other commits under the
    numbers of those that the ledger knows. A commit of another program changes rows that the
    source has not changed.

    Args:
        uri: The table's address. Nothing is returned if there is no table.
        runs: The recorded runs that wrote to this build.

    Example:
        >>> table_damage("no/such/table", ()) is None
        True
    """
    commits = newest_commit_files(uri, _CHECKED_COMMITS)
    if not commits:
        return None
    return _lost(commits) or _unlike_ledger(uri, commits, runs) or _foreign(uri, commits, runs)


def damaged(call: str, view: str, damage: str) -> TableError:
    """Return the error of a table that is not as the runs of featurestore left it.

    Args:
        call: The call, for the message.
        view: The view's name.
        damage: The result of `table_damage`.

    Example:
        >>> damaged("verify()", "spending", "the newest commit is gone").call
        'verify()'
    """
    return TableError(
        call,
        damage,
        f"Rebuild the view with `featurestore materialize {view} --full`. Or restore the table's "
        "newest files from a copy.",
    )


def require_whole_version(uri: str, version: int) -> None:
    """Refuse a version of a feature table of which a newest commit is damaged, or lacks rows.

    delta-rs reads some of these logs, and the answers would lack the rows. Only a local disk
    leaves such commits, so other tables are not looked at.

    Args:
        uri: The table's address.
        version: The Delta version, which is the newest one.

    Raises:
        TableError: A commit after the checkpoint, and of the newest ones, is damaged.

    Example:
        >>> require_whole_version("s3://bucket/table", 0)
    """
    if not is_local(uri):
        return
    commits = newest_commit_files(uri, _CHECKED_COMMITS)
    if damage := _lost(commits):
        is_newest = bool(commits[0].damage) or commits[0].version > version
        raise TableError(f"open table {uri}", damage, damage_fix(uri, is_newest=is_newest))


def lost_commit(uri: str) -> str | None:
    """Return which of a table's newest commits is damaged, as a clause; None if none is.

    Example:
        >>> lost_commit("no/such/table") is None
        True
    """
    return _lost(newest_commit_files(uri, _CHECKED_COMMITS))


def _lost(commits: Sequence[CommitFile]) -> str | None:
    for commit in commits:
        if commit.damage:
            return f"the commit {commit.address} {commit.damage}"
    return next((text for text in map(_incomplete, commits) if text), None)


def _foreign(uri: str, commits: Sequence[CommitFile], runs: Sequence[RunRecord]) -> str | None:
    """Return which commit has changed the rows and is not of a run; None if no run is known."""
    others = [each for each in commits if each.changes_rows and _notes(each) is None]
    is_ours = any(run.outcome.version is not None for run in runs) or any(map(_notes, commits))
    if not (others and is_ours):
        return None
    return (
        f"version {others[0].version} of its table {uri} changed the rows, and no run of "
        f"featurestore made it ({others[0].operation})"
    )


def _incomplete(commit: CommitFile) -> str | None:
    """Return what a commit lacks of the rows that its batch counted."""
    notes = _notes(commit)
    if notes is None or commit.added_rows in (None, notes.rows_out):
        return None
    return (
        f"the commit {commit.address} has {commit.added_rows:,} rows, "
        f"but its batch stored {notes.rows_out:,}"
    )


def _unlike_ledger(
    uri: str, commits: Sequence[CommitFile], runs: Sequence[RunRecord]
) -> str | None:
    recorded = {run.outcome.version: run.run_id for run in runs}
    newest = max((version for version in recorded if version is not None), default=-1)
    if newest > commits[0].version:
        return (
            f"the ledger of runs has version {newest} of its table {uri}, "
            f"but the table ends at version {commits[0].version}"
        )
    for commit in commits:
        notes, run = _notes(commit), recorded.get(commit.version)
        if run is not None and (notes is None or notes.run_id != run):
            return (
                f"version {commit.version} of its table {uri} is not the commit that run {run} "
                "made: the version number was used a second time"
            )
    return None


def _notes(commit: CommitFile) -> CommitNotes | None:
    try:
        notes = json.loads(commit.notes or "{}")
        return CommitNotes.from_notes(notes) if isinstance(notes, dict) else None
    except (ValueError, TypeError, KeyError):  # free text of another program
        return None
