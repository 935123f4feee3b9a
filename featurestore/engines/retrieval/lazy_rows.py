"""Stored rows whose columns are read on first access, for the needed keys only.

The key column is read first. It shows which rows of a row group are needed, and whether any is. A
column that the kernel does not access, such as a row hash that breaks no tie, is never read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.arrays import Ints, Mask, integers, whole
from featurestore.engines.kernel.slices import spread
from featurestore.store.delta.files import OpenFile

Selection = slice | Ints
"""Some rows: a slice, which needs no copy, or ascending positions."""


@dataclass(frozen=True)
class FileRows:
    """The needed rows of one file.

    Args:
        file: The file.
        groups: The row groups to read.
        selection: The needed rows among the rows of these groups.
        rows: The number of needed rows.
        cache: Columns that were already read, by name, needed rows only.
    """

    file: OpenFile
    groups: tuple[int, ...]
    selection: Selection
    rows: int
    cache: dict[str, pa.ChunkedArray] = field(default_factory=dict)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column's values in the needed rows."""
        if name in self.cache:
            return self.cache[name]
        return _select(_read(self.file, self.groups, name), self.selection)

    def without_cache(self) -> "FileRows":
        """Return the same rows without columns in memory. A later access reads them again."""
        return replace(self, cache={})


class LazyRows:
    """Rows of a table, each column read on first access. The kernel uses it like a pyarrow table.

    Args:
        parts: The rows, file by file.
        schema: The table's columns and their types.
    """

    def __init__(self, parts: Sequence[FileRows], schema: pa.Schema) -> None:
        self._parts, self._schema = parts, schema
        self._columns: dict[str, pa.ChunkedArray] = {}

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return sum(part.rows for part in self._parts)

    @property
    def column_names(self) -> list[str]:
        """The names of the table's columns."""
        return list(self._schema.names)

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        """Return a column, with the schema's type or as a dictionary of it."""
        if name not in self._columns:
            dtype = self._schema.field(name).type
            read = [_typed(part.column(name), dtype) for part in self._parts]
            chunks = [chunk for column in read for chunk in column.chunks]
            self._columns[name] = pa.chunked_array(chunks, read[0].type if read else dtype)
        return self._columns[name]


def matching_rows(
    file: OpenFile, groups: Sequence[int], key: str, values: pa.Array
) -> FileRows | None:
    """Return a file's rows with one of some keys; None if there are no such rows.

    Args:
        file: The file.
        groups: Its row groups that may have such rows.
        key: The key column.
        values: The keys, distinct and ascending.
    """
    # PERF: the key column that selects the rows is kept as the key's column, not read again. An
    # as-of join takes 0.93 of the time (ADR 11).
    keys = _read(file, groups, key)
    selection, rows = _rows_with(keys, values)
    cache = {key: _select(keys, selection)}
    return FileRows(file, tuple(groups), selection, rows, cache) if rows else None


def all_rows(file: OpenFile, groups: Sequence[int]) -> FileRows:
    """Return all rows of some row groups."""
    metadata = file.footer.metadata
    rows = sum(metadata.row_group(group).num_rows for group in groups)
    return FileRows(file, tuple(groups), slice(0, rows), rows)


def _read(file: OpenFile, groups: Sequence[int], name: str) -> pa.ChunkedArray:
    return file.read(groups, [name])[name]


def _select(values: pa.ChunkedArray, selection: Selection) -> pa.ChunkedArray:
    if not isinstance(selection, slice):
        return values.take(pa.array(selection))
    rows = values.slice(selection.start, selection.stop - selection.start)
    # A slice keeps the whole column in memory, so a small one is copied.
    return rows if _is_dense(len(rows), len(values)) else _copied(rows)


def _rows_with(keys: pa.ChunkedArray, values: pa.Array) -> tuple[Selection, int]:
    """Return the rows of ``keys`` that equal one of ``values``, and their number."""
    if pa.types.is_dictionary(keys.type):
        return _selection_of(_texts_with(keys.chunks, values))
    if keys.null_count:
        return _selection_of(np.asarray(pc.is_in(keys, value_set=values.cast(keys.type))))
    return _numbers_with(integers(whole(keys)), integers(values))


def _numbers_with(keys: Ints, values: Ints) -> tuple[Selection, int]:
    if (keys[1:] < keys[:-1]).any():
        return _selection_of(np.isin(keys, values))
    first = np.searchsorted(keys, values)
    stop = np.searchsorted(keys, values, side="right")
    rows = int((stop - first).sum())
    if _is_dense(rows, int(stop[-1] - first[0])):
        return slice(int(first[0]), int(stop[-1])), int(stop[-1] - first[0])
    return spread(first, stop, first)[0], rows


def _texts_with(keys: list[pa.DictionaryArray], values: pa.Array) -> Mask:
    """Return which rows hold one of ``values``; with some others, if most texts are needed."""
    texts = pa.concat_arrays([chunk.dictionary for chunk in keys])
    between = pc.and_(pc.greater_equal(texts, values[0]), pc.less_equal(texts, values[-1]))
    # If most texts are needed, a comparison with the first and the last value is cheaper than a
    # look-up of each text.
    look_up = not _is_dense(len(values), between.true_count)
    needed = np.asarray(pc.is_in(texts, value_set=values.cast(texts.type)) if look_up else between)
    masks, first = [], 0
    for chunk in keys:
        own = needed[first : first + len(chunk.dictionary)]
        masks.append(_rows_of_texts(chunk.indices, own))
        first += len(own)
    return np.concatenate(masks)


def _rows_of_texts(indices: pa.Array, needed: Mask) -> Mask:
    if needed.all() and not indices.null_count:
        return np.ones(len(indices), np.bool_)
    mask: Mask = np.append(needed, False)[indices.cast(pa.int64()).fill_null(-1).to_numpy()]
    return mask


def _selection_of(mask: Mask) -> tuple[Selection, int]:
    rows = int(np.count_nonzero(mask))
    if not rows:
        return slice(0, 0), 0
    first, stop = int(mask.argmax()), len(mask) - int(mask[::-1].argmax())
    if _is_dense(rows, stop - first):
        return slice(first, stop), stop - first
    return np.flatnonzero(mask), rows


def _is_dense(needed: int, rows: int) -> bool:
    """Return whether all rows are better than a copy of the needed ones."""
    return 2 * needed >= rows


def _copied(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([pa.concat_arrays([chunk]) for chunk in column.chunks], column.type)


def _typed(column: pa.ChunkedArray, dtype: pa.DataType) -> pa.ChunkedArray:
    if column.type == dtype or pa.types.is_dictionary(column.type):
        return column
    return column.cast(dtype)
