"""Commit files that a crash or a lost disk leaves are found, and others are read as they are."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from featurestore.store.delta.commit_files import (
    commit_digest,
    newest_commit_files,
    source_damage,
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of three commits: 1, 2 and 3 rows, with notes."""
    for rows in (1, 2, 3):
        write_deltalake(
            tmp_path,
            pa.table({"x": list(range(rows))}),
            mode="append",
            commit_properties=CommitProperties(custom_metadata={"userMetadata": f"note {rows}"}),
        )
    return tmp_path


def commit(table: Path, version: int) -> Path:
    return table / "_delta_log" / f"{version:020}.json"


def test_commits_are_returned_newest_first_with_their_rows_and_notes(table: Path) -> None:
    commits = newest_commit_files(str(table), 2)

    assert [each.version for each in commits] == [2, 1]
    assert [each.added_rows for each in commits] == [3, 2]
    assert [each.notes for each in commits] == ["note 3", "note 2"]
    assert [each.damage for each in commits] == [None, None]


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize(
    ("content", "damage"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b'{"commitInfo":{"timest', "is cut or damaged"),
        (b"\x00\xff\x00", "is cut or damaged"),
        (b"{}\n", "is damaged"),
        (b"7\n", "is damaged"),
    ],
)
def test_a_damaged_commit_is_found_wherever_it_is(
    table: Path, version: int, content: bytes, damage: str
) -> None:
    commit(table, version).write_bytes(content)

    found = {each.version: each.damage for each in newest_commit_files(str(table), 10)}

    assert found == {0: None, 1: None, 2: None} | {version: damage}


def test_a_gap_is_damage_unless_a_checkpoint_follows_it(table: Path) -> None:
    commit(table, 1).unlink()
    gap = {each.version: each.damage for each in newest_commit_files(str(table), 10)}

    write_deltalake(table / "other", pa.table({"x": [1]}))
    write_deltalake(table / "other", pa.table({"x": [1]}), mode="append")
    DeltaTable(table / "other").create_checkpoint()
    commit(table / "other", 0).unlink()
    cleaned = {each.version: each.damage for each in newest_commit_files(f"{table}/other", 10)}

    assert gap == {0: None, 1: "is gone", 2: None}
    assert cleaned == {1: None}


def test_a_lost_newest_commit_is_known_from_the_checksums_that_spark_wrote(table: Path) -> None:
    commit(table, 2).with_suffix(".crc").write_text("{}")
    whole = [each.damage for each in newest_commit_files(str(table), 10)]
    commit(table, 2).unlink()

    damage = [each.damage for each in newest_commit_files(str(table), 10)]

    assert (whole, damage) == ([None, None, None], ["is gone", None, None])


def test_a_hash_is_of_exactly_one_commit(table: Path) -> None:
    digests = [commit_digest(str(table), version) for version in (-1, 0, 1, 2, 3)]

    assert (digests[0], digests[4]) == (None, None)
    assert len(set(digests[1:4])) == 3
    commit(table, 2).write_bytes(commit(table, 2).read_bytes() + b"\n")
    assert commit_digest(str(table), 2) != digests[3]


@pytest.mark.parametrize("uri", ["s3a://bucket/table", "abc://bucket/table"])
def test_nothing_is_known_of_an_object_store_that_arrow_cannot_read(uri: str) -> None:
    assert newest_commit_files(uri, 3) == ()
    assert commit_digest(uri, 0) is None


def without_files(table: Path) -> None:
    lines = commit(table, 2).read_text().splitlines(keepends=True)
    commit(table, 2).write_text("".join(line for line in lines if '"add"' not in line))


def test_a_write_that_was_cut_after_a_line_is_damaged(table: Path) -> None:
    whole = source_damage(str(table))

    without_files(table)

    assert whole is None
    assert "3 rows" in (newest_commit_files(str(table), 1)[0].damage or "")
    assert str(commit(table, 2)) in (source_damage(str(table)) or "")


@pytest.mark.parametrize("content", [b"", b"\n", b'{"add": {"pa'])
def test_a_source_with_an_empty_or_cut_newest_commit_is_damaged(
    table: Path, content: bytes
) -> None:
    commit(table, 2).write_bytes(content)

    assert str(commit(table, 2)) in (source_damage(str(table)) or "")


def test_the_commits_of_other_programs_are_no_damage(table: Path) -> None:
    """They may have no information of the commit, or count rows in another way."""
    text = commit(table, 2).read_text()
    others = (
        "".join(line for line in text.splitlines(keepends=True) if "commitInfo" not in line),
        text.replace('"num_added_rows":3', '"num_added_rows":7'),
        text.replace('"num_added_rows":3', '"num_added_rows":"many"'),
        text.replace('"WRITE"', '"MERGE"'),
    )
    for other in others:
        commit(table, 2).write_text(other)
        assert source_damage(str(table)) is None

    write_deltalake(table, pa.table({"x": pa.array([], pa.int64())}), mode="append")
    DeltaTable(table).delete("x = 0")
    assert source_damage(str(table)) is None
    assert newest_commit_files(str(table), 2)[0].damage is None
