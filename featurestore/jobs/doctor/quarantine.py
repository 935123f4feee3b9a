"""The check of a quarantine: its rows against those that the batches of the view counted."""

from collections.abc import Iterator

from featurestore.errors import FeatureStoreError
from featurestore.jobs.doctor.finding import Finding, Subject
from featurestore.jobs.doctor.subjects import has_log
from featurestore.store.commit import CommitNotes, batch_commits
from featurestore.store.integrity import lost_commit
from featurestore.store.quarantine import count_by_batch

UNBALANCED = "D306"


def rows_are_as_counted(subject: Subject) -> Iterator[Finding]:
    """Yield batches whose bad rows are not all in the quarantine, or are there more than once.

    A snapshot view reads its whole source at each run, so a bad row that is not in the source any
    more leaves its quarantine.
    """
    if subject.view is None or subject.view.snapshot:
        return
    counted = _counted(subject)  # first: a run puts rows into quarantine before it commits
    if not any(each.rows_quarantined for each in counted) and not has_log(subject):
        return
    stored = count_by_batch(subject.uri)
    for notes in counted:
        rows = stored.get((notes.generation, notes.batch_id), 0)
        if rows != notes.rows_quarantined:
            yield subject.finding(
                UNBALANCED,
                f"{subject.uri} has {rows:,} rows of the batch of run {notes.run_id}, which put "
                f"{notes.rows_quarantined:,} rows there",
                "It cannot be repaired: later runs do not read these rows again. Restore the "
                f"quarantine from a copy. Or build the view again: {subject.rebuild}.",
            )


def _counted(subject: Subject) -> list[CommitNotes]:
    record = subject.record
    if record is None:
        return []
    table = subject.layout.features(record.view, record.table_id)
    try:
        commits = () if lost_commit(table) else batch_commits(table)
    except FeatureStoreError:  # the checks of the view's table report it
        return []
    return [commit.notes for commit in commits if commit.notes.is_batch]
