"""Old profiles of a view, joined day by day: a process that never ends records two for each batch.

Checks compare times of days and weeks. So the rows of a day stay described, all of them together.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import numpy as np

from featurestore.monitoring.distribution import distribution
from featurestore.monitoring.merge import merged
from featurestore.monitoring.profile import ColumnProfile, Profile
from featurestore.monitoring.records import profile_of, record_of
from featurestore.monitoring.summary import MOST_VALUES, SHARES
from featurestore.store.layout import Layout
from featurestore.store.ledger.profiles import ProfileHead, ProfileRecord, Profiles

# PERF: the time of a mixture grows with the square of the number of profiles.
_AT_ONCE = 8


def join_old_profiles(layout: Layout, view: str, before: datetime) -> None:
    """Join a view's old profiles of each build, kind and UTC day.

    The profiles of rows and of features become one, of all of their rows. Of the profiles of the
    whole table the last one stays. The first profile of each build and kind stays as it is: it may
    be of a build's rows, and later ones are compared with it.

    Args:
        layout: The addresses of the tables.
        view: The view. The caller holds its lock.
        before: Profiles of this time or later stay as they are.

    Raises:
        StorageError: The ledger cannot be written.
        TableError: The ledger is damaged.

    Example:
        >>> from datetime import UTC
        >>> join_old_profiles(Layout("no/such/root"), "v", datetime(2026, 1, 1, tzinfo=UTC))
    """
    ledger = Profiles(layout)
    gone: list[ProfileHead] = []
    joined: list[ProfileRecord] = []
    for day in _days(ledger.heads(view), before):
        if day[-1].kind == "table":
            gone.extend(day[:-1])
        elif len(records := [*_whole(ledger.load(day))]) > 1:
            gone.extend(records)
            joined.append(_joined_record(records))
    if gone:
        ledger.substitute(view, gone, joined)


def joined_column(parts: Sequence[ColumnProfile]) -> ColumnProfile:
    """Return the profile of one column for the rows of many profiles, in the size of one.

    Counts, mean and standard deviation are as exact as those of the profiles. Quantiles are those
    of the mixture, at the shares of each profile. The most frequent values stay.

    Args:
        parts: Profiles of the same column, at least one.

    Example:
        >>> one = ColumnProfile("x", type="Float64", rows=1, nulls=0, minimum=1.0, maximum=1.0,
        ...                     mean=1.0, quantiles=((0.0, 1.0), (1.0, 1.0)))
        >>> many = joined_column([one] * 100)
        >>> many.rows, many.mean, many.quantiles[50]
        (100, 1.0, (0.5, 1.0))
    """
    while len(parts) > 1:
        parts = [
            _shortened(merged(parts[at : at + _AT_ONCE])) for at in range(0, len(parts), _AT_ONCE)
        ]
    return parts[0]


def _days(heads: Sequence[ProfileHead], before: datetime) -> list[list[ProfileHead]]:
    """Return the old profiles of each kind, build and day that has several, but the first ones."""
    first = {(each.kind, each.table_id): each for each in reversed(heads)}
    days: dict[tuple[object, ...], list[ProfileHead]] = {}
    for each in heads:
        if each.at < before and each != first[each.kind, each.table_id]:
            days.setdefault((each.kind, each.table_id, each.at.date()), []).append(each)
    return [day for day in days.values() if len(day) > 1]


def _whole(records: Iterable[ProfileRecord]) -> Iterator[ProfileRecord]:
    for record in records:
        with suppress(ValueError):  # a damaged one stays in the ledger, and counts for nothing
            profile_of(record)
            yield record


def _joined_record(records: Sequence[ProfileRecord]) -> ProfileRecord:
    """Return the record of a day, in the place of its last one."""
    profiles = [profile_of(each) for each in records]
    columns = tuple(_joined_in(profiles, column) for column in profiles[-1].columns)
    last = replace(profiles[-1], columns=columns)
    return replace(record_of(last), sequence=records[-1].sequence)


def _joined_in(profiles: Sequence[Profile], last: ColumnProfile) -> ColumnProfile:
    name = (last.column, last.type)
    columns = (column for profile in profiles for column in profile.columns)
    return joined_column([each for each in columns if (each.column, each.type) == name])


def _shortened(column: ColumnProfile) -> ColumnProfile:
    top = None if column.top is None else column.top[:MOST_VALUES]
    known = distribution(column) if column.quantiles else None
    if known is None:
        return replace(column, top=top)
    # Of a personal field, no quantile is known at the ends.
    shares = [each for each in SHARES if known.shares[0] <= each <= known.shares[-1]]
    quantiles = [*zip(shares, known.quantiles(np.array(shares)).tolist(), strict=True)]
    if isinstance(column.minimum, int | float) and isinstance(column.maximum, int | float):
        ends = ((0.0, float(column.minimum)), (1.0, float(column.maximum)))
        quantiles = [ends[0], *quantiles, ends[1]]
    return replace(column, top=top, quantiles=tuple(quantiles))
