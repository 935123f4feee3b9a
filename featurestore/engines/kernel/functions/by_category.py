"""Functions by category: a map from the values of a second column to counts or sums.

The values are laid out by (category, slot). So the values of one category in a window are one
slice again, which every aggregation function takes. To find the categories in a window, each of
its slots is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from featurestore.definitions.model.types import Map
from featurestore.engines.arrays import Ints, both
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.functions import Aggregator
from featurestore.engines.kernel.functions.extremes import Ordered, ordered
from featurestore.engines.kernel.functions.overflow import OverflowAt
from featurestore.engines.kernel.slices import Slices, spread
from featurestore.query.nodes import Aggregate
from featurestore.store.columns import arrow_type


@dataclass(frozen=True)
class Categories:
    """A column's values laid out by (category, slot), without slots where either column is null.

    Args:
        values: The values, in that order.
        names: The categories as numbers in the same order, and the function to decode them.
        different: The number of each category, ascending.
        code: The category of each slot, as a position in ``different``; -1 for none.
        pairs: Category and slot of each value, composed to one number.
    """

    values: Column
    names: Ordered
    different: np.ndarray
    code: Ints
    pairs: Ints

    def compose(self, codes: Ints, slots: Ints) -> Ints:
        """Return a number for each pair of category and slot, in the order of the pairs."""
        return codes * (len(self.code) + 1) + slots

    def before(self, codes: Ints, slots: Ints) -> Ints:
        """Return how many values come before each pair of category and slot."""
        return np.searchsorted(self.pairs, self.compose(codes, slots))


def categorized(column: Column, by: Column) -> Categories:
    """Return a column's values laid out by the categories in another column."""
    valid = both(column.valid, by.valid)
    slots = np.arange(len(column.values)) if valid is None else np.flatnonzero(valid)
    names = by.once(ordered)
    different, codes = np.unique(names.numbers[slots], return_inverse=True)
    code = np.full(len(column.values), -1)
    code[slots] = codes
    order = np.argsort(codes, kind="stable")
    laid_out = Column(column.values.take(pa.array(slots[order])), None)
    categories = Categories(laid_out, names, different, code, slots[:0])
    return replace(categories, pairs=categories.compose(codes[order], slots[order]))


def maps_of(
    feature: Aggregate, compute: Aggregator, categories: Categories, slices: Slices
) -> pa.Array:
    """Return each moment's map of the categories that hold a value, ordered by category.

    Args:
        feature: The feature whose answers are maps.
        compute: The function that computes one category's value.
        categories: The aggregated column, laid out by category.
        slices: The slices of each moment.

    Raises:
        OverflowAt: A sum of integers or decimals does not fit its type.
    """
    kind = arrow_type(feature.result)
    keys, items = [pa.nulls(0, kind.key_type)], [pa.nulls(0, kind.item_type)]
    counts = [np.empty(0, np.int64)]
    plain = _of_one_category(feature)
    for owners, codes, inside, moments in _by_category(categories, slices):
        named = categories.names.decode(categories.different[codes], None)
        keys.append(named.cast(kind.key_type))
        try:
            items.append(compute(plain, categories.values, inside).cast(kind.item_type))
        except OverflowAt as overflow:
            raise OverflowAt(sum(map(len, counts)) + int(owners[overflow.moment])) from None
        counts.append(np.bincount(owners, minlength=moments))
    offsets = pa.array(np.append(0, np.cumsum(np.concatenate(counts)))).cast(pa.int32())
    return pa.MapArray.from_arrays(offsets, pa.concat_arrays(keys), pa.concat_arrays(items))


def _of_one_category(feature: Aggregate) -> Aggregate:
    value = feature.result.value if isinstance(feature.result, Map) else feature.result
    return replace(feature, result=value, by=None)


def _by_category(
    categories: Categories, slices: Slices
) -> Iterator[tuple[Ints, Ints, Slices, int]]:
    """Yield (moment, category) pairs in pieces: moments, categories, slices, number of moments."""
    different = max(len(categories.different), 1)
    for _, part in slices.pieces():
        slots, nth = spread(part.start, part.stop, np.arange(len(part.start)))
        codes = categories.code[slots]
        present = codes >= 0
        nth, codes = np.divmod(np.unique(nth[present] * different + codes[present]), different)
        owners = part.owners()[nth]
        order = np.lexsort((codes, owners))
        nth, codes, owners = nth[order], codes[order], owners[order]
        groups = owners * different + codes
        first = np.flatnonzero(np.append(True, groups[1:] != groups[:-1])[: len(groups)])
        inside = Slices(
            categories.before(codes, part.start[nth]),
            categories.before(codes, part.stop[nth]),
            first,
        )
        yield owners[first], codes[first], inside, len(part)
