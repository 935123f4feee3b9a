"""The log of read files: what a killed run leaves is taken up, and each file is read once."""

from pathlib import Path

import pytest

from featurestore.engines.spark.source.file_log import begin_batch, end_batch
from featurestore.engines.spark.source.offsets import batch_with_rows_after
from featurestore.store.source_files import FilePath


@pytest.fixture
def path(tmp_path: Path) -> FilePath:
    (tmp_path / "data").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "data" / name).write_text("k\n1\n", encoding="utf-8")
    return FilePath(str(tmp_path / "data"))


def names(path: FilePath, checkpoint: Path, committed: int) -> list[str]:
    batch = begin_batch(str(checkpoint), path, committed=committed, limit=1)
    return [] if batch is None else [file.name for file in batch.files]


def test_a_batch_that_was_begun_is_taken_up_unless_the_table_has_it(
    path: FilePath, tmp_path: Path
) -> None:
    begun = [names(path, tmp_path / "c", -1) for _ in range(2)]
    committed = names(path, tmp_path / "c", 0)

    assert (begun, committed) == ([["a.csv"], ["a.csv"]], ["b.csv"])


def test_a_batch_with_rows_that_the_table_does_not_have_is_found(
    path: FilePath, tmp_path: Path
) -> None:
    checkpoint = str(tmp_path / "c")
    for rows in (3, 0):
        batch = begin_batch(checkpoint, path, limit=1)
        assert batch is not None
        end_batch(checkpoint, batch, rows)

    assert batch_with_rows_after(checkpoint, -1) == 0
    assert batch_with_rows_after(checkpoint, 0) is None
