"""Whether a build's table still has all that the ledger of runs and its own log say it has."""

import json
from collections.abc import Sequence

from featurestore.store.commit import CommitNotes
from featurestore.store.delta.commit_files import CommitFile, newest_commit_files
from featurestore.store.ledger.runs import RunRecord

# Each run checks the newest commits, so an older one was checked while it was new.
_CHECKED_COMMITS = 10


def table_damage(uri: str, runs: Sequence[RunRecord]) -> str | None:
    """Return what a build's table has lost, as a clause; None if nothing is known to be lost.

    A commit's file that is empty, cut or gone takes rows with it, and readers do not see that. A
    table that was put back from a copy is older than the ledger, or has other commits under the
    numbers of those that the ledger knows.

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
    damaged = [
        f"the commit {commit.address} {commit.damage}" for commit in commits if commit.damage
    ]
    if damaged:
        return damaged[0]
    incomplete = (_incomplete(commit) for commit in commits)
    return next((text for text in incomplete if text), None) or _unlike_ledger(uri, commits, runs)


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
