"""The number of a source's rows, from logs and footers."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake

import featurestore as fs
from featurestore.store.source_rows import row_count

ROWS = pa.table({"id": [1, 2, 3]})


def test_rows_of_a_delta_table(tmp_path: Path) -> None:
    source = fs.DeltaSource("s", path="rows", timestamp_field="at")
    for _ in range(2):
        write_deltalake(str(tmp_path), ROWS, mode="append")

    assert row_count(source, str(tmp_path)) == 6


def test_rows_of_files(tmp_path: Path) -> None:
    source = fs.FileSource("s", path="rows", format="parquet", timestamp_field="at")
    pq.write_table(ROWS, tmp_path / "a.parquet")
    pq.write_table(ROWS, tmp_path / "b.parquet")

    assert row_count(source, str(tmp_path)) == 6


def test_the_rows_of_texts_damaged_files_and_far_stores_are_not_known(tmp_path: Path) -> None:
    parquet = fs.FileSource("s", path="rows", format="parquet", timestamp_field="at")
    fields = (fs.Field("id", fs.Int64),)
    text = fs.FileSource("s", path="rows", format="csv", timestamp_field="at", schema=fields)
    (tmp_path / "a.csv").write_text("id\n1\n")

    assert row_count(text, str(tmp_path)) is None
    assert row_count(parquet, str(tmp_path)) is None
    assert row_count(parquet, "s3://bucket/rows") is None
