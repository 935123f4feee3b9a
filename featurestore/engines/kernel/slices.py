"""Slices: the slots of a column that are in each moment's window.

A moment nearly always has one slice. It has several if some rows between them are not valid at the
moment. The aggregation functions work on slices and know nothing of time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from featurestore.engines.arrays import Ints, ScalarT

AT_ONCE = 1 << 22
"""How many slots are listed one by one at a time: about 200 MB with the arrays made from them."""


@dataclass(frozen=True)
class Slices:
    """Slots ``start`` to ``stop`` (not included), one or more slices a moment.

    Args:
        start: The first slot of each slice.
        stop: The slot behind its last.
        offsets: The position of each moment's first slice, strictly ascending; None if each moment
            has one slice.
        memo: Results that columns computed for these slices and that other aggregates of the same
            window use again.

    Example:
        >>> two = Slices(np.array([0, 4, 6]), np.array([3, 4, 7]), np.array([0, 2]))
        >>> two.lengths().tolist()
        [3, 1]
    """

    start: Ints
    stop: Ints
    offsets: Ints | None = None
    memo: dict[object, object] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.start if self.offsets is None else self.offsets)

    def merged(self, combine: np.ufunc, per_slice: npt.NDArray[ScalarT]) -> npt.NDArray[ScalarT]:
        """Combine the values of each moment's slices to one value."""
        if self.offsets is None or not len(self.offsets):
            return per_slice
        merged: npt.NDArray[ScalarT] = combine.reduceat(per_slice, self.offsets)
        return merged

    def lengths(self) -> Ints:
        """Return the number of slots of each moment."""
        return self.merged(np.add, self.stop - self.start)

    def sums(self, running: Ints) -> Ints:
        """Return the sum of each moment's slots, from running sums that start with 0."""
        sums = running.take(self.stop)
        sums -= running.take(self.start)
        return self.merged(np.add, sums)

    def owners(self) -> Ints:
        """Return the moment of each slice."""
        if self.offsets is None:
            return np.arange(len(self.start))
        return np.repeat(
            np.arange(len(self.offsets)), np.diff(self.offsets, append=len(self.start))
        )

    def part(self, first: int, stop: int) -> "Slices":
        """Return the slices of moments ``first`` to ``stop``."""
        if self.offsets is None:
            return Slices(self.start[first:stop], self.stop[first:stop])
        bounds = np.append(self.offsets, len(self.start))
        part = slice(bounds[first], bounds[stop])
        return Slices(self.start[part], self.stop[part], self.offsets[first:stop] - bounds[first])

    def only(self, moments: Ints) -> "Slices":
        """Return the slices of some moments, which must ascend.

        Example:
            >>> Slices(np.array([0, 4, 6]), np.array([3, 4, 7]), np.array([0, 2])).only(
            ...     np.array([1])).lengths()
            array([1])
        """
        if self.offsets is None:
            return Slices(self.start[moments], self.stop[moments])
        counts = np.diff(self.offsets, append=len(self.start))[moments]
        first = self.offsets[moments]
        part, _ = spread(first, first + counts, moments)
        return Slices(self.start[part], self.stop[part], np.cumsum(counts) - counts)

    def pieces(self) -> Iterator[tuple[slice, "Slices"]]:
        """Yield the moments and their slices in pieces of at most `AT_ONCE` slots."""
        for piece in pieces(np.append(0, np.cumsum(self.lengths()))):
            yield piece, self.part(piece.start, piece.stop)

    def slots(self) -> tuple[Ints, Ints]:
        """Return every slot and its moment, in the order of the moments."""
        return spread(self.start, self.stop, self.owners())


def pieces(load: Ints) -> Iterator[slice]:
    """Yield moments in pieces with a load of at most `AT_ONCE`, or of a single moment.

    Args:
        load: The running sum of the loads before each moment; at the end, of all.

    Example:
        >>> list(pieces(np.array([0, 3, 9])))
        [slice(0, 2, None)]
    """
    first = 0
    while first < len(load) - 1:
        stop = int(np.searchsorted(load, load[first] + AT_ONCE, side="right")) - 1
        stop = max(stop, first + 1)
        yield slice(first, stop)
        first = stop


def spread(start: Ints, stop: Ints, labels: Ints) -> tuple[Ints, Ints]:
    """Return every number of every range, and the label of its range.

    Example:
        >>> spread(np.array([3, 9]), np.array([5, 10]), np.array([0, 1]))
        (array([3, 4, 9]), array([0, 0, 1]))
    """
    lengths = np.maximum(stop - start, 0)
    ends = np.cumsum(lengths)
    numbers = np.arange(ends[-1] if len(ends) else 0)
    numbers += np.repeat(start - (ends - lengths), lengths)
    return numbers, np.repeat(labels, lengths)
