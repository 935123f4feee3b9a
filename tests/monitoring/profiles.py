"""Profiles of values, made plainly."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from featurestore.monitoring.profile import ColumnProfile, Histogram

SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
PERCENTILES = tuple(each / 100 for each in range(1, 100))


def numbers(
    values: Sequence[float],
    absent: int = 0,
    listed: int = 0,
    shares: Sequence[float] = SHARES,
) -> ColumnProfile:
    """Return a profile of numbers: exact quantiles, and a histogram of 20 intervals."""
    array = np.array(values, float)
    if not len(array):
        return ColumnProfile("x", type="Float64", rows=absent, nulls=absent)
    finite = array[np.isfinite(array)]
    edges = np.linspace(finite.min(), finite.max(), 21) if len(finite) else np.zeros(1)
    counts = np.diff(np.searchsorted(np.sort(finite), edges), append=len(finite))[:-1]
    counts[-1:] += len(finite) - counts.sum()
    quantiles = np.quantile(array, shares, method="inverted_cdf")
    return ColumnProfile(
        "x",
        type="Float64",
        rows=len(array) + absent,
        nulls=absent,
        minimum=float(array.min()),
        maximum=float(array.max()),
        mean=float(array.mean()) if np.isfinite(array).all() else None,
        stddev=float(finite.std(ddof=1)) if len(finite) > 1 else None,
        quantiles=tuple(zip(shares, quantiles.tolist(), strict=True)),
        top=tuple((repr(value), n) for value, n in Counter(values).most_common(listed)),
        histogram=Histogram(tuple(map(float, edges)), tuple(map(int, counts))),
    )


def texts(values: Sequence[str], listed: int = 1000) -> ColumnProfile:
    """Return a profile of texts that lists so many of the most frequent ones."""
    top = tuple(Counter(values).most_common(listed))
    return ColumnProfile("x", type="String", rows=len(values), nulls=0, top=top)
