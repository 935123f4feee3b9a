"""The note in each commit of a feature table: which run wrote the batch, and what it counted.

The note is JSON text in the commit's ``userMetadata``. A batch writes it in the same commit as its
rows, so the note and the rows always agree. Later runs read the notes: to rebuild the ledger of
runs, and to resume a stream that lost its checkpoint.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field
from datetime import datetime

from featurestore.store.delta.log import Commit, commits, newest_commits

COMMIT_SCHEMA = "featurestore.commit/1"
# Only compactions and clean-ups commit between batches, so one of the last commits is almost
# always a batch's.
_RECENT_COMMITS = 20
# Delta removes the files of commits after 30 days, and the notes with them. Rebuilds of snapshot
# views, contracts and releases need them for as long as there is the table.
LOG_PROPERTIES = {"delta.enableExpiredLogCleanup": "false"}
_COUNTS = ("generation", "batch_id", "rows_in", "rows_out", "null_rows")
_LATER = (
    "rows_quarantined",
    "failures",
    "snapshot",
    "release",
    "repair",
    "rows_copied",
    "bad_rows_copied",
)


@dataclass(frozen=True)
class CommitNotes:
    """What a batch notes in the commit of its rows.

    Args:
        run_id: The run that wrote the batch.
        view: The view's name.
        table_id: The build of the view's table.
        generation: The generation of the stream's checkpoint.
        batch_id: The stream's number of the batch. It starts from 0 with each generation.
        source_offset: The end of the batch in the source, as the checkpoint's JSON text; None if
            the checkpoint has no offset for the batch.
        source_commit: A hash of the newest commit of a Delta source that was read by then; None
            for other sources. A table that is put back from a copy may use its number again.
        rows_in: Number of source rows read.
        rows_out: Number of rows stored.
        null_rows: Number of rows with a null key or without a time of the years 1 to 9999. They
            are in the quarantine too; earlier releases left them out.
        null_unique_rows: Number of rows stored with a null in ``unique_by``.
        rows_quarantined: Number of rows put into the quarantine.
        failures: The number of rows that failed each check, by its name; empty without such rows.
        max_event_timestamp: The newest event time stored, in UTC microseconds.
        started_at: Start of the run.
        snapshot: Whether the rows are the changes that a snapshot view's run found.
        release: Whether the rows are of the quarantine, and were released. The batch is the one
            before: a release reads nothing of the source.
        repair: The range of event time that was computed again, as two times of ISO 8601: its
            start, and the end, which is out of it. None in other commits.
        rows_copied: The number of the stored rows that a repair took from the table before.
        bad_rows_copied: The number of the rows that it took from the quarantine before.
        source_columns: The source's columns that the run accepted, each as name and type; None for
            a derived view, and in commits of older releases.
        source_name: The source whose columns these are.
    """

    run_id: str
    _: KW_ONLY
    view: str
    table_id: str
    generation: int
    batch_id: int
    source_offset: str | None
    source_commit: str | None = None
    rows_in: int
    rows_out: int
    null_rows: int
    null_unique_rows: int = 0
    rows_quarantined: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    max_event_timestamp: int | None
    started_at: datetime
    snapshot: bool = False
    release: bool = False
    repair: Sequence[str] | None = None
    rows_copied: int = 0
    bad_rows_copied: int = 0
    source_columns: Sequence[Sequence[str]] | None = None
    source_name: str = ""

    @property
    def is_batch(self) -> bool:
        """Whether the commit has a number of its own.

        A release and a record of columns have the number of the batch before.
        """
        return bool(self.rows_in) and not self.release

    def to_json(self) -> str:
        """Return the text to store in the commit's ``userMetadata``."""
        fields = asdict(self) | {"started_at": self.started_at.isoformat()}
        # Without those that few batches have: a text of an earlier release stays as it is.
        fields = {name: each for name, each in fields.items() if each or name not in _LATER}
        return json.dumps({"schema": COMMIT_SCHEMA, **fields}, sort_keys=True)

    @classmethod
    def from_notes(cls, notes: Mapping[str, object]) -> "CommitNotes | None":
        """Return the notes of a batch; None for the notes of any other commit, or damaged ones.

        Commits of older releases lack the counts that were added later; these are 0. Fields that
        this release does not know are ignored.

        Args:
            notes: The JSON object in a commit's ``userMetadata``, as `store.delta.log` reads it.

        Example:
            >>> CommitNotes.from_notes({"operation": "OPTIMIZE"}) is None
            True
        """
        if notes.get("schema") != COMMIT_SCHEMA:
            return None
        if not all(isinstance(notes.get(name), int) for name in _COUNTS):
            return None
        fields = {name: notes[name] for name in cls.__dataclass_fields__ if name in notes}
        try:
            started_at = datetime.fromisoformat(str(notes.get("started_at")))
            return cls(**fields | {"started_at": started_at})  # type: ignore[arg-type]  # as written by to_json
        except (ValueError, TypeError):
            return None


@dataclass(frozen=True)
class BatchCommit:
    """One commit of a batch.

    Args:
        version: The Delta version of the feature table.
        at: The time of the commit, by the writer's clock.
        notes: What the batch noted.
    """

    version: int
    at: datetime
    notes: CommitNotes


def newest_batch(uri: str) -> BatchCommit | None:
    """Return the newest commit of a batch; None if there is none. A release is no batch.

    Example:
        >>> newest_batch("no/such/table") is None
        True
    """
    return next((each for each in _newest_first(uri) if not each.notes.release), None)


def newest_rows(uri: str) -> BatchCommit | None:
    """Return the newest commit of a batch or a release; None if there is none.

    Example:
        >>> newest_rows("no/such/table") is None
        True
    """
    return next(_newest_first(uri), None)


def _newest_first(uri: str) -> Iterator[BatchCommit]:
    """Yield the newest commits first; these are repeated if more than them are needed."""
    yield from reversed(_batches(newest_commits(uri, _RECENT_COMMITS)))
    yield from reversed(batch_commits(uri))


def batch_commits(uri: str, *, after: int = -1) -> tuple[BatchCommit, ...]:
    """Return the commits of batches and releases newer than version ``after``, oldest first.

    Commits of other writers, such as a compaction, are left out.

    Args:
        uri: Address of the feature table. Without a table there are no commits.
        after: A Delta version.

    Example:
        >>> batch_commits("no/such/table")
        ()
    """
    return _batches(commits(uri, after=after))


def _batches(found: Sequence[Commit]) -> tuple[BatchCommit, ...]:
    return tuple(
        BatchCommit(commit.version, commit.at, notes)
        for commit in found
        if (notes := CommitNotes.from_notes(commit.notes)) is not None
    )


def batch_commit(uri: str, generation: int, batch_id: int) -> BatchCommit | None:
    """Return the commit of one batch; None if the table has none.

    Args:
        uri: Address of the feature table.
        generation: The generation of the stream's checkpoint.
        batch_id: The number of the batch.

    Example:
        >>> batch_commit("no/such/table", 0, 0) is None
        True
    """
    # The log of a file source names the run that has written the batch, not a release.
    own = (
        each
        for each in _newest_first(uri)
        if (each.notes.generation, each.notes.batch_id) == (generation, batch_id)
        and not each.notes.release
    )
    return next(own, None)
