"""The file system of an address: Arrow's, for the names that Spark and Arrow use."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from featurestore.store.file_system import file_system, list_folders


@pytest.mark.parametrize("scheme", ["s3", "s3a", "s3n"])
def test_s3_is_known_by_the_names_of_spark_too(scheme: str) -> None:
    filesystem, path = file_system(f"{scheme}://bucket/a%20b?region=eu-west-1")

    assert isinstance(filesystem, pafs.S3FileSystem)
    assert path == "bucket/a b"


def test_a_folder_that_is_made_and_removed_at_the_same_time_is_listed_or_empty(
    tmp_path: Path,
) -> None:
    folder, ended = tmp_path / "sets", threading.Event()

    def make_and_remove() -> None:
        while not ended.is_set():
            (folder / "fraud").mkdir(parents=True)
            shutil.rmtree(folder)

    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(make_and_remove)
        try:
            found = {list_folders(str(folder)) for _ in range(20_000)}
        finally:
            ended.set()
        made.result()

    assert found <= {(), ("fraud",)}
