"""Blocks of rows: what Spark moves in an exchange.

The keys of an exchange are divided into *parts* by a hash. A *block* has rows of one part and one
source as Arrow's bytes. Spark moves a few blocks instead of millions of rows, and does not convert
them: that is most of the time of an exchange (ADR 51).
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Ints
from featurestore.engines.spark.retrieve.exchange.layout import BUCKET, SOURCE, key_name
from featurestore.engines.spark.retrieve.exchange.row_hashes import row_hashes

PART, ROWS = "part", "rows"
"""The columns of a block, beside `SOURCE`: the number of its part, and its rows."""

BLOCKS = f"{PART} int, {SOURCE} int, {ROWS} binary"
"""The schema of blocks for Spark."""

BYTES = 16_000_000
"""About how many bytes of rows are made into blocks at once, unless there are very many parts."""

BYTES_PER_BIND = 4_000_000
"""About how many bytes of spine rows are bound at once: each call of Arrow has its price."""

_ALIGNMENT = 64
_MOST_SMALL_PARTS = 2**16
# A block has 1 to 3 KB besides its rows. With fewer rows in each, most bytes would not be rows.
_BYTES_PER_BLOCK = 8_000
_MOST_BYTES = 32_000_000


def blocks(rows: pa.Table, keys: int, *, source: int, parts: int) -> pa.RecordBatch:
    """Return rows as blocks, one for each part.

    Args:
        rows: The rows, with their keys and buckets.
        keys: The number of key columns.
        source: Their source.
        parts: The number of parts.
    """
    numbers = key_hashes(rows, keys) % parts
    # A small type is sorted by its bits, in linear time.
    small = numbers.astype(np.uint16) if parts <= _MOST_SMALL_PARTS else numbers
    [batch] = rows.combine_chunks().to_batches()
    if parts > 1:
        batch = batch.take(pa.array(np.argsort(small, kind="stable")))
    counts = np.bincount(numbers, minlength=parts)
    present = np.flatnonzero(counts)
    return _batch(batch, counts[present], present, source)


def bytes_at_once(parts: int) -> int:
    """Return about how many bytes of rows to make into blocks of so many parts at once.

    Example:
        >>> bytes_at_once(10), bytes_at_once(3_000)
        (16000000, 24000000)
    """
    return min(max(BYTES, parts * _BYTES_PER_BLOCK), _MOST_BYTES)


def gathered(tables: Iterable[pa.Table | pa.RecordBatch], size: int = BYTES) -> Iterator[pa.Table]:
    """Yield the rows of some tables in tables of about so many bytes.

    Args:
        tables: The tables, or batches, with the same columns.
        size: The number of bytes. No table has twice as many, unless one row has.
    """
    held: list[pa.Table] = []
    held_bytes = 0
    for rows in tables:
        for piece in pieces(pa.table(rows) if isinstance(rows, pa.RecordBatch) else rows, size):
            held.append(piece)
            held_bytes += piece.nbytes
            if held_bytes >= size:
                yield pa.concat_tables(held)
                held, held_bytes = [], 0
    if held:
        yield pa.concat_tables(held)


def pieces(rows: pa.Table, size: int) -> Iterator[pa.Table]:
    """Yield rows in pieces of equally many rows, each of about so many bytes or less.

    Args:
        rows: The rows.
        size: The number of bytes.

    Example:
        >>> [piece.num_rows for piece in pieces(pa.table({"x": range(100)}), 300)]
        [34, 34, 32]
    """
    number = max(1, -(-rows.nbytes // size))
    most = -(-rows.num_rows // number)
    for start in range(0, rows.num_rows, max(1, most)):
        yield rows.slice(start, most)


def rows_of(block: pa.Scalar) -> pa.Table:
    """Return the rows of a block; they stay where the block is in memory.

    Args:
        block: The value of its column `ROWS`.
    """
    return pa.ipc.open_stream(block.as_buffer()).read_all()


def key_hashes(rows: pa.Table, keys: int) -> Ints:
    """Return a hash of the key and the bucket of each row, 0 or greater.

    Args:
        rows: The rows, with their keys and buckets.
        keys: The number of key columns.
    """
    columns = {name: rows[name] for name in (*(key_name(n) for n in range(keys)), BUCKET)}
    return row_hashes(pa.table({name: _as_hashed(column) for name, column in columns.items()}))


def _as_hashed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    # The hash of a number depends on its width, and `row_hashes` leaves booleans out.
    is_wider = pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)
    return column.cast(pa.int64()) if is_wider else column


def _batch(rows: pa.RecordBatch, counts: Ints, parts: Ints, source: int) -> pa.RecordBatch:
    sink, ends = pa.BufferOutputStream(), [0]
    for start, count in zip(np.cumsum(counts) - counts, counts, strict=True):
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_batch(rows.slice(int(start), int(count)))
        sink.write(b"\0" * (-sink.tell() % _ALIGNMENT))
        ends.append(sink.tell())
    offsets = pa.py_buffer(np.array(ends, np.int32))
    whole = pa.BinaryArray.from_buffers(pa.binary(), len(parts), [None, offsets, sink.getvalue()])
    columns = [pa.array(parts, pa.int32()), pa.array([source] * len(parts), pa.int32()), whole]
    return pa.RecordBatch.from_arrays(columns, names=[PART, SOURCE, ROWS])
