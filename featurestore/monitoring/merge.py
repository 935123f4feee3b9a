"""One profile of the rows of several profiles, such as those of the runs of a week."""

from collections import Counter
from collections.abc import Sequence
from math import sqrt

from featurestore.monitoring.distribution import distribution, mixture
from featurestore.monitoring.profile import ColumnProfile


def merged(profiles: Sequence[ColumnProfile]) -> ColumnProfile:
    """Return the profile of one column for the rows of several profiles together.

    Counts, mean and standard deviation are as exact as those of the profiles. The quantiles are
    those of the mixture of the distributions. A frequent value has the sum of its counts in the
    profiles that list it. The number of different values is not known, and there is no histogram.

    Args:
        profiles: Profiles of the same column; at least one.

    Example:
        >>> one = ColumnProfile("x", type="Float64", rows=2, nulls=1, minimum=1.0, maximum=1.0,
        ...                     mean=1.0)
        >>> two = ColumnProfile("x", type="Float64", rows=3, nulls=0, minimum=0.0, maximum=3.0,
        ...                     mean=2.0, stddev=1.0)
        >>> both = merged([one, two])
        >>> both.rows, both.nulls, both.minimum, both.maximum, both.mean
        (5, 1, 0.0, 3.0, 1.75)
    """
    if len(profiles) == 1:
        return profiles[0]
    lows = [each.minimum for each in profiles if each.minimum is not None]
    highs = [each.maximum for each in profiles if each.maximum is not None]
    mean, stddev = _moments(profiles)
    return ColumnProfile(
        profiles[-1].column,
        type=profiles[-1].type,
        rows=sum(each.rows for each in profiles),
        nulls=sum(each.nulls for each in profiles),
        nans=sum(each.nans for each in profiles),
        minimum=min(lows, default=None),
        maximum=max(highs, default=None),
        mean=mean,
        stddev=stddev,
        quantiles=_quantiles(profiles),
        top=_top(profiles),
    )


def _quantiles(profiles: Sequence[ColumnProfile]) -> tuple[tuple[float, float], ...]:
    parts = [part for part in map(distribution, profiles) if part is not None]
    if not parts:
        return ()
    values = sum(part.values for part in parts)
    both = mixture(parts, [part.values / values for part in parts])
    return tuple(zip(both.shares.tolist(), both.numbers.tolist(), strict=True))


def _top(profiles: Sequence[ColumnProfile]) -> tuple[tuple[str, int], ...] | None:
    counts = Counter[str]()
    for profile in profiles:
        if profile.top is None:
            return None
        counts.update(dict(profile.top))
    return tuple(counts.most_common())


def _moments(profiles: Sequence[ColumnProfile]) -> tuple[float | None, float | None]:
    """Return the mean and the standard deviation of the sample, as Chan and others combine them.

    Source: T. Chan, G. Golub and R. LeVeque, Algorithms for computing the sample variance, The
    American Statistician 37 (3), 1983.
    """
    parts = [
        (each.rows - each.nulls - each.nans, each.mean, each.stddev or 0.0)
        for each in profiles
        if each.mean is not None
    ]
    count = sum(values for values, *_ in parts)
    if not count:
        return None, None
    mean = sum(values * own for values, own, _ in parts) / count
    squares = sum((n - 1) * dev**2 + n * (own - mean) ** 2 for n, own, dev in parts)
    return mean, sqrt(squares / (count - 1)) if count > 1 else None
