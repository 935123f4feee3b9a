"""The note of a batch in its commit: the stored form, read back by every later release."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from deltalake import CommitProperties, write_deltalake

from featurestore.store.commit import (
    CommitNotes,
    batch_commit,
    batch_commits,
    newest_batch,
    newest_rows,
)
from tests.tables import feature_table

FIRST_RELEASE = (
    '{"batch_id": 3, "generation": 0, "max_event_timestamp": 1767268800000000, "null_rows": 2, '
    '"rows_in": 5, "rows_out": 3, "run_id": "r1", "schema": "featurestore.commit/1", '
    '"source_offset": "{\\"reservoirVersion\\": 4, \\"index\\": -1}", '
    '"started_at": "2026-01-01T12:00:00+00:00", "table_id": "t1", "view": "spending"}'
)
"""As the first release wrote it: without the count of rows that have a null in ``unique_by``."""
TODAY = FIRST_RELEASE.replace('"rows_in"', '"null_unique_rows": 1, "rows_in"').replace(
    '"source_offset"',
    '"source_columns": [["card_id", "String"]], "source_commit": "5e884898da280471", '
    '"source_name": "payments", "source_offset"',
)
NOTES = CommitNotes(
    "r1",
    view="spending",
    table_id="t1",
    generation=0,
    batch_id=3,
    source_offset='{"reservoirVersion": 4, "index": -1}',
    source_commit="5e884898da280471",
    rows_in=5,
    rows_out=3,
    null_rows=2,
    null_unique_rows=1,
    max_event_timestamp=1767268800000000,
    started_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
    source_columns=[["card_id", "String"]],
    source_name="payments",
)


def test_the_stored_text_stays_as_it_is() -> None:
    assert NOTES.to_json() == TODAY


def test_a_note_is_read_back_as_it_was_written() -> None:
    empty = replace(NOTES, source_offset=None, max_event_timestamp=None)

    assert CommitNotes.from_notes(json.loads(TODAY)) == NOTES
    assert CommitNotes.from_notes(json.loads(empty.to_json())) == empty


def test_a_note_of_the_first_release_lacks_what_was_added_later() -> None:
    assert CommitNotes.from_notes(json.loads(FIRST_RELEASE)) == replace(
        NOTES, null_unique_rows=0, source_commit=None, source_columns=None, source_name=""
    )


def test_a_field_of_a_later_release_is_ignored() -> None:
    later = json.loads(TODAY) | {"quarantined_rows": 7}

    assert CommitNotes.from_notes(later) == NOTES


@pytest.mark.parametrize("notes", [{}, {"schema": "featurestore.latest/1", "view": "spending"}])
def test_the_note_of_another_writer_is_no_note_of_a_batch(notes: dict[str, object]) -> None:
    assert CommitNotes.from_notes(notes) is None


def test_the_commits_of_batches_are_found_among_those_of_others(tmp_path: Path) -> None:
    table = feature_table({"id": [1]}, [0], {"x": [1.0]})
    for text in (TODAY, "compacted by hand", FIRST_RELEASE, '{"operation": "OPTIMIZE"}'):
        noted = CommitProperties(custom_metadata={"userMetadata": text})
        write_deltalake(tmp_path / "t", table, mode="append", commit_properties=noted)

    batches = batch_commits(str(tmp_path / "t"))

    assert [(commit.version, commit.notes.null_unique_rows) for commit in batches] == [
        (0, 1),
        (2, 0),
    ]
    assert batch_commits(str(tmp_path / "t"), after=0) == batches[1:]
    assert batch_commits(str(tmp_path / "t"), after=2) == ()


def test_a_release_does_not_hide_the_batch_before_it(tmp_path: Path) -> None:
    uri, table = str(tmp_path / "t"), feature_table({"id": [1]}, [0], {"x": [1.0]})
    for notes in (NOTES, replace(NOTES, run_id="release", release=True, source_columns=None)):
        noted = CommitProperties(custom_metadata={"userMetadata": notes.to_json()})
        write_deltalake(uri, table, mode="append", commit_properties=noted)

    first, second = batch_commits(uri)

    assert second.notes.release
    assert batch_commit(uri, 0, 3) == first
    assert newest_batch(uri) == first
    assert newest_rows(uri) == second
