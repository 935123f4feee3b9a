"""Stored rows of which each column is read when it is asked for, of the wanted keys only.

Keys come first: they say which rows of a row group matter, and whether any does. A column that
nobody asks for, such as the hash that only breaks ties, is never read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.arrays import Ints, Mask, integers, whole
from featurestore.engines.kernel.slices import spread
from featurestore.store.delta.files import OpenFile

Picked = slice | Ints
"""Rows as a stretch, which costs no copy, or as ascending positions."""


@dataclass(frozen=True)
class Part:
    """The rows of one file that are wanted.

    Args:
        file: The file.
        groups: The row groups that are read.
        picked: Which of their rows are wanted.
        rows: How many these are.
        known: What was read of them to tell.
    """

    file: OpenFile
    groups: tuple[int, ...]
    picked: Picked
    rows: int
    known: dict[str, pa.ChunkedArray] = field(default_factory=dict)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return the wanted rows' values of a column."""
        if name in self.known:
            return self.known[name]
        return _picked(_read(self.file, self.groups, name), self.picked)

    def forgetting(self) -> "Part":
        """Return the part without what was read of it: it is read again when it is asked for."""
        return replace(self, known={})


class StoredRows:
    """Rows of a table as columns that are read at need; a `pyarrow.Table` to the kernel.

    Args:
        parts: Where the rows are.
        schema: The table's columns and their types.
    """

    def __init__(self, parts: Sequence[Part], schema: pa.Schema) -> None:
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
        """Return a column, of the schema's type or as a dictionary of it."""
        if name not in self._columns:
            kind = self._schema.field(name).type
            read = [_typed(part.column(name), kind) for part in self._parts]
            chunks = [chunk for column in read for chunk in column.chunks]
            self._columns[name] = pa.chunked_array(chunks, read[0].type if read else kind)
        return self._columns[name]


def part_of(file: OpenFile, groups: Sequence[int], key: str, wanted: pa.Array) -> Part | None:
    """Return the rows of a file that have a wanted key; None if there is none.

    Args:
        file: The file.
        groups: Its row groups that may have some.
        key: The column of the key.
        wanted: The keys, distinct and ascending.
    """
    keys = _read(file, groups, key)
    picked, rows = _rows_of(keys, wanted)
    known = {key: _picked(keys, picked)}
    return Part(file, tuple(groups), picked, rows, known) if rows else None


def whole_part(file: OpenFile, groups: Sequence[int]) -> Part:
    """Return all rows of some row groups."""
    metadata = file.footer.metadata
    rows = sum(metadata.row_group(group).num_rows for group in groups)
    return Part(file, tuple(groups), slice(0, rows), rows)


def _read(file: OpenFile, groups: Sequence[int], name: str) -> pa.ChunkedArray:
    return file.data.read_row_groups(list(groups), columns=[name], use_threads=False)[name]


def _picked(values: pa.ChunkedArray, rows: Picked) -> pa.ChunkedArray:
    if not isinstance(rows, slice):
        return values.take(pa.array(rows))
    stretch = values.slice(rows.start, rows.stop - rows.start)
    # A stretch keeps all that was read: better a copy than much that nobody wants.
    return stretch if _is_dense(len(stretch), len(values)) else _copied(stretch)


def _rows_of(keys: pa.ChunkedArray, wanted: pa.Array) -> tuple[Picked, int]:
    if pa.types.is_dictionary(keys.type):
        return _narrowed(_of_words(keys.chunks, wanted))
    if keys.null_count:
        return _narrowed(np.asarray(pc.is_in(keys, value_set=wanted.cast(keys.type))))
    return _sorted_rows(integers(whole(keys)), integers(wanted))


def _sorted_rows(keys: Ints, wanted: Ints) -> tuple[Picked, int]:
    if (keys[1:] < keys[:-1]).any():
        return _narrowed(np.isin(keys, wanted))
    first = np.searchsorted(keys, wanted)
    stop = np.searchsorted(keys, wanted, side="right")
    rows = int((stop - first).sum())
    if _is_dense(rows, int(stop[-1] - first[0])):
        return slice(int(first[0]), int(stop[-1])), int(stop[-1] - first[0])
    return spread(first, stop, first)[0], rows


def _of_words(keys: list[pa.DictionaryArray], wanted: pa.Array) -> Mask:
    words = pa.concat_arrays([chunk.dictionary for chunk in keys])
    between = pc.and_(pc.greater_equal(words, wanted[0]), pc.less_equal(words, wanted[-1]))
    # Where most words are wanted, those between the first and the last cost less to tell.
    few = not _is_dense(len(wanted), between.true_count)
    known = np.asarray(pc.is_in(words, value_set=wanted.cast(words.type)) if few else between)
    masks, first = [], 0
    for chunk in keys:
        own = known[first : first + len(chunk.dictionary)]
        masks.append(_of_known(chunk.indices, own))
        first += len(own)
    return np.concatenate(masks)


def _of_known(index: pa.Array, known: Mask) -> Mask:
    if known.all() and not index.null_count:
        return np.ones(len(index), np.bool_)
    mask: Mask = np.append(known, False)[index.cast(pa.int64()).fill_null(-1).to_numpy()]
    return mask


def _narrowed(mask: Mask) -> tuple[Picked, int]:
    rows = int(np.count_nonzero(mask))
    if not rows:
        return slice(0, 0), 0
    first, stop = int(mask.argmax()), len(mask) - int(mask[::-1].argmax())
    if _is_dense(rows, stop - first):
        return slice(first, stop), stop - first
    return np.flatnonzero(mask), rows


def _is_dense(rows: int, stretch: int) -> bool:
    """Whether a stretch with some rows too many is better than a copy of the wanted ones."""
    return 2 * rows >= stretch


def _copied(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([pa.concat_arrays([chunk]) for chunk in column.chunks], column.type)


def _typed(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if column.type == kind or pa.types.is_dictionary(column.type):
        return column
    return column.cast(kind)
