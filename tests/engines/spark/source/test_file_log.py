"""The log of read files: what a killed run leaves is taken up, and each file is read once."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from featurestore.engines.spark.source.file_log import FileBatch, FileLog, prune, unread_files
from featurestore.engines.spark.source.offsets import batch_with_rows_after, seen_files
from featurestore.engines.spark.source.renames import gone_names
from featurestore.store.commit import CommitNotes
from featurestore.store.file_system import list_names
from featurestore.store.source_files import FilePath

NAMES = ["a.csv", "b.csv", "c.csv"]


@pytest.fixture
def path(tmp_path: Path) -> FilePath:
    (tmp_path / "data").mkdir()
    for name in NAMES:
        (tmp_path / "data" / name).write_text("k\n1\n", encoding="utf-8")
    return FilePath(str(tmp_path / "data"))


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    return str(tmp_path / "checkpoint")


def notes(batch: int, run_id: str) -> CommitNotes:
    """What a run notes in its commit of a batch."""
    return CommitNotes(
        run_id,
        view="v",
        table_id="t",
        generation=0,
        batch_id=batch,
        source_offset=None,
        rows_in=1,
        rows_out=1,
        null_rows=0,
        max_event_timestamp=None,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def next_batch(log: FileLog, path: FilePath, newest: CommitNotes | None = None) -> FileBatch:
    batch = next(log.new_batches(path, newest, limit=1))
    log.begin(batch)
    return batch


def names(batch: FileBatch) -> list[str]:
    return [file.name for file in batch.files]


def seen(checkpoint: str, newest: CommitNotes | None = None) -> list[str]:
    return [file.path for file in seen_files(checkpoint, newest)]


def test_a_batch_that_was_begun_is_taken_up_unless_the_table_has_it(
    path: FilePath, checkpoint: str
) -> None:
    begun = [names(next_batch(FileLog(checkpoint, run), path)) for run in ("r1", "r2")]
    after_commit = next_batch(FileLog(checkpoint, "r3"), path, notes(0, "r2"))

    assert begun == [["a.csv"], ["a.csv"]]
    assert (after_commit.number, names(after_commit)) == (1, ["b.csv"])
    assert seen(checkpoint) == ["a.csv"]


def test_of_two_runs_at_once_the_files_of_the_one_that_committed_count(
    path: FilePath, checkpoint: str
) -> None:
    first, second = FileLog(checkpoint, "r1"), FileLog(checkpoint, "r2")
    fewer = next(first.new_batches(path, limit=1))
    more = next(second.new_batches(path, limit=2))
    first.begin(fewer)
    second.begin(more)

    assert fewer.number == more.number
    assert seen(checkpoint) == []
    assert seen(checkpoint, notes(0, "r1")) == ["a.csv"]
    assert seen(checkpoint, notes(0, "r2")) == ["a.csv", "b.csv"]
    first.end(fewer, rows=1)
    assert seen(checkpoint) == ["a.csv"]


def test_a_batch_with_rows_that_the_table_does_not_have_is_found(
    path: FilePath, checkpoint: str
) -> None:
    log = FileLog(checkpoint, "r1")
    for rows in (3, 0):
        log.end(next_batch(log, path), rows)

    assert batch_with_rows_after(checkpoint, -1) == 0
    assert batch_with_rows_after(checkpoint, 0) is None


def test_the_log_has_each_file_about_once_however_many_batches_there_are(
    tmp_path: Path, checkpoint: str
) -> None:
    (tmp_path / "many").mkdir()
    for number in range(61):
        (tmp_path / "many" / f"{number:02}.csv").write_text("k\n1\n", encoding="utf-8")
    path, log = FilePath(str(tmp_path / "many")), FileLog(checkpoint, "r1")

    for batch in log.new_batches(path, limit=1):
        log.begin(batch)
        log.end(batch, rows=1)

    assert len(seen(checkpoint)) == 61
    folder = Path(checkpoint, "sources", "0")
    assert sorted(file.name for file in folder.iterdir()) == ["59.compact", "60"]
    assert list(log.new_batches(path)) == []


def test_files_of_a_stream_of_spark_count_by_the_offset_of_its_log(checkpoint: str) -> None:
    # Batch 5 ended, with the first two files. Batch 6 began, with the third, and did not end.
    for batch, offset in ((5, 1), (6, 2)):
        file = Path(checkpoint, "offsets", str(batch))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'v1\n{{}}\n{{"logOffset":{offset}}}', encoding="utf-8")
    Path(checkpoint, "commits").mkdir()
    Path(checkpoint, "commits", "5").write_text("v1\n{}", encoding="utf-8")
    for offset, name in enumerate(NAMES):
        entry = {"path": f"file:///data/{name}", "timestamp": 1, "batchId": offset}
        file = Path(checkpoint, "sources", "0", str(offset))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"v1\n{json.dumps(entry)}", encoding="utf-8")

    assert seen(checkpoint) == ["/data/a.csv", "/data/b.csv"]


def read_all(path: FilePath, checkpoint: str) -> None:
    log = FileLog(checkpoint, "r0")
    for batch in log.new_batches(path):
        log.begin(batch)
        log.end(batch, 1)


def unread(path: FilePath, checkpoint: str) -> list[str]:
    now = FilePath(path.folder)
    return [file.name for file in unread_files(now, seen_files(checkpoint))]


def test_a_renamed_file_is_read_once(path: FilePath, checkpoint: str) -> None:
    read_all(path, checkpoint)
    file = Path(path.folder, "a.csv")

    file.rename(file.with_name("z.csv"))

    assert unread(path, checkpoint) == []
    assert list(FileLog(checkpoint, "r1").new_batches(FilePath(path.folder))) == []


def edited(file: Path) -> list[str]:
    """Change a file, and return the names of files that count as new then."""
    file.write_text("k\n2\n", encoding="utf-8")
    return unread(FilePath(str(file.parent)), str(file.parent.with_name("checkpoint")))


def renamed(file: Path, name: str) -> Path:
    """Rename a file, and let a run look at the folder, which reads nothing."""
    moved = file.rename(file.with_name(name))
    log = FileLog(str(file.parent.with_name("checkpoint")), "later")
    assert list(log.new_batches(FilePath(str(file.parent)))) == []
    return moved


@pytest.mark.parametrize(
    "others", [[], ["y.csv"], ["y.csv", "a.csv"], ["y.csv", "a.csv", "x.csv"]]
)
def test_a_renamed_file_that_is_changed_later_is_no_new_file(
    path: FilePath, checkpoint: str, others: list[str]
) -> None:
    read_all(path, checkpoint)
    file = Path(path.folder, "a.csv")
    for name in [*others, "z.csv"]:
        file = renamed(file, name)
        assert gone_names(FilePath(path.folder), seen_files(checkpoint), NAMES) == []

    assert edited(file) == []
    entries = {each.path: each for each in seen_files(checkpoint)}
    assert entries["z.csv"].digest == entries["a.csv"].digest


def test_the_name_of_a_renamed_file_stays_in_the_log_when_it_is_written_in_one_file(
    tmp_path: Path, checkpoint: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(41):
        (folder / f"{number:02}.csv").write_text(f"k\n{number}\n", encoding="utf-8")
        read_all(FilePath(str(folder)), checkpoint)
        if number in (18, 19, 38):
            renamed(folder / f"{number:02}.csv", f"z{number}.csv")
    prune(checkpoint)

    assert len(list_names(f"{checkpoint}/sources/0")) == 2
    assert gone_names(FilePath(str(folder)), seen_files(checkpoint)) == []
    assert edited(folder / "z18.csv") == []


def test_a_copy_of_a_renamed_file_is_a_new_file(path: FilePath, checkpoint: str) -> None:
    read_all(path, checkpoint)
    file = renamed(Path(path.folder, "a.csv"), "y.csv")

    shutil.copy2(file, file.with_name("z.csv"))

    assert unread(path, checkpoint) == ["z.csv"]


def test_a_renamed_file_is_gone_when_it_is_removed(path: FilePath, checkpoint: str) -> None:
    read_all(path, checkpoint)
    file = renamed(Path(path.folder, "a.csv"), "z.csv")

    file.unlink()

    assert gone_names(FilePath(path.folder), seen_files(checkpoint), NAMES) == ["z.csv"]


def copied(file: Path) -> None:
    shutil.copy2(file, file.with_name("z.csv"))


def moved_to_a_folder(file: Path) -> None:
    (file.parent / "day=2").mkdir()
    file.rename(file.parent / "day=2" / "z.csv")


def with_another_content(file: Path) -> None:
    state = file.stat()
    file.with_name("z.csv").write_text("k\n2\n", encoding="utf-8")
    os.utime(file.with_name("z.csv"), ns=(state.st_atime_ns, state.st_mtime_ns))
    file.unlink()


def with_another_time(file: Path) -> None:
    file.rename(file.with_name("z.csv"))
    os.utime(file.with_name("z.csv"), (0, 0))


def renamed_and_copied(file: Path) -> None:
    shutil.copy2(file, file.with_name("y.csv"))
    file.rename(file.with_name("z.csv"))


@pytest.mark.parametrize(
    "change",
    [copied, moved_to_a_folder, with_another_content, with_another_time, renamed_and_copied],
)
def test_a_file_that_is_not_only_renamed_is_new(
    path: FilePath, checkpoint: str, change: Callable[[Path], None]
) -> None:
    read_all(path, checkpoint)

    change(Path(path.folder, "a.csv"))

    (name,) = unread(path, checkpoint)
    assert name.endswith("z.csv")
