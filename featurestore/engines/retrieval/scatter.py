"""Answers of chunks, put at their rows' places as they come.

Values of a fixed width go straight into the answer's memory, so that no chunk's answer outlives
it; others wait for the last chunk.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.arrays import Ints, Mask, taken, validity, whole

_WORD, _ALIGNED = 8, 64


class Collector(ABC):
    """One answer column, filled by chunks in any order; rows that none answers are null."""

    @abstractmethod
    def put(self, places: "Places", answers: pa.ChunkedArray) -> None:
        """Set the answers of some rows, from any thread; no row is set twice."""

    @abstractmethod
    def finish(self) -> pa.Array:
        """Return the column, once all chunks are in."""


class Places:
    """The rows that a chunk answers.

    Args:
        rows: Their positions among all rows.
    """

    def __init__(self, rows: Ints) -> None:
        self.rows = rows
        self._known: dict[tuple[int, int], tuple[pa.Buffer, Mask | None]] = {}

    def known(self, answers: pa.Array) -> Mask | None:
        """Return which answers are not null; None if all are not."""
        bits = answers.buffers()[0]
        if bits is None:
            return None
        # A window's sum and mean, and others, are null together: they have the same bits.
        key = bits.address, answers.offset
        if key not in self._known:
            self._known[key] = bits, validity(answers)
        return self._known[key][1]


def collectors(rows: int, dtypes: Mapping[str, pa.DataType]) -> dict[str, Collector]:
    """Return empty answer columns by name.

    Example:
        >>> columns = collectors(3, {"n": pa.int64()})
        >>> columns["n"].put(Places(np.array([2, 0])), pa.chunked_array([[7, 8]]))
        >>> columns["n"].finish().to_pylist()
        [8, None, 7]
    """
    sizes = {name: rows * fixed_width(dtype) for name, dtype in dtypes.items()}
    steps = [-(-size // _ALIGNED) * _ALIGNED for size in sizes.values()]
    # One block for all: the system gives large ones in large pages, several times as fast.
    block = np.zeros(sum(steps), np.uint8)
    empty, first, bits = {}, 0, _ValidBits(rows)
    for (name, size), step in zip(sizes.items(), steps, strict=True):
        empty[name] = _collector(rows, dtypes[name], block[first : first + size], bits)
        first += step
    return empty


def fixed_width(dtype: pa.DataType) -> int:
    """Return a value's bytes where all have as many, else 0; a boolean's bit has one."""
    if pa.types.is_boolean(dtype):
        return 1
    fixed = pa.types.is_primitive(dtype) or pa.types.is_decimal(dtype)
    return int(dtype.byte_width) if fixed else 0


def _collector(rows: int, dtype: pa.DataType, memory: np.ndarray, bits: "_ValidBits") -> Collector:
    width = fixed_width(dtype)
    if not width:
        return _Gathered(rows, dtype)
    values = memory.view(f"{'V' if width > _WORD else 'u'}{width}")
    if pa.types.is_boolean(dtype):
        return _Truths(_Fixed(pa.uint8(), values, bits, []))
    return _Fixed(dtype, values, bits, [])


@dataclass(frozen=True)
class _Fixed(Collector):
    dtype: pa.DataType
    values: np.ndarray
    bits: "_ValidBits"
    known: "list[_Known]"

    def put(self, places: Places, answers: pa.ChunkedArray) -> None:
        array = whole(answers if answers.type == self.dtype else answers.cast(self.dtype))
        if not len(array):
            return
        values = np.frombuffer(array.buffers()[1], self.values.dtype)
        self.values[places.rows] = values[array.offset : array.offset + len(array)]
        self.known.append((places.rows, places.known(array)))

    def finish(self) -> pa.Array:
        buffers = [self.bits.of(self.known), pa.py_buffer(self.values)]
        return pa.Array.from_buffers(self.dtype, len(self.values), buffers)


_Known = tuple[Ints, Mask | None]


class _ValidBits:
    """What says which answers are not null, made once for columns that are null together."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._made: dict[frozenset[tuple[int, int]], pa.Buffer | None] = {}

    def of(self, known: list[_Known]) -> pa.Buffer | None:
        """Return a column's bits, from its chunks' places and masks; None if none is null."""
        same = frozenset((id(places), id(mask)) for places, mask in known)
        if same not in self._made:
            self._made[same] = self._packed(known)
        return self._made[same]

    def _packed(self, known: list[_Known]) -> pa.Buffer | None:
        complete = sum(len(places) for places, _ in known) == self._rows
        if complete and all(mask is None for _, mask in known):
            return None
        valid = np.full(self._rows, complete)
        for places, mask in known:
            if not complete:
                valid[places] = True
            if mask is not None:
                valid[places[np.flatnonzero(~mask)]] = False
        return pa.py_buffer(np.packbits(valid, bitorder="little"))


@dataclass(frozen=True)
class _Truths(Collector):
    """Booleans are bits, which cannot be set one by one: they are bytes until the end."""

    numbers: _Fixed

    def put(self, places: Places, answers: pa.ChunkedArray) -> None:
        self.numbers.put(places, answers.cast(pa.uint8()))

    def finish(self) -> pa.Array:
        return pc.cast(self.numbers.finish(), pa.bool_())


class _Gathered(Collector):
    def __init__(self, rows: int, dtype: pa.DataType) -> None:
        self._rows, self._dtype = rows, dtype
        self._parts: list[tuple[Ints, pa.ChunkedArray]] = []

    def put(self, places: Places, answers: pa.ChunkedArray) -> None:
        self._parts.append((places.rows, answers))

    def finish(self) -> pa.Array:
        parts, position, first = list(self._parts), np.full(self._rows, -1), 0
        for places, _ in parts:
            position[places] = np.arange(first, first + len(places))
            first += len(places)
        chunks = [chunk for _, answers in parts for chunk in answers.chunks]
        gathered = whole(pa.chunked_array(chunks, self._dtype))
        return taken(gathered, position).cast(self._dtype)
