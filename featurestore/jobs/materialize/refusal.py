"""The state of a build as evidence, and the errors for a state that no run may continue."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from featurestore.errors import FeatureStoreError, SourceError, TableError
from featurestore.store.integrity import damaged
from featurestore.store.interval import Interval, repair_command


@dataclass(frozen=True)
class Evidence:
    """The state of one build of a view's table on disk, compared with the ledgers.

    Args:
        table_exists: Whether the table exists.
        table_damage: Which commits the table has lost, or has from another program, as a clause;
            None if none.
        source_change: Why the source no longer continues the rows that were read, as a clause:
            the table was replaced, or put back from a copy. None if it does.
        checkpoint_problem: Why the stream's checkpoint cannot continue, as a clause: missing,
            another build's, damaged, older than the table, or a replacement without a finished
            batch. None if it can.
        resumes_at: The version of a Delta source that follows the table's last commit, or the
            offsets of a Kafka topic; None if the stream cannot resume without its checkpoint.
        new_generation: The generation of a new checkpoint, if the recorded one is used up; None
            if it is not.
        changed_files: Source files that changed after their rows were stored.
        changed_days: Returns the days of the events that these files have now; None if they are
            not known. It reads the files.
        lost_files: Why a new build would not have all rows of the table, as a clause: source
            files were read and are gone. None if it would.
    """

    table_exists: bool = False
    table_damage: str | None = None
    source_change: str | None = None
    checkpoint_problem: str | None = None
    resumes_at: int | str | None = None
    new_generation: int | None = None
    changed_files: tuple[str, ...] = ()
    changed_days: Callable[[], Interval | None] = field(default=lambda: None, compare=False)
    lost_files: str | None = None

    @property
    def continues(self) -> bool:
        """Whether a stream can add the source's new rows to the table as it is."""
        return not (
            self.table_damage
            or self.source_change
            or self.checkpoint_problem
            or self.changed_files
        )


def refusal(view: str, evidence: Evidence) -> FeatureStoreError | None:
    """Return why no run may continue the view's table, as an error; None if one may.

    Example:
        >>> refusal("spending", Evidence(table_exists=True)) is None
        True
    """
    call = f"materialize view {view!r}"
    if evidence.changed_files:
        return _changed(view, evidence)
    if evidence.table_damage:
        return damaged(call, view, evidence.table_damage)
    if evidence.source_change:
        return SourceError(
            call,
            evidence.source_change,
            f"Choose one: `featurestore materialize {view} --full` builds the view from the rows "
            "that the source has now. Or put back the table that was read before, with all its "
            "versions.",
        )
    return None


def files_gone(view: str, evidence: Evidence) -> SourceError:
    """Return the error for a table that must be built again, and cannot get all its rows."""
    problem = evidence.table_damage or evidence.checkpoint_problem or "its table is gone"
    if evidence.changed_files:
        problem = _changed_files(evidence.changed_files)
    return SourceError(
        f"materialize view {view!r}",
        f"{problem}, so the table must be built again; but {evidence.lost_files}",
        "Choose one: put the files back, and run the same command again. Or put back what is "
        "gone of the store, such as the view's own checkpoint, from a copy. Or give up their "
        f"rows: `featurestore materialize {view} --full` builds the view from the files that the "
        "source has now.",
    )


def unrecorded_tables(view: str, found: str) -> TableError:
    """Return the error of a view whose tables are there, and of which the ledger has no record.

    Example:
        >>> unrecorded_tables("spending", "the ledger is gone").found
        'the ledger is gone'
    """
    return TableError(
        f"materialize view {view!r}",
        found,
        "Choose one: restore the ledger from a copy, and run the same command again. Or build the "
        f"view from the rows that its source has now: `featurestore materialize {view} --full`.",
    )


def listed(names: Sequence[str]) -> str:
    """Return the first three names, and the number of the others.

    Example:
        >>> listed(["a", "b", "c", "d"])
        'a, b, c and 1 more'
    """
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _changed_files(files: Sequence[str]) -> str:
    return f"source files changed after they were read: {listed(files)}"


def _changed(view: str, evidence: Evidence) -> SourceError:
    days = evidence.changed_days()
    unknown = f"`featurestore materialize {view} --start ... --end ...`"
    command = unknown if days is None else repair_command(view, days)
    now = "" if days is None else f", the days of the events that {_they(evidence)} now"
    return SourceError(
        f"materialize view {view!r}",
        _changed_files(evidence.changed_files),
        "Choose one: compute the range of event time with the changed rows again, with "
        f"{command}{now}. If other days have changed rows too, it stores nothing and names their "
        f"range. Rebuild the view with `featurestore materialize {view} --full`. Or restore the "
        "old files with their old modification times (cp -p), and add new rows as new files.",
    )


def _they(evidence: Evidence) -> str:
    return "the file has" if len(evidence.changed_files) == 1 else "the files have"
