"""The shares of categories in two profiles, from their most frequent values."""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from featurestore.monitoring.distribution import Floats
from featurestore.monitoring.profile import ColumnProfile


def category_shares(one: ColumnProfile, other: ColumnProfile) -> tuple[Floats, Floats] | None:
    """Return the shares of the categories of two profiles, of all rest values last.

    A category is a value that is among the most frequent ones of a profile. If the other profile
    does not list it, then its share there is at most the least share which is listed, and it is
    taken to be as near as possible to the share in the first profile. So the shares do not differ
    more than the profiles show. If a profile lists all of its values, all its shares are exact.

    Args:
        one: A profile.
        other: Another one.

    Returns:
        Two arrays of shares of the same length, each with the sum 1. None if a profile has no
        values or no list of them, as for personal columns.

    Example:
        >>> def profile(**counts):
        ...     return ColumnProfile("x", type="String", rows=sum(counts.values()), nulls=0,
        ...                          top=tuple(counts.items()))
        >>> [array.tolist() for array in category_shares(profile(a=1, b=1), profile(a=3, c=1))]
        [[0.5, 0.5, 0.0, 0.0], [0.75, 0.0, 0.25, 0.0]]
    """
    listed, others = _listed(one), _listed(other)
    if listed is None or others is None:
        return None
    values = sorted(listed.keys() | others.keys())
    return _shares(values, listed, others), _shares(values, others, listed)


def _listed(profile: ColumnProfile) -> dict[str, Fraction] | None:
    """Return the listed values with their shares; None if there are none."""
    values = profile.rows - profile.nulls - profile.nans
    if not profile.top or values <= 0:
        return None
    # Approximate counts may have a sum that is too great.
    total = max(values, sum(count for _, count in profile.top))
    return {value: Fraction(count, total) for value, count in profile.top}


def _shares(
    values: list[str], listed: Mapping[str, Fraction], others: Mapping[str, Fraction]
) -> Floats:
    # Exact, because a rest that is 0 shows that the profile lists all of its values.
    rest = 1 - sum(listed.values())
    limit = min(rest, *listed.values())
    guesses = {value: min(limit, others[value]) for value in values if value not in listed}
    total = sum(guesses.values(), Fraction())
    scale = min(Fraction(1), rest / total) if total else Fraction()
    shares = [listed.get(value, scale * guesses.get(value, 0)) for value in values]
    return np.array([float(share) for share in (*shares, rest - total * scale)])
