"""Whether a Delta source is still the table, with the commits, that a view's rows were read from.

A stream knows its source by the table's id and counts versions. A table that is put back from a
copy has the same id, and gives the numbers of lost versions to new commits. The stream has passed
these numbers, so it would never read the new rows.
"""

from collections.abc import Sequence

from featurestore.engines.spark.source.offsets import last_read_version, reservoir, source_commit
from featurestore.store.commit import CommitNotes
from featurestore.store.delta.log import is_table, latest_version, table_identity
from featurestore.store.ledger.runs import RunRecord


def source_change(uri: str, newest: CommitNotes | None, runs: Sequence[RunRecord]) -> str | None:
    """Return why the source no longer continues the rows that were read from it, as a clause.

    Args:
        uri: The address of the Delta source.
        newest: The notes of the view's newest batch; None if its table is gone or has none.
        runs: The recorded runs of this build, which know the source if the table is gone.

    Returns:
        None if the source continues, or if nothing was read so far.

    Example:
        >>> source_change("no/such/table", None, ()) is None
        True
    """
    offset = _recorded_offset(runs) if newest is None else newest.source_offset
    if offset is None or not is_table(uri):
        return None
    if (read := reservoir(offset)) not in (None, table_identity(uri)):
        return (
            f"the Delta table at {uri} was replaced: its id is {table_identity(uri)}, and the "
            f"rows so far were read from a table with id {read}"
        )
    version, last = last_read_version(offset), latest_version(uri)
    if version is None or last is None:
        return None
    if last < version:
        return (
            f"the Delta table at {uri} was put back to an older state: it ends at version "
            f"{last}, and version {version} was read"
        )
    noted = None if newest is None else newest.source_commit
    if noted is None or source_commit(uri, offset) in (None, noted):
        return None
    return (
        f"the Delta table at {uri} was put back from a copy: its version {version} is not the "
        "commit that was read under this number"
    )


def _recorded_offset(runs: Sequence[RunRecord]) -> str | None:
    offsets = [run.outcome.source_offset for run in runs if run.outcome.source_offset]
    return offsets[-1] if offsets else None
