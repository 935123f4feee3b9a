"""Answer columns: the answers of chunks, written to the positions of their spine rows.

Values of a fixed width are written into the answer's memory at once, so that a chunk's own arrays
are free after it. Other values wait for the last chunk.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.arrays import Ints, Mask, taken, validity, whole

_WORD, _ALIGNED = 8, 64
# An array with 32-bit offsets has at most twice as many bytes of texts.
_MOST_BYTES = 1 << 30


class AnswerColumn(ABC):
    """One column of the answer. Chunks fill it in any order; rows without an answer are null."""

    @abstractmethod
    def put(self, chunk: "ChunkRows", answers: pa.ChunkedArray) -> None:
        """Write a chunk's answers. Threads may call it at once; no row is written twice.

        Args:
            chunk: The rows that the chunk answers.
            answers: One answer for each of these rows, in their order.
        """

    @abstractmethod
    def finish(self) -> pa.Array | pa.ChunkedArray:
        """Return the column, after the last chunk."""


class ChunkRows:
    """The spine rows that one chunk answers.

    Args:
        positions: Their positions in the spine.
    """

    def __init__(self, positions: Ints) -> None:
        self.positions = positions
        self._masks: dict[tuple[int, int], tuple[pa.Buffer, Mask | None]] = {}

    def valid(self, answers: pa.Array) -> Mask | None:
        """Return which answers are not null; None if no answer is null."""
        bitmap = answers.buffers()[0]
        if bitmap is None:
            return None
        # PERF: the columns of one window (sum, mean and others) share one validity bitmap. It is
        # unpacked once, looked up by its address and offset, and all get the same mask, which
        # `_ValidityBitmaps` relies on (ADR 11 has the number). The bitmap is stored with its
        # mask, so no other bitmap can have its address meanwhile.
        key = bitmap.address, answers.offset
        if key not in self._masks:
            self._masks[key] = bitmap, validity(answers)
        return self._masks[key][1]


def answer_columns(rows: int, dtypes: Mapping[str, pa.DataType]) -> dict[str, AnswerColumn]:
    """Return empty answer columns, by name.

    Args:
        rows: The number of spine rows.
        dtypes: The type of each column, by name.

    Example:
        >>> columns = answer_columns(3, {"n": pa.int64()})
        >>> columns["n"].put(ChunkRows(np.array([2, 0])), pa.chunked_array([[7, 8]]))
        >>> columns["n"].finish().to_pylist()
        [8, None, 7]
    """
    sizes = {name: rows * fixed_width(dtype) for name, dtype in dtypes.items()}
    steps = [-(-size // _ALIGNED) * _ALIGNED for size in sizes.values()]
    # PERF: one block for all columns. The system gives large blocks in large pages: 20 columns of
    # 4 MB take 16 ms in one block, and 68 ms in separate ones (ADR 11).
    block = np.zeros(sum(steps), np.uint8)
    empty, first, bitmaps = {}, 0, _ValidityBitmaps(rows)
    for (name, size), step in zip(sizes.items(), steps, strict=True):
        empty[name] = _answer_column(rows, dtypes[name], block[first : first + size], bitmaps)
        first += step
    return empty


def fixed_width(dtype: pa.DataType) -> int:
    """Return the bytes of one value, and 0 for types such as text; a boolean counts as 1 byte."""
    if pa.types.is_boolean(dtype):
        return 1
    fixed = pa.types.is_primitive(dtype) or pa.types.is_decimal(dtype)
    return int(dtype.byte_width) if fixed else 0


def _answer_column(
    rows: int, dtype: pa.DataType, memory: np.ndarray, bitmaps: "_ValidityBitmaps"
) -> AnswerColumn:
    width = fixed_width(dtype)
    if not width:
        return _VariableWidthColumn(rows, dtype)
    values = memory.view(f"{'V' if width > _WORD else 'u'}{width}")
    if pa.types.is_boolean(dtype):
        return _BooleanColumn(_FixedWidthColumn(pa.uint8(), values, bitmaps, []))
    return _FixedWidthColumn(dtype, values, bitmaps, [])


_ChunkValidity = tuple[Ints, Mask | None]
"""The positions that a chunk wrote, and which of its answers are not null; None for all."""


@dataclass(frozen=True)
class _FixedWidthColumn(AnswerColumn):
    dtype: pa.DataType
    values: np.ndarray
    bitmaps: "_ValidityBitmaps"
    chunks: list[_ChunkValidity]

    def put(self, chunk: ChunkRows, answers: pa.ChunkedArray) -> None:
        array = whole(answers if answers.type == self.dtype else answers.cast(self.dtype))
        if not len(array):
            return
        values = np.frombuffer(array.buffers()[1], self.values.dtype)
        self.values[chunk.positions] = values[array.offset : array.offset + len(array)]
        self.chunks.append((chunk.positions, chunk.valid(array)))

    def finish(self) -> pa.Array:
        buffers = [self.bitmaps.of(self.chunks), pa.py_buffer(self.values)]
        return pa.Array.from_buffers(self.dtype, len(self.values), buffers)


class _ValidityBitmaps:
    """The validity bitmaps of answer columns. Columns that are null together share one.

    Args:
        rows: The number of spine rows.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._bitmaps: dict[frozenset[tuple[int, int]], pa.Buffer | None] = {}

    def of(self, chunks: list[_ChunkValidity]) -> pa.Buffer | None:
        """Return a column's bitmap; None if no row is null.

        Args:
            chunks: The column's chunks, in any order.
        """
        # PERF: the columns of one window have the same masks. Their bitmap is made once, looked
        # up by the identity of positions and masks. 8 columns of 500,000 rows in 8 chunks take
        # 0.7 ms instead of 4.0 (ADR 11). The columns hold both until the answer is finished, so
        # no other object can have their identity meanwhile.
        key = frozenset((id(positions), id(mask)) for positions, mask in chunks)
        if key not in self._bitmaps:
            self._bitmaps[key] = self._bitmap(chunks)
        return self._bitmaps[key]

    def _bitmap(self, chunks: list[_ChunkValidity]) -> pa.Buffer | None:
        complete = sum(len(positions) for positions, _ in chunks) == self._rows
        if complete and all(mask is None for _, mask in chunks):
            return None
        valid = np.full(self._rows, complete)
        for positions, mask in chunks:
            if not complete:
                valid[positions] = True
            if mask is not None:
                valid[positions[np.flatnonzero(~mask)]] = False
        return pa.py_buffer(np.packbits(valid, bitorder="little"))


@dataclass(frozen=True)
class _BooleanColumn(AnswerColumn):
    """Booleans are bits, which cannot be written one by one. They are bytes until the end."""

    numbers: _FixedWidthColumn

    def put(self, chunk: ChunkRows, answers: pa.ChunkedArray) -> None:
        self.numbers.put(chunk, answers.cast(pa.uint8()))

    def finish(self) -> pa.Array:
        return pc.cast(self.numbers.finish(), pa.bool_())


class _VariableWidthColumn(AnswerColumn):
    def __init__(self, rows: int, dtype: pa.DataType) -> None:
        self._rows, self._dtype = rows, dtype
        self._chunks: list[tuple[Ints, pa.ChunkedArray]] = []

    def put(self, chunk: ChunkRows, answers: pa.ChunkedArray) -> None:
        self._chunks.append((chunk.positions, answers))

    def finish(self) -> pa.Array | pa.ChunkedArray:
        chunks, source, first = list(self._chunks), np.full(self._rows, -1), 0
        for positions, _ in chunks:
            source[positions] = np.arange(first, first + len(positions))
            first += len(positions)
        arrays = [array for _, answers in chunks for array in answers.chunks]
        gathered = whole(pa.chunked_array(arrays, self._dtype))
        return narrowed(taken(gathered, source), self._dtype)


def narrowed(
    column: pa.Array, dtype: pa.DataType, most_bytes: int = _MOST_BYTES
) -> pa.Array | pa.ChunkedArray:
    """Return texts with 32-bit offsets, in several chunks if they are too large for one.

    Args:
        column: A column of the type, or of its large form.
        dtype: The type.
        most_bytes: The most bytes of a chunk's texts; a single text may be larger.

    Example:
        >>> texts = pa.array(["abc", "de", None, "f"], pa.large_string())
        >>> narrowed(texts, pa.string(), most_bytes=4).num_chunks
        2
    """
    if column.type == dtype or column.nbytes <= most_bytes:
        return column.cast(dtype)
    ends = np.frombuffer(column.buffers()[1], np.int64)[column.offset :][: len(column) + 1]
    starts = np.arange(ends[0], ends[-1] + 1, most_bytes)
    edges = np.unique([*np.searchsorted(ends, starts, side="left"), len(column)])
    # Copied, because Arrow casts a slice only if the whole array's offsets fit.
    copies = (pa.concat_arrays([column[low:high]]) for low, high in pairwise(edges.tolist()))
    pieces = [copy.cast(dtype) for copy in copies]
    return pa.chunked_array(pieces, dtype)
