"""The state of a build on disk: a checkpoint that is ahead of its table is seen."""

import os
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, Transaction, write_deltalake

from featurestore.definitions.model.source import FileSource
from featurestore.definitions.model.types import Field, Int64, Timestamp
from featurestore.engines.spark.source.file_log import FileLog
from featurestore.jobs.materialize.evidence import files_read, gather
from featurestore.jobs.materialize.refusal import Evidence
from featurestore.jobs.materialize.upstream import Upstream
from featurestore.jobs.repair.position import position_of
from featurestore.store.commit import CommitNotes, newest_batch
from featurestore.store.interval import Interval
from featurestore.store.layout import Layout
from featurestore.store.ledger.files import Files
from featurestore.store.ledger.schemas import FILES
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
    log, problems = FileLog(checkpoint, "r1"), []
    for number in range(2):
        batch = next(log.new_batches(FilePath(data), limit=1))
        log.begin(batch)
        if number == 0:  # the table was put back to the state before the second commit
            commit(layout, number)
        log.end(batch, rows=1)
        problems.append(gather(layout, BUILD, [], source, data).checkpoint_problem)

    assert problems[0] is None
    assert "no commit of batch 1" in str(problems[1])


class Project:
    """A build that has read two files in two batches."""

    def __init__(self, folder: Path) -> None:
        self.data, self.layout = folder / "data", Layout(str(folder / "store"))
        self.data.mkdir()
        for name in ("a.csv", "b.csv"):
            (self.data / name).write_text("k\n1\n", encoding="utf-8")
        self.checkpoint = Path(self.layout.checkpoint("t1", BUILD.generation))
        log = FileLog(str(self.checkpoint), "r1")
        for batch in log.new_batches(FilePath(str(self.data)), limit=1):
            log.begin(batch)
            commit(self.layout, batch.number)
            log.end(batch, rows=1)
        self.record()

    def record(self) -> int:
        """Record the read files as a run does, and return the number of new records."""
        records = files_read(self.layout, BUILD, str(self.data), "r1")
        Files(self.layout).record(records)
        return len(records)

    @property
    def source(self) -> FileSource:
        fields = (Field("k", Int64), Field("at", Timestamp))
        return FileSource(
            "s", path=str(self.data), format="csv", timestamp_field="at", schema=fields
        )

    def evidence(self) -> Evidence:
        return gather(self.layout, BUILD, [], self.source, str(self.data))


def test_copied_files_are_compared_by_their_content_once(tmp_path: Path) -> None:
    project = Project(tmp_path)
    copied = project.data / "a.csv"
    os.utime(copied, (1_600_000_000, 1_600_000_000))

    before, new_records = project.evidence(), project.record()
    copied.write_text("k\n2\n", encoding="utf-8")
    os.utime(copied, (1_600_000_000, 1_600_000_000))
    unread, again = project.evidence(), project.record()
    copied.touch()

    assert (before.changed_files, new_records) == ((), 1)
    assert (unread.changed_files, again) == ((), 0)
    assert project.evidence().changed_files == (str(copied),)


def test_copied_files_are_the_same_also_where_only_the_ledger_knows_them(tmp_path: Path) -> None:
    project = Project(tmp_path)
    shutil.rmtree(project.checkpoint)  # as `doctor --repair` sets it aside
    for name in ("a.csv", "b.csv"):
        os.utime(project.data / name, (1_600_000_000, 1_600_000_000))

    copied = project.evidence()
    (project.data / "b.csv").write_text("k\n2\n", encoding="utf-8")

    assert (copied.changed_files, copied.continues) == ((), False)
    assert project.evidence().changed_files == (str(project.data / "b.csv"),)


def test_a_ledger_of_an_older_release_has_no_digests(tmp_path: Path) -> None:
    project = Project(tmp_path)
    records = Files(project.layout).records("t1")
    shutil.rmtree(project.layout.files())
    columns = [field for field in FILES if field.name != "digest"]
    rows = [asdict(each) for each in records[:1]]
    write_deltalake(project.layout.files(), pa.Table.from_pylist(rows, pa.schema(columns)))
    os.utime(project.data / "a.csv", (1_600_000_000, 1_600_000_000))

    copied, new_records = project.evidence().changed_files, project.record()
    shutil.rmtree(project.checkpoint)

    assert (copied, new_records) == ((), 2)  # the copy, and the file that was not recorded
    assert [each.digest is None for each in Files(project.layout).records("t1")].count(True) == 1
    assert project.evidence().changed_files == ()


def test_the_days_of_changed_files_are_read_from_the_files(tmp_path: Path) -> None:
    project = Project(tmp_path)
    text = "k,at\n1,2026-03-01T23:30:00-01:00\n2,2026-03-04T00:00:00Z\n"
    (project.data / "b.csv").write_text(text, encoding="utf-8")

    days = project.evidence().changed_days()

    assert days == Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC))


def test_a_renamed_file_is_not_gone_and_is_in_the_position_of_a_repair(tmp_path: Path) -> None:
    project = Project(tmp_path)
    (project.data / "b.csv").rename(project.data / "c.csv")
    upstream = Upstream(project.source, uri=str(project.data))
    newest = newest_batch(project.layout.features("v", "t1"))
    assert newest is not None

    evidence = project.evidence()
    position = position_of(upstream, str(project.checkpoint), newest.notes, 0, evidence)

    assert (evidence.lost_files, evidence.continues) == (None, True)
    assert position is not None
    assert [file.name for file in position.files] == ["a.csv", "c.csv"]
    assert not position.is_changed
    (project.data / "c.csv").unlink()
    assert "b.csv" in str(project.evidence().lost_files)


def test_a_log_that_lacks_files_of_the_ledger_is_a_problem(tmp_path: Path) -> None:
    project = Project(tmp_path)
    before = project.evidence().checkpoint_problem
    (project.checkpoint / "sources" / "0" / "0").unlink()

    assert before is None
    assert "a.csv" in str(project.evidence().checkpoint_problem)


@pytest.mark.parametrize(
    "entry",
    [
        "7",
        "null",
        '{"timestamp": 1}',
        '{"name": "b.csv", "timestamp": "x"}',
        '{"path": null, "timestamp": 1}',
        '{"name": "b.csv", "times',
    ],
)
def test_a_damaged_entry_of_the_log_is_a_problem(tmp_path: Path, entry: str) -> None:
    project = Project(tmp_path)
    file = project.checkpoint / "sources" / "0" / "1"
    file.write_text(f"v1\n{entry}", encoding="utf-8")

    assert str(file) in str(project.evidence().checkpoint_problem)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"dataChange":true', '"dataChange":[1}'),
        ("started_at", "started"),
        ('\\"batch_id\\": 1', '\\"batch_id\\": \\"x\\"'),
        ('\\"rows_out\\": 1', '\\"rows_out\\": 5'),
    ],
)
def test_a_damaged_commit_is_damage_of_the_table(tmp_path: Path, old: str, new: str) -> None:
    project = Project(tmp_path)
    table = Path(project.layout.features("v", "t1"))
    newest = table / "_delta_log" / f"{1:020}.json"
    text = newest.read_text(encoding="utf-8")
    newest.write_text(text.replace(old, new), encoding="utf-8")

    assert old in text
    assert project.evidence().table_damage is not None
