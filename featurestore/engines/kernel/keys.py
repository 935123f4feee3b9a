"""Keys as small codes, in the order of the keys themselves.

Codes are made for the spine's keys: rows of other keys are -1 and drop out, as null keys do, or
have codes that no spine row has. The order is the one in which Spark writes files (text by its
UTF-8 bytes), so that slices which come sorted by key are sorted by code too.
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
    """The keys of spine and rows as numbers from 0 to ``distinct`` - 1; -1 never matches.

    Some numbers may be of no key, or of rows only.
    """

    spine: Ints
    rows: Ints
    distinct: int


def encode(keys: Sequence[KeyBinding], spine: pa.Table, rows: pa.Table) -> Codes:
    """Return the codes of the keys, compared as tuples; without keys all rows are of one key.

    Args:
        keys: The join keys and the spine's columns that fill them.
        spine: Has those columns.
        rows: Has the join keys.

    Raises:
        SpineError: A spine column has another type than its key.

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
    asked, stored = spine[key.spine_column], rows[key.key]
    if pa.types.is_null(asked.type):
        asked = asked.cast(stored.type)
    fits, encoder = _ENCODERS[key.dtype]
    if not fits(_plain(asked.type)):
        raise SpineError(
            f"key {key.key!r} from the spine's column {key.spine_column!r}",
            f"the key is {key.dtype}, the column {asked.type}",
            f"Cast the column to {key.dtype}.",
        )
    return encoder(asked, stored)


def _encode_numbers(asked: pa.ChunkedArray, stored: pa.ChunkedArray) -> Codes:
    spine, rows = whole(asked), whole(stored)
    return _dense(integers(spine), validity(spine), integers(rows), validity(rows))


def _encode_text(asked: pa.ChunkedArray, stored: pa.ChunkedArray) -> Codes:
    spine_words, spine_index = _indexed(asked)
    words = _ascending(spine_words)
    spine = spine_index if words is spine_words else _looked_up(spine_words, words)[spine_index]
    if not len(stored):  # a table of the words would be made for nothing
        return Codes(spine, np.empty(0, np.int64), len(words))
    found, index = _row_words(stored)
    return _merged(Codes(spine, _looked_up(found, words), len(words)), found, index)


def _ascending(words: pa.Array) -> pa.Array:
    # An arranged spine brings its words in order: to see that costs little, to sort them much.
    if not words.null_count and pc.all(pc.less(words[:-1], words[1:])).as_py() is not False:
        return words
    return words.take(pc.sort_indices(words)).unique().drop_null()


def _row_words(stored: pa.ChunkedArray) -> tuple[pa.Array, Ints]:
    """Return words, some maybe more than once, and each row's place among them; -1 for null."""
    if not pa.types.is_dictionary(stored.type):
        # Rows mostly come sorted by key: a look-up a run is a look-up a key, not a row.
        stretches = pc.run_end_encode(whole(stored), run_end_type=pa.int64())
        lengths = np.diff(stretches.run_ends.to_numpy(), prepend=0)
        return stretches.values, np.repeat(np.arange(len(lengths)), lengths)
    # One look-up for the words of all chunks: it is the making of its table that takes time.
    words = pa.concat_arrays([whole(chunk.dictionary) for chunk in stored.chunks])
    first, pieces = 0, []
    for chunk in stored.chunks:
        known, index = validity(chunk.indices), integers(chunk.indices) + first
        pieces.append(index if known is None else np.where(known, index, -1))
        first += len(chunk.dictionary)
    return words, np.concatenate(pieces)


def _merged(codes: Codes, found: pa.Array, index: Ints) -> Codes:
    """Return the codes of spine and rows, where a few other words have codes of their own.

    Rows without a code cost a copy of every column without them.

    Args:
        codes: Of the spine, and in place of the rows those of the words, and -1.
        found: The words of the rows.
        index: Each row's place among them; -1 for null.
    """
    code, other = codes.rows[:-1], codes.rows[:-1] < 0
    if not other.any() or 2 * other.sum() > len(other) or not _never_descend(found):
        return Codes(codes.spine, codes.rows[index], codes.distinct)
    new = other.copy()
    new[1:] &= pc.not_equal(found[1:], found[:-1]).to_numpy(zero_copy_only=False)
    before, last = np.cumsum(new), np.maximum.accumulate(code)
    every = np.arange(codes.distinct)
    moved = np.append(every + np.searchsorted(last[new], every), -1)
    rows = np.append(np.where(other, last + before, moved[code]), -1)
    return Codes(moved[codes.spine], rows[index], codes.distinct + int(new.sum()))


def _never_descend(words: pa.Array) -> bool:
    ascend = pc.all(pc.less_equal(words[:-1], words[1:])).as_py()
    return not words.null_count and ascend is not False


def _indexed(column: pa.ChunkedArray) -> tuple[pa.Array, Ints]:
    """Return the words of a text column, and each value's place among them; -1 for null.

    A spine that comes with a dictionary keeps it: to make one takes half of the time of a view.
    """
    if pa.types.is_dictionary(column.type):
        # Indices of 8 bits may be too narrow for the dictionaries of all chunks together.
        wide = pa.dictionary(pa.int32(), column.type.value_type)
        encoded = column.cast(wide).unify_dictionaries().combine_chunks()
    else:
        encoded = whole(column).dictionary_encode()
    index = integers(encoded.indices)
    known = validity(encoded.indices)
    index = index if known is None else np.where(known, index, -1)
    used = np.zeros(len(encoded.dictionary) + 1, np.bool_)
    used[index] = True
    kept = np.flatnonzero(used[:-1])
    if len(kept) == len(encoded.dictionary):
        return whole(encoded.dictionary), index
    place = np.full(len(used), -1)
    place[kept] = np.arange(len(kept))
    index = place[index]
    return whole(encoded.dictionary.take(pa.array(kept))), index


def _looked_up(values: pa.Array, words: pa.Array) -> Ints:
    """Return each value's code, and at the end, where -1 points to, that of null."""
    found = pc.index_in(values, value_set=words, skip_nulls=True)
    return np.append(found.fill_null(-1).cast(pa.int64()).to_numpy(), -1)


def _pair(left: Codes, right: Codes) -> Codes:
    # Both are dense, so that the product is below (spine rows) ** 2 and fits.
    spine_known = (left.spine >= 0) & (right.spine >= 0)
    rows_known = (left.rows >= 0) & (right.rows >= 0)
    spine = left.spine * right.distinct + right.spine
    rows = left.rows * right.distinct + right.rows
    return _dense(spine, spine_known, rows, rows_known)


def _dense(spine: Ints, spine_known: Mask | None, rows: Ints, rows_known: Mask | None) -> Codes:
    asked = spine if spine_known is None else spine[spine_known]
    if not len(asked):
        return Codes(np.full(len(spine), -1), np.full(len(rows), -1), 0)
    low, high = int(asked.min()), int(asked.max())
    if high - low < len(asked):
        look_up, distinct = _by_offset(low, high)
    elif high - low <= 4 * (len(spine) + len(rows)) + 1024:
        look_up, distinct = _by_table(asked, low, high)
    else:
        look_up, distinct = _by_search(asked)
    return Codes(look_up(spine, spine_known), look_up(rows, rows_known), distinct)


_LookUp = Callable[[Ints, Mask | None], Ints]


def _by_offset(low: int, high: int) -> tuple[_LookUp, int]:
    # Keys so close together are their own codes, though a few codes may be of no key.
    def look_up(values: Ints, known: Mask | None) -> Ints:
        if known is None and len(values) and low <= values.min() and values.max() <= high:
            return values - low if low else values
        near = np.clip(values, low, high)
        return _masked(near - low, both(known, near == values))

    return look_up, high - low + 1


def _by_table(asked: Ints, low: int, high: int) -> tuple[_LookUp, int]:
    # Four times as fast as a search while the table is not much larger than the data.
    present = np.zeros(high - low + 1, np.bool_)
    present[asked - low] = True
    code = np.where(present, np.cumsum(present) - 1, -1)

    def look_up(values: Ints, known: Mask | None) -> Ints:
        near = np.clip(values, low, high)
        return _masked(code[near - low], both(known, near == values))

    return look_up, int(present.sum())


def _by_search(asked: Ints) -> tuple[_LookUp, int]:
    distinct = np.unique(asked)

    def look_up(values: Ints, known: Mask | None) -> Ints:
        at = np.minimum(np.searchsorted(distinct, values), len(distinct) - 1)
        return _masked(at, both(known, distinct[at] == values))

    return look_up, len(distinct)


def _masked(codes: Ints, known: Mask | None) -> Ints:
    return codes if known is None or known.all() else np.where(known, codes, -1)


def _plain(dtype: pa.DataType) -> pa.DataType:
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
