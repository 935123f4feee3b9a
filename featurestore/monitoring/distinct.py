"""`DistinctValues`: an estimate of the number of different values, whose parts can be merged."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

SIZE = 2048
"""The most hashes that are kept. Up to so many values, the number is exact."""
_HASHES = 2.0**64


@dataclass(frozen=True)
class DistinctValues:
    """The least of the hashes of some values.

    Hashes are spread evenly. So if the ``k``-th of the least is at a share ``x`` of their range,
    there are about ``(k - 1) / x`` of them. The standard error is 2.2 %. Source: Beyer, Haas,
    Reinwald, Sismanis and Gemulla, "On synopses for distinct-value estimation under multiset
    operations", SIGMOD 2007.

    PERF: all values are hashed by one call. The HyperLogLog of Apache DataSketches takes one value
    a call, and needed ten times the time.

    Args:
        hashes: The least hashes, ascending, as unsigned integers of 64 bits, little-endian.

    Example:
        >>> one, two = DistinctValues.of(np.array([1, 2])), DistinctValues.of(np.array([2, 3]))
        >>> one.merged(two).estimate
        3
    """

    hashes: bytes = b""

    @classmethod
    def of(cls, values: npt.NDArray[np.generic]) -> "DistinctValues":
        """Return the hashes of values that all differ.

        Args:
            values: Numbers, or texts as Python objects.
        """
        hashes = pd.util.hash_array(values, categorize=False)
        if len(hashes) > SIZE:
            hashes = np.partition(hashes, SIZE)[:SIZE]
        return cls(_bytes_of(np.sort(hashes)))

    @property
    def estimate(self) -> int:
        """The number of different values; exact up to 2,048."""
        least = self._array
        if len(least) < SIZE:
            return len(least)
        return round((SIZE - 1) / ((float(least[-1]) + 1) / _HASHES))

    def merged(self, other: "DistinctValues") -> "DistinctValues":
        """Return the hashes of the values of both."""
        both = np.union1d(self._array, other._array)
        return DistinctValues(_bytes_of(both[:SIZE]))

    def require_whole(self) -> None:
        """Refuse bytes that are not those of hashes.

        Raises:
            ValueError: They are damaged.
        """
        least = self._array  # a part of a hash is a ValueError
        if len(least) > SIZE or not (least[1:] > least[:-1]).all():
            raise ValueError("the hashes of its values are damaged")

    @property
    def _array(self) -> npt.NDArray[np.uint64]:
        return np.frombuffer(self.hashes, "<u8")


def _bytes_of(hashes: npt.NDArray[np.uint64]) -> bytes:
    return hashes.astype("<u8").tobytes()
