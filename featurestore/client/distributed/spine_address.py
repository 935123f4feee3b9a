"""A spine at an address: what is there, who can read it, and how large it is."""

import os
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from featurestore.client.spines.file import SUFFIXES
from featurestore.store.delta.log import is_table
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.paths import is_local, local_path


class Kind(Enum):
    """What is at an address, by who can read it."""

    DELTA = "a Delta table"
    PARQUET = "a Parquet file"
    PARQUET_IN_SPARK = "Parquet files that only Spark reads: a folder, or at a URL"
    FILE = "another file, or nothing"


@dataclass(frozen=True)
class SpineAddress:
    """Rows of a spine at an address.

    Args:
        uri: The absolute path, or the URL.
        kind: What is there.
    """

    uri: str
    kind: Kind

    @property
    def is_read_by_spark(self) -> bool:
        """Whether Spark reads the rows by itself."""
        return self.kind is not Kind.FILE

    @property
    def is_read_here(self) -> bool:
        """Whether this process can read the rows; if nobody can, its error says why."""
        return self.kind is not Kind.PARQUET_IN_SPARK

    @property
    def bytes(self) -> int:
        """The bytes of the files; 0 for nothing.

        Raises:
            TableError: A Delta table cannot be opened.
        """
        if self.kind is Kind.DELTA:
            return open_snapshot(self.uri).bytes
        path = Path(self.uri)
        return path.stat().st_size if path.is_file() else 0


def spine_address(spine: object) -> SpineAddress | None:
    """Return what is at the address of a spine; None if the spine is no address.

    Args:
        spine: The spine, in any form.

    Raises:
        StorageError: The address cannot be reached.

    Example:
        >>> spine_address([{"id": 1}]) is None
        True
        >>> spine_address("s3://bucket/spine.csv").is_read_by_spark
        False
    """
    if not isinstance(spine, str | os.PathLike):
        return None
    text = os.fsdecode(spine)
    if "://" in text and not is_local(text):
        return SpineAddress(text, _kind_of_url(text))
    path = Path(local_path(text)).absolute()
    return SpineAddress(str(path), _kind_of_path(path))


def is_spark_frame(spine: object) -> bool:
    """Return whether a spine is a Spark DataFrame, of this process or of Spark Connect.

    Example:
        >>> is_spark_frame([{"id": 1}])
        False
    """
    # A DataFrame can only be there if Spark's module was imported.
    spark = sys.modules.get("pyspark.sql")
    return spark is not None and isinstance(spine, spark.DataFrame)


def _kind_of_url(url: str) -> Kind:
    suffix = PurePosixPath(url).suffix.lower()
    if suffix in SUFFIXES:
        return Kind.PARQUET_IN_SPARK if suffix == ".parquet" else Kind.FILE
    return Kind.DELTA if is_table(url) else Kind.PARQUET_IN_SPARK


def _kind_of_path(path: Path) -> Kind:
    if path.is_dir():
        if is_table(str(path)):
            return Kind.DELTA
        return Kind.PARQUET_IN_SPARK if any(path.glob("*.parquet")) else Kind.FILE
    return Kind.PARQUET if path.suffix == ".parquet" and path.exists() else Kind.FILE
