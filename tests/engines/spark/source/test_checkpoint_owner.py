"""A checkpoint says whose it is, and that of another build has nothing to read."""

from pathlib import Path

import pytest

from featurestore.engines.spark.source.checkpoint_owner import (
    OWNER_FILE,
    CheckpointOwner,
    other_owner,
    owner_of,
    record_owner,
)
from featurestore.engines.spark.source.file_log import FileLog, prune
from featurestore.engines.spark.source.offsets import (
    batch_with_rows_after,
    checkpoint_damage,
    has_ended_batch,
    last_batch,
    last_ended_batch,
    seen_files,
    source_offset,
)
from featurestore.store.layout import Layout
from featurestore.store.source_files import FilePath


def written(folder: Path) -> Path:
    """The checkpoint of generation 0 of build t1 of view v, which has read a file."""
    (folder / "data").mkdir()
    (folder / "data" / "a.csv").write_text("k\n1\n", encoding="utf-8")
    checkpoint = Layout(str(folder)).checkpoint("t1", 0)
    record_owner(checkpoint, "v")
    log = FileLog(checkpoint, "r1")
    (batch,) = log.new_batches(FilePath(str(folder / "data")))
    log.begin(batch)
    log.end(batch, rows=1)
    return Path(checkpoint)


def test_a_checkpoint_says_whose_it_is(tmp_path: Path) -> None:
    checkpoint = str(written(tmp_path))

    record_owner(checkpoint, "w")

    assert owner_of(checkpoint) == CheckpointOwner("v", table_id="t1", generation=0)
    assert other_owner(checkpoint) is None
    assert [file.path for file in seen_files(checkpoint)] == ["a.csv"]


@pytest.mark.parametrize("place", ["t2/0", "t1/1"], ids=["build", "generation"])
def test_in_the_place_of_another_one_it_has_nothing_to_read(tmp_path: Path, place: str) -> None:
    own = written(tmp_path)
    other = tmp_path / "checkpoints" / place
    other.parent.mkdir(exist_ok=True)
    own.rename(other)
    checkpoint, files = str(other), {*other.rglob("*")}

    assert other_owner(checkpoint) == CheckpointOwner("v", table_id="t1", generation=0)
    assert (last_batch(checkpoint), last_ended_batch(checkpoint)) == (None, -1)
    assert not has_ended_batch(checkpoint)
    assert batch_with_rows_after(checkpoint, -1) is None
    assert checkpoint_damage(checkpoint) is None
    assert source_offset(checkpoint, 0) is None
    assert seen_files(checkpoint) == ()
    assert prune(checkpoint).files == 0
    assert {*other.rglob("*")} == files


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"view": "v", "tab',
        "[]",
        "null",
        '{"view": "v"}',
        '{"view": "v", "table_id": "t9", "generation": "x"}',
        '{"view": "v", "table_id": "../t9", "generation": 0}',
    ],
)
def test_a_file_that_does_not_say_whose_it_is_counts_as_none(tmp_path: Path, text: str) -> None:
    checkpoint = written(tmp_path)
    (checkpoint / OWNER_FILE).write_text(text, encoding="utf-8")

    before = owner_of(str(checkpoint)), other_owner(str(checkpoint))
    record_owner(str(checkpoint), "v")

    assert before == (None, None)
    assert owner_of(str(checkpoint)) == CheckpointOwner("v", table_id="t1", generation=0)
