"""Files that replace others: their size, and the size of their row groups."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from featurestore.store.delta import replacement
from featurestore.store.delta.replacement import write_files
from featurestore.store.delta.snapshot import open_snapshot

WIDE = 8_192


def test_row_groups_have_a_limited_number_of_rows_and_of_bytes(tmp_path: Path) -> None:
    narrow = pa.table({"k": range(120_000), "x": pa.nulls(120_000, pa.binary())})
    wide = pa.table({"k": range(6_000), "x": pa.array([b"." * WIDE] * 6_000, pa.binary())})
    write_deltalake(tmp_path, narrow.slice(0, 0))
    snapshot = open_snapshot(str(tmp_path))

    for rows, expected in ((narrow, [50_000, 50_000, 20_000]), (wide, [2_045, 2_045, 1_910])):
        (file,) = write_files(snapshot, rows)
        footer = pq.read_metadata(tmp_path / file.path)
        groups = [footer.row_group(at).num_rows for at in range(footer.num_row_groups)]
        assert groups == expected


def test_files_have_a_limited_number_of_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replacement, "BYTES_PER_FILE", 1 << 20)
    rows = pa.table({"k": range(300), "x": pa.array([b"." * WIDE] * 300, pa.binary())})
    write_deltalake(tmp_path, rows.slice(0, 0))

    files = write_files(open_snapshot(str(tmp_path)), rows)

    assert [pq.read_metadata(tmp_path / file.path).num_rows for file in files] == [100, 100, 100]
