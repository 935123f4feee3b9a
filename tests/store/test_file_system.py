"""The file system of an address: Arrow's, for the names that Spark and Arrow use."""

import pyarrow.fs as pafs
import pytest

from featurestore.store.file_system import file_system


@pytest.mark.parametrize("scheme", ["s3", "s3a", "s3n"])
def test_s3_is_known_by_the_names_of_spark_too(scheme: str) -> None:
    filesystem, path = file_system(f"{scheme}://bucket/a%20b?region=eu-west-1")

    assert isinstance(filesystem, pafs.S3FileSystem)
    assert path == "bucket/a b"
