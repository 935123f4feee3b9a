"""Tables are opened at a version; tables that the local engine would read wrongly are refused."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from featurestore.errors import TableError
from featurestore.store.delta.snapshot import open_snapshot


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
