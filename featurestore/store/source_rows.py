"""The number of rows of a source, where it is known without reading them."""

from functools import singledispatch

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from featurestore.definitions.model.source import (
    DeltaSource,
    FileSource,
    KafkaSource,
    StoredSource,
    format_of,
)
from featurestore.store.delta.process import check_process
from featurestore.store.paths import is_local
from featurestore.store.source_files import list_files

# A footer takes a millisecond. For more files the number is not worth the wait.
_MOST_FOOTERS = 200


def row_count(source: StoredSource, uri: str) -> int | None:
    """Return the number of rows that a local source has now; None if it is not known.

    Args:
        source: The source.
        uri: Its address.

    Example:
        >>> source = FileSource("a", path="no/folder", format="parquet", timestamp_field="at")
        >>> row_count(source, "no/folder")
        0
    """
    if not is_local(uri):
        return None
    try:
        return _row_count(source, uri)
    except (OSError, ValueError, DeltaError, pa.ArrowException):
        return None  # the run says what is wrong


@singledispatch
def _row_count(source: StoredSource, uri: str) -> int | None:
    raise TypeError(source)


@_row_count.register
def _(source: DeltaSource, uri: str) -> int | None:
    if source.change_feed:
        return None
    check_process()
    counts = pa.table(DeltaTable(uri).get_add_actions())["num_records"]
    return None if counts.null_count else int(sum(counts.to_pylist()))


@_row_count.register
def _(source: KafkaSource, uri: str) -> int | None:
    return None  # a broker knows offsets, not messages


@_row_count.register
def _(source: FileSource, uri: str) -> int | None:
    files = list_files(uri)
    formats = {source.file_format or format_of(file.name) for file in files} or {"parquet"}
    if formats != {"parquet"} or len(files) > _MOST_FOOTERS:
        return None
    return sum(int(pq.read_metadata(file.path).num_rows) for file in files)
