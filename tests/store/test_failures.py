"""Errors of the disk and of delta-rs name the file or address, and what to do about it."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from deltalake.exceptions import DeltaError

import featurestore as fs
from featurestore.errors import StorageError, TableError
from featurestore.store.delta.log import is_table
from featurestore.store.delta.snapshot import open_table
from featurestore.store.failures import storage_error, storage_errors
from featurestore.store.layout import Layout


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.json"), "space"),
        (PermissionError(errno.EACCES, "Permission denied", "a.json"), "user"),
        (OSError(errno.EROFS, "Read-only file system", "a.json"), "writable"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "a.json"), "is a file"),
        (DeltaError("LocalFileSystem error: a.json: No space left on device"), "space"),
        (DeltaError("Generic S3 error: a.json: some reason"), "credentials"),
    ],
)
def test_the_way_out_follows_from_the_failure(error: OSError, part: str) -> None:
    found = storage_error(error, "apply")

    assert found.call == "apply"
    assert "a.json" in found.found
    assert part in found.fix


def test_an_exception_that_names_no_file_is_given_the_address() -> None:
    with pytest.raises(StorageError) as raised, storage_errors("apply", "store/t"):
        raise OSError(errno.ENOSPC, "No space left on device")

    assert raised.value.found == "store/t: No space left on device"


@pytest.mark.parametrize("file", ["store", "store/shop", "store/shop/registry/versions"])
def test_a_root_that_is_a_file_is_an_error_that_names_it(tmp_path: Path, file: str) -> None:
    (tmp_path / "featurestore.toml").write_text('project = "shop"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("no folder")
    store = fs.FeatureStore(tmp_path)

    with pytest.raises(fs.StorageError) as raised:
        store.apply(store.plan())

    assert file in str(raised.value)
    assert "is a file" in raised.value.fix


def test_an_object_store_that_cannot_be_reached_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ALLOW_HTTP": "true",
        "max_retries": "0",
    }.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(StorageError) as raised:
        is_table("s3://bucket/shop/registry")

    assert "s3://bucket/shop/registry" in str(raised.value)
    assert "http://127.0.0.1:9" in raised.value.found
    assert "AWS_ENDPOINT_URL" in raised.value.fix


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
@pytest.mark.parametrize(
    ("address", "way_out"),
    [
        (lambda layout: layout.registry(), "`featurestore apply`"),
        (lambda layout: layout.tables(), "`featurestore materialize`"),
        (lambda layout: layout.runs(), "`featurestore materialize`"),
        (lambda layout: layout.features("v", "t"), "`featurestore materialize v --full`"),
    ],
)
def test_a_damaged_first_commit_is_named_with_the_way_out(
    tmp_path: Path, address: Callable[[Layout], str], way_out: str, content: bytes
) -> None:
    uri = address(Layout(str(tmp_path)))
    write_deltalake(uri, pa.table({"x": [1]}))
    commit = Path(uri, "_delta_log", f"{0:020}.json")
    commit.write_bytes(content)

    with pytest.raises(TableError) as raised:
        open_table(uri)

    assert str(commit) in raised.value.found
    assert way_out in raised.value.fix


WRITE = """
import resource, sys
from datetime import UTC, datetime
import featurestore as fs
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import RunRecord, Runs

resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
run = RunRecord(
    "r", view="v", table_id="t", kind="run", status="done", started_at=datetime.now(UTC)
)
try:
    Runs(Layout(sys.argv[1])).record(run)
except fs.StorageError as error:
    print(error.fix)
"""


@pytest.mark.skipif(os.name != "posix", reason="the limit of file sizes is POSIX's")
def test_a_file_that_the_system_does_not_let_grow_is_an_error_of_ours(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WRITE, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert "ulimit -f" in ran.stdout, ran.stderr
