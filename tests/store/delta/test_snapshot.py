"""Tables are opened at a version; tables that the local engine would read wrongly are refused."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from featurestore.errors import TableError
from featurestore.store.delta.records import read_records
from featurestore.store.delta.snapshot import open_snapshot, open_table


def test_a_snapshot_is_pinned_to_its_version(tmp_path: Path) -> None:
    uri = str(tmp_path / "table")
    write_deltalake(uri, pa.table({"x": [1, 2]}))
    write_deltalake(uri, pa.table({"x": [3]}), mode="append")

    assert (open_snapshot(uri).version, open_snapshot(uri).rows) == (1, 3)
    assert (open_snapshot(uri, 0).version, open_snapshot(uri, 0).rows) == (0, 2)


def test_a_missing_table_or_version_is_an_error_that_names_it(tmp_path: Path) -> None:
    uri = str(tmp_path / "table")
    with pytest.raises(TableError) as no_table:
        open_snapshot(uri)

    write_deltalake(uri, pa.table({"x": [1]}))

    with pytest.raises(TableError) as no_version:
        open_snapshot(uri, 7)
    assert no_table.value.call == f"open table {uri}"
    assert no_version.value.call == f"open table {uri} at version 7"
    assert "`featurestore status`" in no_version.value.fix


def test_a_table_that_needs_a_newer_reader_is_refused_with_its_features(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), pa.table({"x": [1]}))
    log = tmp_path / "_delta_log" / f"{0:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        if "protocol" in action:
            action["protocol"] = {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": ["deletionVectors"],
                "writerFeatures": ["deletionVectors"],
            }
    log.write_text("\n".join(json.dumps(action) for action in actions) + "\n")

    with pytest.raises(TableError) as caught:
        open_snapshot(str(tmp_path))

    assert caught.value.call == f"open table {tmp_path}"
    assert "version 3 (deletionVectors)" in caught.value.found
    assert "DROP FEATURE" in caught.value.fix


@pytest.mark.parametrize(
    "path",
    [
        "../secret.parquet",
        "day=1/../../secret.parquet",
        "./../secret.parquet",
        "..\\secret.parquet",
        "%2e%2E/secret.parquet",
        "..%2Fsecret.parquet",
        "..%5Csecret.parquet",
        "{outside}/secret.parquet",
        "file://{outside}/secret.parquet",
        "s3://bucket/secret.parquet",
    ],
)
def test_a_log_that_names_a_file_outside_of_the_table_is_refused(
    tmp_path: Path, path: str
) -> None:
    uri, secret = tmp_path / "table", tmp_path / "secret.parquet"
    write_deltalake(str(uri), pa.table({"x": [1]}))
    pq.write_table(pa.table({"x": [666]}), secret)
    rename_data_file(uri, path.format(outside=tmp_path))
    table = open_table(str(uri))

    with pytest.raises(TableError) as as_snapshot:
        open_snapshot(str(uri))
    with pytest.raises(TableError) as as_records:
        read_records(table)

    assert repr(path.format(outside=tmp_path)) in as_snapshot.value.found
    assert as_records.value.found == as_snapshot.value.found


@pytest.mark.parametrize("value", ["plain", "a b", "c=d", "x:y", "..", "ä%2F/ö", "%2e%2e"])
def test_a_table_partitioned_by_special_values_is_opened(tmp_path: Path, value: str) -> None:
    write_deltalake(str(tmp_path), pa.table({"x": [1], "p": [value]}), partition_by=["p"])

    assert open_snapshot(str(tmp_path)).rows == 1


def rename_data_file(table: Path, path: str) -> None:
    """Change the path of the table's only data file in its log."""
    log = table / "_delta_log" / f"{0:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        if "add" in action:
            action["add"]["path"] = path
    log.write_text("\n".join(json.dumps(action) for action in actions))
