"""What is kept of a table is always what a fresh look would find."""

import shutil

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from featurestore.errors import TableError
from featurestore.store.delta.cache import Snapshots, TableCache
from featurestore.store.delta.records import read_records


def write(place, *numbers: int) -> None:
    write_deltalake(place, pa.table({"n": list(numbers)}), mode="append")


def numbers_in(table: DeltaTable) -> list[int]:
    return sorted(row["n"] for row in read_records(table))


def test_a_newer_commit_is_seen_at_once(tmp_path) -> None:
    kept = TableCache(str(tmp_path / "t"), numbers_in)

    before = kept.newest()
    write(tmp_path / "t", 1)
    first = kept.newest()
    write(tmp_path / "t", 2, 3)

    assert (before, first, kept.newest()) == (None, [1], [1, 2, 3])


def test_nothing_is_read_again_where_nothing_is_new(tmp_path) -> None:
    write(tmp_path / "t", 1)
    reads = []
    kept = TableCache(str(tmp_path / "t"), lambda table: reads.append(table.version()))

    for _ in range(3):
        kept.newest()

    assert reads == [0]


def test_a_table_made_anew_at_the_same_place_is_opened_anew(tmp_path) -> None:
    place = tmp_path / "t"
    write(place, 1)
    write(place, 2)
    kept = TableCache(str(place), numbers_in)
    assert kept.newest() == [1, 2]

    place.rename(tmp_path / "old")
    assert kept.newest() is None
    write(place, 7)

    assert kept.newest() == [7]


def test_a_log_cleaned_up_to_behind_what_is_open_is_read_from_its_checkpoint(tmp_path) -> None:
    place = tmp_path / "t"
    write(place, 1)
    kept = TableCache(str(place), numbers_in)
    kept.newest()
    for number in range(2, 6):
        write(place, number)
    table = DeltaTable(place)
    table.create_checkpoint()
    for version in range(table.version()):
        (place / "_delta_log" / f"{version:020}.json").unlink()

    assert kept.newest() == [1, 2, 3, 4, 5]


def test_a_snapshot_is_the_same_object_until_the_table_changes(tmp_path) -> None:
    place, snapshots = str(tmp_path / "t"), Snapshots()
    write(place, 1)

    first, again = snapshots.newest(place), snapshots.newest(place)
    write(place, 2)

    assert first is again
    assert (snapshots.newest(place).version, snapshots.newest(place).rows) == (1, 2)


def test_a_table_that_is_not_there_is_an_error_and_is_found_once_it_is(tmp_path) -> None:
    place, snapshots = str(tmp_path / "t"), Snapshots()

    with pytest.raises(TableError, match="there is no Delta table"):
        snapshots.newest(place)
    shutil.rmtree(place, ignore_errors=True)
    write(place, 1)

    assert snapshots.newest(place).rows == 1
