"""A cached value of a table always equals a fresh read."""

import shutil

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from featurestore.errors import TableError
from featurestore.store.delta.cache import Snapshots, TableCache
from featurestore.store.delta.records import read_records


def write(uri, *numbers: int) -> None:
    write_deltalake(uri, pa.table({"n": list(numbers)}), mode="append")


def numbers_in(table: DeltaTable) -> list[int]:
    return sorted(row["n"] for row in read_records(table))


def test_a_newer_commit_is_seen_at_once(tmp_path) -> None:
    cache = TableCache(str(tmp_path / "t"), numbers_in)

    before = cache.newest()
    write(tmp_path / "t", 1)
    first = cache.newest()
    write(tmp_path / "t", 2, 3)

    assert (before, first, cache.newest()) == (None, [1], [1, 2, 3])


def test_a_table_without_a_new_commit_is_not_read_again(tmp_path) -> None:
    write(tmp_path / "t", 1)
    reads = []
    cache = TableCache(str(tmp_path / "t"), lambda table: reads.append(table.version()))

    for _ in range(3):
        cache.newest()

    assert reads == [0]


def test_a_table_created_again_at_its_address_is_opened_again(tmp_path) -> None:
    uri = tmp_path / "t"
    write(uri, 1)
    write(uri, 2)
    cache = TableCache(str(uri), numbers_in)
    assert cache.newest() == [1, 2]

    uri.rename(tmp_path / "old")
    assert cache.newest() is None
    write(uri, 7)

    assert cache.newest() == [7]


def test_a_log_with_removed_entries_is_read_from_its_checkpoint(
    tmp_path,
) -> None:
    uri = tmp_path / "t"
    write(uri, 1)
    cache = TableCache(str(uri), numbers_in)
    cache.newest()
    for number in range(2, 6):
        write(uri, number)
    table = DeltaTable(uri)
    table.create_checkpoint()
    for version in range(table.version()):
        (uri / "_delta_log" / f"{version:020}.json").unlink()

    assert cache.newest() == [1, 2, 3, 4, 5]


def test_a_snapshot_is_the_same_object_until_the_table_changes(tmp_path) -> None:
    uri, snapshots = str(tmp_path / "t"), Snapshots()
    write(uri, 1)

    first, again = snapshots.newest(uri), snapshots.newest(uri)
    write(uri, 2)

    assert first is again
    assert (snapshots.newest(uri).version, snapshots.newest(uri).rows) == (1, 2)


def test_a_missing_table_is_an_error_until_it_is_created(tmp_path) -> None:
    uri, snapshots = str(tmp_path / "t"), Snapshots()

    with pytest.raises(TableError) as caught:
        snapshots.newest(uri)
    assert caught.value.call == f"open table {uri}"
    shutil.rmtree(uri, ignore_errors=True)
    write(uri, 1)

    assert snapshots.newest(uri).rows == 1


@pytest.mark.parametrize("content", [b"", b"\n \n"])
@pytest.mark.parametrize("is_open", [True, False])
def test_an_empty_next_commit_is_an_error(tmp_path, content: bytes, is_open: bool) -> None:
    """delta-rs takes an empty commit for none, and answers from the version before."""
    table = tmp_path / "t"
    for number in range(2):
        write(table, number)
    cache = TableCache(str(table), numbers_in)
    if is_open:
        assert cache.newest() == [0, 1]
    lost = table / "_delta_log" / f"{2 if is_open else 1:020}.json"
    lost.write_bytes(content)

    with pytest.raises(TableError) as caught:
        cache.newest()

    assert str(lost) in caught.value.found


def test_snapshots_check_each_new_version_once(tmp_path) -> None:
    write(tmp_path / "t", 1)
    checked: list[tuple[str, int]] = []
    uri = str(tmp_path / "t")
    snapshots = Snapshots(check=lambda *version: checked.append(version))

    snapshots.newest(uri)
    snapshots.newest(uri)
    write(uri, 2)
    snapshots.newest(uri)

    assert checked == [(uri, 0), (uri, 1)]
