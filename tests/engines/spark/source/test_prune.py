"""The log of files is shortened without a file that counts as read being forgotten."""

from pathlib import Path

import pytest

from featurestore.engines.spark.source.file_log import FileLog, prune
from featurestore.engines.spark.source.offsets import (
    batch_with_rows_after,
    checkpoint_damage,
    last_batch,
    last_ended_batch,
    seen_files,
)
from featurestore.store.source_files import FilePath


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def read(folder: Path, batches: int, first: int = 0) -> str:
    """Read a file in each batch, and return the checkpoint's address."""
    checkpoint = str(folder.parent / "checkpoint")
    for number in range(first, first + batches):
        (folder / f"{number:03}.csv").write_text("x")
        log = FileLog(checkpoint, f"run-{number}")
        [batch] = log.new_batches(FilePath(str(folder)))
        assert [file.name for file in batch.files] == [f"{number:03}.csv"]
        log.begin(batch)
        log.end(batch, 1)
    return checkpoint


def names(checkpoint: str) -> list[str]:
    return sorted(str(path.relative_to(checkpoint)) for path in Path(checkpoint).rglob("*"))


@pytest.mark.parametrize("batches", [1, 20, 39, 41, 60, 85])
def test_the_same_files_count_as_read_and_the_next_batch_goes_on(
    folder: Path, batches: int
) -> None:
    checkpoint = read(folder, batches)
    before = seen_files(checkpoint)
    foreseen, unchanged = prune(checkpoint, dry_run=True), names(checkpoint)

    removed = prune(checkpoint)

    assert unchanged and removed == foreseen
    assert (removed.files > 0) == (batches > 21)
    assert seen_files(checkpoint) == before
    assert checkpoint_damage(checkpoint) is None
    assert (last_batch(checkpoint), last_ended_batch(checkpoint)) == (batches - 1, batches - 1)
    assert batch_with_rows_after(checkpoint, batches - 2) == batches - 1
    read(folder, 3, first=batches)
    assert len(seen_files(checkpoint)) == batches + 3


def test_many_batches_leave_few_files(folder: Path) -> None:
    checkpoint = read(folder, 130)

    prune(checkpoint)

    assert len(names(checkpoint)) < 3 * 45
    assert prune(checkpoint).files == 0


def test_a_damaged_checkpoint_is_left(folder: Path) -> None:
    checkpoint = read(folder, 60)
    (Path(checkpoint) / "sources" / "0" / "59.compact").write_text("v1\n{")
    before = names(checkpoint)

    assert prune(checkpoint).files == 0
    assert names(checkpoint) == before


@pytest.mark.parametrize("folder_name", ["offsets", "commits"])
def test_a_newest_file_whose_checksum_alone_is_there_is_damage(
    tmp_path: Path, folder_name: str
) -> None:
    (tmp_path / "metadata").write_text('{"id": "s"}')
    for name in ("offsets", "commits"):
        (tmp_path / name).mkdir()
        for batch in range(2):
            (tmp_path / name / str(batch)).write_text("v1\n{}\n{}")
            (tmp_path / name / f".{batch}.crc").write_bytes(b"crc")
    whole = checkpoint_damage(str(tmp_path))

    (tmp_path / folder_name / "1").unlink()

    assert whole is None
    assert f"{folder_name}/1" in (checkpoint_damage(str(tmp_path)) or "")
