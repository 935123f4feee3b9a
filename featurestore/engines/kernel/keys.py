"""Keys as codes: small integers in the order of the keys.

The spine's keys get codes. A stored row with another key, or with a null in its key, has the code
-1 and drops out, or a code that no spine row has. The order of keys is the one in which Spark
writes files (text by its UTF-8 bytes), so that rows that are sorted by key are sorted by code.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.definitions.model.types import Boolean, DataType, Date, Int32, Int64, String
from featurestore.engines.arrays import Ints, Mask, both, integers, validity, whole
from featurestore.errors import SpineError
from featurestore.query.nodes import KeyBinding


@dataclass(frozen=True)
class Codes:
    """The codes of the keys of spine and rows: from 0 to ``distinct`` - 1, or -1 for no match.

    Some codes may belong to no key, or to stored rows only.

    Args:
        spine: The code of each spine row.
        rows: The code of each stored row.
        distinct: How many codes there are.
    """

    spine: Ints
    rows: Ints
    distinct: int


def encode(keys: Sequence[KeyBinding], spine: pa.Table, rows: pa.Table) -> Codes:
    """Return the codes of the keys, compared as tuples; without keys all rows have the same key.

    Args:
        keys: The join keys and the spine's columns that fill them.
        spine: The spine, with those columns.
        rows: The stored rows, with the join keys.

    Raises:
        SpineError: A spine column does not have the type of its key.

    Example:
        >>> key = KeyBinding("id", "card", Int64)
        >>> codes = encode([key], pa.table({"card": [7, 3]}), pa.table({"id": [3, 5, 7]}))
        >>> codes.spine.tolist(), codes.rows.tolist()
        ([1, 0], [0, -1, 1])
    """
    if not keys:
        nothing = np.zeros(spine.num_rows, np.int64), np.zeros(rows.num_rows, np.int64)
        return Codes(*nothing, distinct=1)
    codes = _part(keys[0], spine, rows)
    for key in keys[1:]:
        codes = _pair(codes, _part(key, spine, rows))
    return codes


def _part(key: KeyBinding, spine: pa.Table, rows: pa.Table) -> Codes:
    """Return the codes of one part of the key."""
    column, stored = spine[key.spine_column], rows[key.key]
    if pa.types.is_null(column.type):
        column = column.cast(stored.type)
    fits, encoder = _ENCODERS[key.dtype]
    if not fits(_plain(column.type)):
        raise SpineError(
            f"key {key.key!r} from the spine's column {key.spine_column!r}",
            f"the key has type {key.dtype}, the column has type {column.type}",
            f"Cast the column to {key.dtype}.",
        )
    return encoder(column, stored)


def _encode_numbers(column: pa.ChunkedArray, stored: pa.ChunkedArray) -> Codes:
    spine, rows = whole(column), whole(stored)
    return _dense(integers(spine), validity(spine), integers(rows), validity(rows))


def _encode_text(column: pa.ChunkedArray, stored: pa.ChunkedArray) -> Codes:
    spine_texts, spine_index = _indexed(column)
    texts = _ascending(spine_texts)
    spine = spine_index if texts is spine_texts else _look_up(spine_texts, texts)[spine_index]
    if not len(stored):  # without rows, the look-up table would be of no use
        return Codes(spine, np.empty(0, np.int64), len(texts))
    row_texts, index = _row_texts(stored)
    return _with_absent_keys(
        Codes(spine, _look_up(row_texts, texts), len(texts)), row_texts, index
    )


def _ascending(texts: pa.Array) -> pa.Array:
    """Return the distinct texts in ascending order."""
    # PERF: a sorted spine brings its texts in order. To check that takes much less than to sort
    # them: text keys take 1.33 instead of 1.6 of the time of integers, with `_with_absent_keys`
    # (ADR 11).
    if not texts.null_count and pc.all(pc.less(texts[:-1], texts[1:])).as_py() is not False:
        return texts
    return texts.take(pc.sort_indices(texts)).unique().drop_null()


def _row_texts(stored: pa.ChunkedArray) -> tuple[pa.Array, Ints]:
    """Return texts, maybe with repetitions, and the position of each row's text; -1 for null."""
    if not pa.types.is_dictionary(stored.type):
        # Rows are mostly sorted by key: a look-up for each run is one for each key, not each row.
        runs = pc.run_end_encode(whole(stored), run_end_type=pa.int64())
        lengths = np.diff(runs.run_ends.to_numpy(), prepend=0)
        return runs.values, np.repeat(np.arange(len(lengths)), lengths)
    # One look-up for the texts of all chunks, since building its hash table takes the most time.
    texts = pa.concat_arrays([whole(chunk.dictionary) for chunk in stored.chunks])
    first, pieces = 0, []
    for chunk in stored.chunks:
        present, index = validity(chunk.indices), integers(chunk.indices) + first
        pieces.append(index if present is None else np.where(present, index, -1))
        first += len(chunk.dictionary)
    return texts, np.concatenate(pieces)


def _with_absent_keys(codes: Codes, row_texts: pa.Array, index: Ints) -> Codes:
    """Return the codes of spine and rows; stored keys that the spine lacks get codes, if few.

    For example, the spine has the texts b and d, with the codes 0 and 1, and the rows have a, b, c
    and d. Then a to d get the codes 0 to 3, and the spine's codes become 1 and 3.

    Args:
        codes: The spine's codes; as rows, the code of each text of ``row_texts``, and -1 for null.
        row_texts: The texts of the rows.
        index: The position of each row's text; -1 for null.
    """
    # PERF: rows without a code would need a copy of each column without them (the figure is at
    # `_ascending`, ADR 11). Plain twin: the keys as Python tuples, in
    # tests/engines/kernel/test_keys.py.
    code, absent = codes.rows[:-1], codes.rows[:-1] < 0
    if not absent.any() or 2 * absent.sum() > len(absent) or not _never_descend(row_texts):
        return Codes(codes.spine, codes.rows[index], codes.distinct)
    # Of equal absent texts, only the first one gets a new code.
    new = absent.copy()
    new[1:] &= pc.not_equal(row_texts[1:], row_texts[:-1]).to_numpy(zero_copy_only=False)
    # An absent text comes after the last text with a code; each new code before it adds one.
    new_so_far, last_code = np.cumsum(new), np.maximum.accumulate(code)
    every = np.arange(codes.distinct)
    moved = np.append(every + np.searchsorted(last_code[new], every), -1)
    rows = np.append(np.where(absent, last_code + new_so_far, moved[code]), -1)
    return Codes(moved[codes.spine], rows[index], codes.distinct + int(new.sum()))


def _never_descend(texts: pa.Array) -> bool:
    """Return whether the texts are in order, without nulls."""
    ascend = pc.all(pc.less_equal(texts[:-1], texts[1:])).as_py()
    return not texts.null_count and ascend is not False


def _indexed(column: pa.ChunkedArray) -> tuple[pa.Array, Ints]:
    """Return the texts of a column, and the position of each value's text; -1 for null.

    A spine with a dictionary keeps it: to make one takes half of the time of a view.
    """
    if pa.types.is_dictionary(column.type):
        # Indices of 8 bits may be too narrow for the dictionaries of all chunks together.
        wide = pa.dictionary(pa.int32(), column.type.value_type)
        encoded = column.cast(wide).unify_dictionaries().combine_chunks()
    else:
        encoded = whole(column).dictionary_encode()
    index = integers(encoded.indices)
    present = validity(encoded.indices)
    index = index if present is None else np.where(present, index, -1)
    used = np.zeros(len(encoded.dictionary) + 1, np.bool_)
    used[index] = True
    used_texts = np.flatnonzero(used[:-1])
    if len(used_texts) == len(encoded.dictionary):
        return whole(encoded.dictionary), index
    new_position = np.full(len(used), -1)
    new_position[used_texts] = np.arange(len(used_texts))
    index = new_position[index]
    return whole(encoded.dictionary.take(pa.array(used_texts))), index


def _look_up(values: pa.Array, texts: pa.Array) -> Ints:
    """Return the position of each value in the texts, -1 for none; at the end, -1 for null."""
    positions = pc.index_in(values, value_set=texts, skip_nulls=True)
    return np.append(positions.fill_null(-1).cast(pa.int64()).to_numpy(), -1)


def _pair(left: Codes, right: Codes) -> Codes:
    """Return the codes of a key whose parts have the codes left and right."""
    # The codes are dense: the product is less than (spine rows) ** 2 and fits an int64.
    spine_valid = (left.spine >= 0) & (right.spine >= 0)
    rows_valid = (left.rows >= 0) & (right.rows >= 0)
    spine = left.spine * right.distinct + right.spine
    rows = left.rows * right.distinct + right.rows
    return _dense(spine, spine_valid, rows, rows_valid)


def _dense(spine: Ints, spine_valid: Mask | None, rows: Ints, rows_valid: Mask | None) -> Codes:
    """Return the codes of integer keys, by the cheapest of three kinds of look-up."""
    keys = spine if spine_valid is None else spine[spine_valid]
    if not len(keys):
        return Codes(np.full(len(spine), -1), np.full(len(rows), -1), 0)
    low, high = int(keys.min()), int(keys.max())
    if high - low < len(keys):
        look_up, distinct = _by_offset(low, high)
    elif high - low <= 4 * (len(spine) + len(rows)) + 1024:
        look_up, distinct = _by_table(keys, low, high)
    else:
        look_up, distinct = _by_search(keys)
    return Codes(look_up(spine, spine_valid), look_up(rows, rows_valid), distinct)


_LookUp = Callable[[Ints, Mask | None], Ints]


def _by_offset(low: int, high: int) -> tuple[_LookUp, int]:
    """Return a look-up that subtracts the least key; a few codes may belong to no key."""

    def look_up(values: Ints, valid: Mask | None) -> Ints:
        if valid is None and len(values) and low <= values.min() and values.max() <= high:
            return values - low if low else values
        near = np.clip(values, low, high)
        return _masked(near - low, both(valid, near == values))

    return look_up, high - low + 1


def _by_table(keys: Ints, low: int, high: int) -> tuple[_LookUp, int]:
    """Return a look-up in a table with an entry for each integer from ``low`` to ``high``."""
    # PERF: a quarter of the time of a search, if the table is not much larger than the data.
    present = np.zeros(high - low + 1, np.bool_)
    present[keys - low] = True
    code = np.where(present, np.cumsum(present) - 1, -1)

    def look_up(values: Ints, valid: Mask | None) -> Ints:
        near = np.clip(values, low, high)
        return _masked(code[near - low], both(valid, near == values))

    return look_up, int(present.sum())


def _by_search(keys: Ints) -> tuple[_LookUp, int]:
    """Return a look-up by binary search."""
    distinct = np.unique(keys)

    def look_up(values: Ints, valid: Mask | None) -> Ints:
        at = np.minimum(np.searchsorted(distinct, values), len(distinct) - 1)
        return _masked(at, both(valid, distinct[at] == values))

    return look_up, len(distinct)


def _masked(codes: Ints, valid: Mask | None) -> Ints:
    return codes if valid is None or valid.all() else np.where(valid, codes, -1)


def _plain(dtype: pa.DataType) -> pa.DataType:
    """Return the type of a dictionary's values, or the type itself."""
    return dtype.value_type if pa.types.is_dictionary(dtype) else dtype


def _is_text(dtype: pa.DataType) -> bool:
    return dtype in (pa.string(), pa.large_string(), pa.string_view())


_Encoder = Callable[[pa.ChunkedArray, pa.ChunkedArray], Codes]
_ENCODERS: dict[DataType, tuple[Callable[[pa.DataType], bool], _Encoder]] = {
    Int32: (pa.types.is_integer, _encode_numbers),
    Int64: (pa.types.is_integer, _encode_numbers),
    Boolean: (pa.types.is_boolean, _encode_numbers),
    Date: (pa.types.is_date32, _encode_numbers),
    String: (_is_text, _encode_text),
}
