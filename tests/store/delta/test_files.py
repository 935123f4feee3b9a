"""Data files that are gone, cut or changed are named; checksums find every changed page."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from featurestore.errors import TableError
from featurestore.store.delta.files import open_file
from featurestore.store.delta.snapshot import Snapshot, open_snapshot
from tests.tables import write_runs

ROWS = pa.table({"id": range(2_000), "x": np.random.default_rng(1).integers(0, 2**40, 2_000)})


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """A feature table with one file, as Spark writes it: with a checksum for each page."""
    uri = str(tmp_path / "features" / "payments" / "t1")
    write_deltalake(uri, ROWS)
    table = open_snapshot(uri)
    pq.write_table(ROWS, file_of(table), compression="snappy", write_page_checksum=True)
    return table


def file_of(table: Snapshot) -> Path:
    return Path(table.uri, table.files["path"][0].as_py())


def read(table: Snapshot) -> pa.Table:
    return open_file(table, table.files["path"][0].as_py()).read([0], ["id", "x"])


def test_a_whole_file_is_read_with_and_without_checksums(snapshot: Snapshot) -> None:
    assert read(snapshot).equals(ROWS)
    assert read(replace(snapshot, checksums=True)).equals(ROWS)


def test_with_checksums_no_flipped_bit_of_a_page_changes_a_value(snapshot: Snapshot) -> None:
    file, chosen = file_of(snapshot), random.Random(1)
    whole = file.read_bytes()
    pages = len(whole) - pq.ParquetFile(file).metadata.serialized_size - 8
    refused = 0

    for _ in range(100):
        flipped = bytearray(whole)
        flipped[chosen.randrange(4, pages)] ^= 1 << chosen.randrange(8)
        file.write_bytes(flipped)
        try:
            assert read(replace(snapshot, footers={}, checksums=True)).equals(ROWS)
        except TableError as error:
            assert file.name in error.found
            refused += 1

    assert refused > 90


def gone(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def other_columns(file: Path) -> None:
    pq.write_table(pa.table({"y": [1]}), file)


@pytest.mark.parametrize("damage", [gone, cut, emptied, other_columns])
@pytest.mark.parametrize("checksums", [False, True])
def test_a_file_that_cannot_be_read_is_an_error_with_its_name_and_the_way_out(
    snapshot: Snapshot, damage: Callable[[Path], None], checksums: bool
) -> None:
    damage(file_of(snapshot))

    with pytest.raises(TableError) as refused:
        read(replace(snapshot, checksums=checksums))

    assert refused.value.call == f"read table {snapshot.uri}"
    assert file_of(snapshot).name in refused.value.found
    assert "`featurestore materialize payments --full`" in refused.value.fix


def test_no_more_footers_are_kept_than_fit_the_limit(tmp_path: Path) -> None:
    snapshot = write_runs(tmp_path, [pa.table({"id": [number]}) for number in range(6)])
    paths = snapshot.files["path"].to_pylist()
    size = open_file(snapshot, paths[0]).footer.bytes
    limited = replace(snapshot, footers={}, footer_limit=3 * size)

    rows = [open_file(limited, path).read([0], ["id"])["id"][0].as_py() for path in paths * 2]

    assert sorted(rows[:6]) == sorted(rows[6:]) == [*range(6)]
    assert list(limited.footers) == paths[-3:]
