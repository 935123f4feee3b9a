"""Slices: which slots of a column each moment's window holds.

Nearly always one slice a moment. Where rows in the window do not exist yet, or not any more, the
moment has several. Every aggregate works on slices and knows nothing of time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from featurestore.engines.arrays import Ints, ScalarT

AT_ONCE = 1 << 22
"""How many single slots are spread out at a time: about 200 MB with what is made of them."""


@dataclass(frozen=True)
class Slices:
    """Slots ``start`` to ``stop`` (not included), one or more slices a moment.

    Args:
        start: The first slot of each slice.
        stop: The slot behind its last.
        offsets: Where each moment's slices start, strictly ascending; None: one slice a moment.
        memo: What columns computed of these slices, for the next aggregate of the same window.

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
        """Return one value a moment from one a slice."""
        if self.offsets is None or not len(self.offsets):
            return per_slice
        merged: npt.NDArray[ScalarT] = combine.reduceat(per_slice, self.offsets)
        return merged

    def lengths(self) -> Ints:
        """Return how many slots each moment has."""
        return self.merged(np.add, self.stop - self.start)

    def sums(self, running: Ints) -> Ints:
        """Return each moment's sum, from running sums that start with 0."""
        sums = running.take(self.stop)
        sums -= running.take(self.start)
        return self.merged(np.add, sums)

    def owners(self) -> Ints:
        """Return the moment that each slice belongs to."""
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
        held = slice(bounds[first], bounds[stop])
        return Slices(self.start[held], self.stop[held], self.offsets[first:stop] - bounds[first])

    def only(self, moments: Ints) -> "Slices":
        """Return the slices of some of the moments, which ascend.

        Example:
            >>> Slices(np.array([0, 4, 6]), np.array([3, 4, 7]), np.array([0, 2])).only(
            ...     np.array([1])).lengths()
            array([1])
        """
        if self.offsets is None:
            return Slices(self.start[moments], self.stop[moments])
        counts = np.diff(self.offsets, append=len(self.start))[moments]
        first = self.offsets[moments]
        held, _ = spread(first, first + counts, moments)
        return Slices(self.start[held], self.stop[held], np.cumsum(counts) - counts)

    def pieces(self) -> Iterator[tuple[slice, "Slices"]]:
        """Yield the moments and their slices in pieces of few slots."""
        for piece in pieces(np.append(0, np.cumsum(self.lengths()))):
            yield piece, self.part(piece.start, piece.stop)

    def slots(self) -> tuple[Ints, Ints]:
        """Return every slot, and the moment that it belongs to; both ascend by moment."""
        return spread(self.start, self.stop, self.owners())


def pieces(load: Ints) -> Iterator[slice]:
    """Yield moments in pieces that are light enough to be spread out, at least one in each.

    Args:
        load: The running load before each moment, and of all.

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
    """Return every number of the ranges one after the other, each with its range's label.

    Example:
        >>> spread(np.array([3, 9]), np.array([5, 10]), np.array([0, 1]))
        (array([3, 4, 9]), array([0, 0, 1]))
    """
    lengths = np.maximum(stop - start, 0)
    ends = np.cumsum(lengths)
    numbers = np.arange(ends[-1] if len(ends) else 0)
    numbers += np.repeat(start - (ends - lengths), lengths)
    return numbers, np.repeat(labels, lengths)
