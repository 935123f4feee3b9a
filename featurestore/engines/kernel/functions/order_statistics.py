"""top_n, percentile and mode: functions of the values' own order.

Each value is replaced by its rank: the number of different lesser values. A wavelet matrix of the
ranks finds the n-th least of any window, in one pass for each bit, however long the window is.
Only mode reads every value of a window.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Absent, Floats, Ints, floats, nullable
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.functions import Aggregator
from featurestore.engines.kernel.functions.extremes import Ordered, ordered
from featurestore.engines.kernel.functions.lists import listed
from featurestore.engines.kernel.functions.sums import specials
from featurestore.engines.kernel.packed import packed, slots_of
from featurestore.engines.kernel.range_queries.wavelet import Wavelet
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate
from featurestore.store.columns import arrow_type


@dataclass(frozen=True)
class Ranks:
    """The ranks of a column's values; all NaN are one value, the greatest.

    Args:
        column: The values as numbers in the same order, and the function to decode them.
        different: The different numbers, ascending; at least one, even if there are no values.
        ranks: The position in ``different`` of each value, without nulls.
    """

    column: Ordered
    different: np.ndarray
    ranks: Ints

    @cached_property
    def matrix(self) -> Wavelet:
        """The wavelet matrix that finds the n-th rank of a window."""
        return Wavelet(self.ranks)

    def values(self, ranks: Ints, absent: Absent | None = None) -> pa.Array:
        """Return the values of some ranks, null where a moment has none."""
        return self.column.decode(self.different[ranks], absent)


def top_n_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's greatest values, descending; NaN is greater than every number."""
    inside, ranks = column.at(slices, packed), column.once(_ranks)
    lengths = inside.lengths()
    counts = np.minimum(lengths, feature.number or 0)
    first = np.cumsum(counts) - counts
    greatest = np.empty(int(counts.sum()), np.int64)
    for nth in range(int(counts.max(initial=0))):
        rest = np.flatnonzero(counts > nth)
        greatest[first[rest] + nth] = ranks.matrix.nth(inside.only(rest), lengths[rest] - 1 - nth)
    return listed(ranks.values(greatest), counts, feature.result)


def percentile_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's percentile, interpolated linearly; NaN if a value is NaN."""
    counts = column.counts(slices)
    filled = np.flatnonzero(counts)
    answer = np.zeros(len(slices))
    answer[filled] = _between(column, column.at(slices, packed).only(filled), feature.number or 0)
    apart = column.once(specials)
    if apart is not None:
        answer = np.where(slices.sums(apart.nan) > 0, np.nan, answer)
    return nullable(answer, column.absent(slices))


def mode_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's most frequent value, the least of several; null without values."""
    inside, ranks = column.at(slices, packed), column.once(_ranks)
    modes = np.zeros(len(slices), np.int64)
    for piece, part in inside.pieces():
        positions, owners = part.slots()
        modes[piece] = _most_frequent(ranks.ranks[positions], owners, len(part))
    values = ranks.values(modes, column.absent(slices))
    return values.cast(arrow_type(feature.result))


def _ranks(column: Column) -> Ranks:
    values = column.once(ordered)
    count = len(values.numbers) if column.running_count is None else column.running_count[-1]
    numbers = values.numbers[slots_of(column, np.arange(count))]
    different, ranks = np.unique(numbers, return_inverse=True)
    return Ranks(values, different if len(different) else np.zeros(1, numbers.dtype), ranks)


def _between(column: Column, inside: Slices, percent: int) -> Floats:
    """Return the percentile of windows that have a value, interpolated linearly."""
    ranks = column.once(_ranks)
    steps = (inside.lengths() - 1) * percent
    lower = ranks.matrix.nth(inside, steps // 100)
    low = floats(ranks.values(lower)).copy()
    split = np.flatnonzero(steps % 100)
    upper = ranks.matrix.nth(inside.only(split), steps[split] // 100 + 1)
    split, upper = split[upper > lower[split]], upper[upper > lower[split]]
    weight = (steps[split] % 100) / 100
    with np.errstate(invalid="ignore", under="ignore"):
        low[split] = low[split] * (1.0 - weight) + floats(ranks.values(upper)) * weight
    return low


def _most_frequent(ranks: Ints, owners: Ints, moments: int) -> Ints:
    """Return the most frequent rank of each moment, the least of several.

    Args:
        ranks: The ranks of all moments.
        owners: The moment of each.
        moments: How many moments there are.
    """
    modes = np.zeros(moments, np.int64)
    different = int(ranks.max(initial=0)) + 1
    pairs, times = np.unique(owners * different + ranks, return_counts=True)
    owner = pairs // different
    # The sort is stable: of equally frequent values the least stays first.
    order = np.lexsort((-times, owner))
    _, first = np.unique(owner, return_index=True)
    modes[owner[first]] = (pairs % different)[order][first]
    return modes


AGGREGATORS: dict[str, Aggregator] = {
    "top_n": top_n_of,
    "percentile": percentile_of,
    "mode": mode_of,
}
