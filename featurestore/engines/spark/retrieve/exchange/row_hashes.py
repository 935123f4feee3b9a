"""Hashes of rows, by which rows that are alike for an exchange are spread over tasks."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pandas.util import hash_array

from featurestore.engines.arrays import Ints, whole

_Hashes = npt.NDArray[np.uint64]

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SIGN = np.uint64(1)


def row_hashes(rows: pa.Table) -> Ints:
    """Return a hash of each row, 0 or greater: equal rows have equal hashes, in any process.

    The columns with whole numbers, times, texts and bytes count. Floats do not: a sum of floats
    may differ in its last bit when Spark computes it again.

    Args:
        rows: The rows.

    Example:
        >>> one, two, again = row_hashes(pa.table({"card": ["a", None, "a"]})).tolist()
        >>> one == again, one == two
        (True, False)
    """
    found = np.zeros(rows.num_rows, np.uint64)
    for column in rows.columns:
        hashes = _column_hashes(whole(column))
        if hashes is not None:
            found = found * _FACTOR + hashes
    return (found >> _SIGN).astype(np.int64)


def _column_hashes(column: pa.Array) -> _Hashes | None:
    """Return the hash of each value; None for types that do not count."""
    dtype = column.type
    if pa.types.is_temporal(dtype) and dtype.bit_width in (32, 64):
        column = column.view(pa.int64() if dtype.bit_width == 64 else pa.int32())
    if pa.types.is_integer(column.type):
        return _hashed(column.fill_null(0).to_numpy(zero_copy_only=False))
    if not (pa.types.is_large_string(dtype) or pa.types.is_large_binary(dtype)):
        return None
    codes = column.dictionary_encode(null_encoding="encode")
    values = _hashed(codes.dictionary.to_numpy(zero_copy_only=False))
    hashes: _Hashes = values[codes.indices.to_numpy()]
    return hashes


def _hashed(values: npt.NDArray[np.generic]) -> _Hashes:
    hashes: _Hashes = hash_array(values, categorize=False)
    return hashes
