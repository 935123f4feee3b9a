"""count_distinct: the slots of a slice whose value did not occur before in the same slice.

With the previous slot of the same value known for each slot, a value is new in a slice where that
lies before the slice. Short slices are looked through; for long ones a wavelet matrix counts all
numbers below a bound in a range, one pass a bit.
"""

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Ints, both, integers, running, validity
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.functions import Aggregator
from featurestore.engines.kernel.functions.sums import plain_numbers
from featurestore.engines.kernel.range_queries.wavelet import Wavelet
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate

_LONG = 64
"""Slots in a slice beyond which the matrix counts: its cost does not grow with the slice."""


def count_distinct_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return how many different values each moment has; nulls are none, all NaN are one."""
    if slices.offsets is not None:
        return pa.array(_in_pieces(column, slices))
    lengths = slices.stop - slices.start
    long = np.flatnonzero(lengths > _LONG)
    short = np.flatnonzero(lengths <= _LONG)
    answer = np.zeros(len(slices), np.int64)
    answer[short] = _in_pieces(column, Slices(slices.start[short], slices.stop[short]))
    if len(long):
        start, stop = slices.start[long], slices.stop[long]
        answer[long] = column.once(_matrix).below(start, stop, start + 1)
    return pa.array(answer)


def _in_pieces(column: Column, slices: Slices) -> Ints:
    look = _by_looking if slices.offsets is None else _by_sorting
    answer = np.zeros(len(slices), np.int64)
    for piece, part in slices.pieces():
        answer[piece] = look(column, part)
    return answer


def _by_looking(column: Column, slices: Slices) -> Ints:
    slots, owners = slices.slots()
    new = running(column.once(_previous)[slots] < slices.start[owners])
    ends = np.cumsum(slices.lengths())
    return Slices(ends - slices.lengths(), ends).sums(new)


def _by_sorting(column: Column, slices: Slices) -> Ints:
    slots, owners = slices.slots()
    codes = column.once(_codes)
    values = codes[slots]
    pairs = np.unique((owners * (int(codes.max(initial=0)) + 1) + values)[values >= 0])
    return np.bincount(pairs // (int(codes.max(initial=0)) + 1), minlength=len(slices))


def _matrix(column: Column) -> Wavelet:
    # Counted from 1, since -1 is the previous slot of a first occurrence.
    return Wavelet(column.once(_previous) + 1)


def _previous(column: Column) -> Ints:
    """Return each value's previous slot, -1 if it is new; for no value one behind all slots."""
    codes = column.once(_codes)
    slots = len(codes)
    # One sort of single numbers is four times as fast as a stable sort by code.
    order = np.sort((codes + 1) * slots + np.arange(slots)) % max(slots, 1)
    previous = np.full(slots, -1)
    repeated = np.flatnonzero(codes[order[1:]] == codes[order[:-1]])
    previous[order[repeated + 1]] = order[repeated]
    return np.where(codes < 0, slots, previous)


def _codes(column: Column) -> Ints:
    """Return a number for each value, equal for equal values; -1 where there is none."""
    values = column.values
    if pa.types.is_floating(values.type):
        plain = plain_numbers(column)
        values = pa.array(np.where(np.isnan(plain), np.nan, plain).view(np.int64))
    codes = integers(values.dictionary_encode().indices)
    known = both(column.valid, validity(values))
    return codes if known is None else np.where(known, codes, -1)


AGGREGATORS: dict[str, Aggregator] = {"count_distinct": count_distinct_of}
