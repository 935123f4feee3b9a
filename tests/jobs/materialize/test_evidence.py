"""The state of a build on disk: a checkpoint that is ahead of its table is seen."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, Transaction, write_deltalake

from featurestore.definitions.model.source import FileSource
from featurestore.engines.spark.source.file_log import begin_batch, end_batch
from featurestore.jobs.materialize.evidence import gather
from featurestore.store.commit import CommitNotes
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import TableRecord
from featurestore.store.source_files import FilePath

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BUILD = TableRecord("v", table_id="t1", fingerprint="f", state="current", at=NOW)


def commit(layout: Layout, batch: int) -> None:
    """Commit a batch of one row to the table, as a run does."""
    notes = CommitNotes(
        "r1",
        view="v",
        table_id="t1",
        generation=BUILD.generation,
        batch_id=batch,
        source_offset=None,
        source_commit=None,
        rows_in=1,
        rows_out=1,
        null_rows=0,
        null_unique_rows=0,
        max_event_timestamp=None,
        started_at=NOW,
    )
    properties = CommitProperties(
        custom_metadata={"userMetadata": notes.to_json()},
        app_transactions=[Transaction(f"t1/{BUILD.generation}", batch)],
    )
    table = layout.features("v", "t1")
    write_deltalake(table, pa.table({"k": [1]}), mode="append", commit_properties=properties)


def test_a_table_without_the_rows_of_files_that_count_as_read_is_not_continued(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "data" / name).write_text("k\n1\n", encoding="utf-8")
    layout, data = Layout(str(tmp_path / "store")), str(tmp_path / "data")
    source = FileSource("s", path=data, format="csv", timestamp_field="at")
    checkpoint = layout.checkpoint("t1", BUILD.generation)
    problems = []
    for number in range(2):
        batch = begin_batch(checkpoint, FilePath(data), limit=1)
        assert batch is not None
        if number == 0:  # the table was put back to the state before the second commit
            commit(layout, number)
        end_batch(checkpoint, batch, rows=1)
        problems.append(gather(layout, BUILD, [], source, data).checkpoint_problem)

    assert problems[0] is None
    assert "no commit of batch 1" in str(problems[1])
