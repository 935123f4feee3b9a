"""top_n, percentile and mode: what comes of the values' own order.

Each value gets the number of lesser different ones. A wavelet matrix of these finds the n-th of
any window in one pass a bit, however long the window. Only mode looks at each value again.
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
    """A column's values by their order; all NaN are one, and the greatest.

    Args:
        column: The values as numbers, and the way back.
        different: The different numbers, ascending; at least one, whatever it is.
        ranks: The place among those of each value, where it is not null.
    """

    column: Ordered
    different: np.ndarray
    ranks: Ints

    @cached_property
    def matrix(self) -> Wavelet:
        """Finds the n-th of a window's ranks."""
        return Wavelet(self.ranks)

    def values(self, ranks: Ints, absent: Absent | None = None) -> pa.Array:
        """Return the values of some ranks, null where there is none."""
        return self.column.decode(self.different[ranks], absent)


def top_n_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's greatest values, descending; NaN is greater than all others."""
    inside, ranks = column.at(slices, packed), column.once(_ranks)
    held = inside.lengths()
    counts = np.minimum(held, feature.number or 0)
    first = np.cumsum(counts) - counts
    found = np.empty(int(counts.sum()), np.int64)
    for nth in range(int(counts.max(initial=0))):
        asked = np.flatnonzero(counts > nth)
        found[first[asked] + nth] = ranks.matrix.nth(inside.only(asked), held[asked] - 1 - nth)
    return listed(ranks.values(found), counts, feature.result)


def percentile_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's percentile between the nearest two values; NaN where there is one."""
    counts = column.counts(slices)
    asked = np.flatnonzero(counts)
    answer = np.zeros(len(slices))
    answer[asked] = _between(column, column.at(slices, packed).only(asked), feature.number or 0)
    apart = column.once(specials)
    if apart is not None:
        answer = np.where(slices.sums(apart.nan) > 0, np.nan, answer)
    return nullable(answer, column.absent(slices))


def mode_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's most frequent value, of several the least; null without values."""
    inside, ranks = column.at(slices, packed), column.once(_ranks)
    found = np.zeros(len(slices), np.int64)
    for piece, part in inside.pieces():
        places, owners = part.slots()
        found[piece] = _most_frequent(ranks.ranks[places], owners, len(part))
    values = ranks.values(found, column.absent(slices))
    return values.cast(arrow_type(feature.result))


def _ranks(column: Column) -> Ranks:
    known = column.once(ordered)
    values = len(known.numbers) if column.running_count is None else column.running_count[-1]
    numbers = known.numbers[slots_of(column, np.arange(values))]
    different, ranks = np.unique(numbers, return_inverse=True)
    return Ranks(known, different if len(different) else np.zeros(1, numbers.dtype), ranks)


def _between(column: Column, inside: Slices, percent: int) -> Floats:
    """Return the percentile of windows that hold a value, by linear interpolation."""
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
    found = np.zeros(moments, np.int64)
    different = int(ranks.max(initial=0)) + 1
    pairs, times = np.unique(owners * different + ranks, return_counts=True)
    owner = pairs // different
    # Stable, so that of equally frequent values the least stays first.
    order = np.lexsort((-times, owner))
    _, first = np.unique(owner, return_index=True)
    found[owner[first]] = (pairs % different)[order][first]
    return found


AGGREGATORS: dict[str, Aggregator] = {
    "top_n": top_n_of,
    "percentile": percentile_of,
    "mode": mode_of,
}
