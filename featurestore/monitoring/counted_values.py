"""`CountedValues`: all numbers of a column with their counts, which give exact quantiles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CountedValues:
    """All numbers of a column. Its methods are those of a KLL sketch that a summary calls.

    So equal rows have equal quantiles. Those of a KLL sketch of many rows depend on chance.

    Args:
        values: The different numbers, ascending.
        counts: How often each of them is there.

    Example:
        >>> three = CountedValues(np.array([1.0, 5.0]), np.array([2, 1]))
        >>> three.get_quantiles([0.5, 0.9]).tolist(), three.get_pmf([5.0]).round(2).tolist()
        ([1.0, 5.0], [0.67, 0.33])
    """

    values: Floats
    counts: npt.NDArray[np.int64]

    def get_quantiles(self, shares: Sequence[float]) -> Floats:
        """Return for each share the number that has so many numbers before it.

        Args:
            shares: From 0 to 1. With ``n`` numbers, a share ``s`` means the number that ``s * n``
                others, rounded down, come before.
        """
        up_to = np.cumsum(self.counts)
        before = (np.asarray(shares) * up_to[-1]).astype(np.int64)
        found = np.searchsorted(up_to, before, "right")
        chosen: Floats = self.values[np.minimum(found, len(self.values) - 1)]
        return chosen

    def get_pmf(self, edges: Sequence[float], inclusive: bool = False) -> Floats:
        """Return the shares of the numbers between edges, with those beyond on both sides.

        Args:
            edges: Ascending.
            inclusive: Whether an edge belongs to the numbers below it.
        """
        up_to = np.concatenate([[0], np.cumsum(self.counts)])
        side = "right" if inclusive else "left"
        below = up_to[np.searchsorted(self.values, edges, side)]  # type: ignore[call-overload]  # one of its sides
        shares: Floats = np.diff(below, prepend=0, append=up_to[-1]) / up_to[-1]
        return shares
