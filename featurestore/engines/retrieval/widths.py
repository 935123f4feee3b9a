"""The measured sizes of texts, lists and other values without a fixed width.

Parquet's footers have the sizes of columns before compression. A repeated value counts once in
them, if it is in a dictionary. So a few values are read too.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from featurestore.engines.retrieval.scatter import fixed_width
from featurestore.errors import FeatureStoreError
from featurestore.store.delta.files import open_file
from featurestore.store.delta.snapshot import Snapshot

LEAST_WIDTH = 32
"""The bytes that a value without a fixed width counts as at least."""

# So many files, evenly spread, stand for all files of a table.
_SAMPLED_FILES = 4
# So many values are read of each: many texts, which are in a dictionary, or a few lists.
_SAMPLED_VALUES, _SAMPLED_NESTED_VALUES = 20_000, 64
_LEAF_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 8, "FLOAT": 4, "DOUBLE": 8}


def width_of(snapshot: Snapshot, column: str) -> int:
    """Return the bytes of one value of a column: the mean, if the type has no fixed width.

    Args:
        snapshot: The pinned table.
        column: The column's name.

    Example:
        >>> table = Snapshot("t", 0, pa.table({"path": [], "num_records": []}),
        ...                  pa.schema([("x", pa.int64()), ("name", pa.string())]))
        >>> width_of(table, "x"), width_of(table, "name")
        (8, 32)
    """
    fixed = fixed_width(snapshot.schema.field(column).type)
    if fixed:
        return fixed
    if column not in snapshot.widths:
        snapshot.widths[column] = max(LEAST_WIDTH, _measured(snapshot, column))
    return snapshot.widths[column]


def _measured(snapshot: Snapshot, column: str) -> int:
    total = rows = 0
    is_nested = pa.types.is_nested(snapshot.schema.field(column).type)
    # Texts are read as a dictionary, which is in memory once.
    texts = () if is_nested else (column,)
    for path in _sampled_files(snapshot):
        try:
            data = open_file(snapshot, path, texts).data
            if not data.metadata.num_rows:
                continue
            per_row = max(_of_footer(data.metadata, column), _of_values(data, column))
        except (OSError, pa.ArrowException, FeatureStoreError):
            continue  # the call that reads the file reports it
        total += per_row * data.metadata.num_rows
        rows += data.metadata.num_rows
    return -(-total // rows) if rows else 0


def _sampled_files(snapshot: Snapshot) -> list[str]:
    paths: list[str] = snapshot.files["path"].to_pylist()
    at = np.unique(np.linspace(0, max(len(paths) - 1, 0), _SAMPLED_FILES).astype(np.int64))
    return [paths[position] for position in at.tolist()] if paths else []


def _of_footer(metadata: pq.FileMetaData, column: str) -> int:
    """Return the mean bytes of a row's value by the sizes in the footer."""
    size = sum(_chunk_size(chunk) for chunk in _chunks(metadata, column))
    return -(-size // int(metadata.num_rows))


def _chunks(metadata: pq.FileMetaData, column: str) -> Iterator[pq.ColumnChunkMetaData]:
    """Yield the chunks of a column: of each row group, and of each leaf of a nested type."""
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for chunk in map(group.column, range(metadata.num_columns)):
            if chunk.path_in_schema.partition(".")[0] == column:
                yield chunk


def _chunk_size(chunk: pq.ColumnChunkMetaData) -> int:
    leaf = _LEAF_WIDTHS.get(chunk.physical_type)
    values = int(chunk.num_values)
    return values * leaf if leaf else max(int(chunk.total_uncompressed_size), values)


def _of_values(data: pq.ParquetFile, column: str) -> int:
    """Return the mean bytes of the first values of the largest row group."""
    groups = range(data.metadata.num_row_groups)
    largest = max(groups, key=lambda group: data.metadata.row_group(group).num_rows)
    is_nested = pa.types.is_nested(data.schema_arrow.field(column).type)
    number = _SAMPLED_NESTED_VALUES if is_nested else _SAMPLED_VALUES
    batches = data.iter_batches(number, row_groups=[largest], columns=[column])
    first = next(batches, None)
    if first is None or not first.num_rows:
        return 0
    values = first.column(0)
    size = _decoded_bytes(values) if pa.types.is_dictionary(values.type) else int(values.nbytes)
    return -(-size // len(values))


def _decoded_bytes(values: pa.DictionaryArray) -> int:
    lengths = pc.fill_null(pc.binary_length(values.dictionary).take(values.indices), 0)
    return int(pc.sum(lengths).as_py() or 0)
