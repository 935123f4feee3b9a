"""Takes the values at the same positions from many columns of one table.

Everything that depends on the positions alone is computed once. Ascending positions, which winners
mostly have, are taken chunk by chunk, so that the chunks need not be joined.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.arrays import Ints, taken, whole


class Gather:
    """Takes the values at some positions from columns of any length.

    Args:
        at: The positions; -1 gives null.

    Example:
        >>> gather = Gather(np.array([0, -1, 2]))
        >>> gather.of(pa.chunked_array([[7, 8], [9]])).to_pylist()
        [7, None, 9]
    """

    def __init__(self, at: Ints) -> None:
        self._at, self._present = at, at >= 0
        # Each -1 is replaced by a position that keeps the order; the bits make its value null.
        self._filled = np.maximum(np.maximum.accumulate(at), 0) if len(at) else at
        self._ascends = bool(len(at)) and bool(
            (self._filled[self._present] == at[self._present]).all()
        )
        bits = np.packbits(self._present, bitorder="little")
        self._bits = None if self._present.all() else pa.py_buffer(bits)
        self._plans: dict[tuple[int, ...], list[pa.Array]] = {}

    def of(self, column: pa.ChunkedArray) -> pa.Array:
        """Return the column's values at the positions."""
        if not self._ascends or not len(column) or not pa.types.is_primitive(column.type):
            return taken(whole(column), self._at)
        lengths = tuple(len(chunk) for chunk in column.chunks)
        if lengths not in self._plans:
            self._plans[lengths] = self._plan(lengths)
        parts = zip(column.chunks, self._plans[lengths], strict=True)
        pieces = [chunk.take(index) for chunk, index in parts if len(index)]
        return self._hidden(pieces[0] if len(pieces) == 1 else pa.concat_arrays(pieces))

    def _plan(self, lengths: tuple[int, ...]) -> list[pa.Array]:
        """Return the positions within each chunk."""
        ends = np.cumsum(lengths)
        cuts = [0, *np.searchsorted(self._filled, ends).tolist()]
        starts = (ends - lengths).tolist()
        return [
            pa.array(self._filled[cuts[chunk] : cuts[chunk + 1]] - start)
            for chunk, start in enumerate(starts)
        ]

    def _hidden(self, values: pa.Array) -> pa.Array:
        """Return the values, null where the position is -1."""
        if self._bits is None:
            return values
        if values.null_count or values.offset or pa.types.is_boolean(values.type):
            return pc.if_else(pa.array(self._present), values, None)
        buffers = [self._bits, values.buffers()[1]]
        return pa.Array.from_buffers(values.type, len(values), buffers)
