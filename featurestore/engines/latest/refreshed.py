"""What a refresh of a `latest` table has done, and the commit of a refresh of changed keys."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from deltalake.exceptions import CommitFailedError

from featurestore.engines.latest.plan import ChangedKeys
from featurestore.engines.latest.rewrite import Rewritten
from featurestore.errors import StorageError
from featurestore.store.delta.replacement import remove_files, replace_files


@dataclass(frozen=True)
class Refreshed:
    """What a refresh of a ``latest`` table has done.

    Args:
        version: The Delta version of the new table.
        keys: The number of keys that were answered.
        files_written: The number of files that were written.
        files_kept: The number of files that stay as they were.
        reason: Why all keys were answered, as a clause; ``""`` if only changed keys were.
    """

    version: int
    _: KW_ONLY
    keys: int
    files_written: int
    files_kept: int = 0
    reason: str = ""

    @property
    def note(self) -> str:
        """What was done, as a clause.

        Example:
            >>> Refreshed(7, keys=12, files_written=1, files_kept=39).note
            'latest table: 12 changed keys, 1 file written, 39 kept'
        """
        changed = "" if self.reason else "changed "
        files = "file" if self.files_written == 1 else "files"
        return (
            f"latest table: {self.keys:,} {changed}{'key' if self.keys == 1 else 'keys'}, "
            f"{self.files_written:,} {files} written, {self.files_kept:,} kept"
        )


def commit_rewritten(plan: ChangedKeys, results: Sequence[Rewritten], notes: str) -> Refreshed:
    """Replace the files with changed keys in one commit; without such files, commit the notes.

    Args:
        plan: The refresh.
        results: What each of its groups was rewritten to.
        notes: The text for the commit's ``userMetadata``.

    Raises:
        StorageError: Another program has committed to the table at the same time.
    """
    latest = plan.latest
    new = [file for result in results for file in result.files]
    old: dict[str, int] = {}
    for group, result in zip(plan.groups, results, strict=True):
        old |= group.files if result.files else {}
    try:
        version = replace_files(latest, old, new, notes, changes_rows=True)
    except CommitFailedError as error:
        remove_files(latest, new)
        raise StorageError(
            f"write to table {latest.uri}",
            "another program has committed to the table at the same time, so nothing was changed",
            "Run the same command again. Only featurestore may write to latest tables.",
        ) from error
    kept = latest.files.num_rows - len(old)
    keys = sum(result.keys for result in results)
    return Refreshed(version, keys=keys, files_written=len(new), files_kept=kept)
