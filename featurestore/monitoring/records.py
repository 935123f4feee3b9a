"""Profiles as records of the ledger, and back."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, cast

from featurestore.errors import FeatureStoreError
from featurestore.monitoring.profile import ColumnProfile, Histogram, Profile, ProfileKind
from featurestore.store.layout import Layout
from featurestore.store.ledger.profiles import ProfileHead, ProfileRecord, Profiles

_LOG = logging.getLogger(__name__)


def stored_profiles(layout: Layout, view: str | None = None) -> tuple[Profile, ...]:
    """Return the stored profiles of a view, or of all views, the oldest first.

    A profile that is damaged is left out. If the ledger is damaged, there is no profile. Both are
    logged.

    Args:
        layout: The addresses of the tables.
        view: The view's name.

    Example:
        >>> stored_profiles(Layout("no/such/root"))
        ()
    """
    return tuple(_valid(_records(layout, view)))


def recent_profiles(layout: Layout, count: int) -> dict[str, tuple[Profile, ...]]:
    """Return the last stored profiles of each view, the oldest first. As `stored_profiles`.

    Args:
        layout: The addresses of the tables.
        count: The most profiles of each view and kind.

    Example:
        >>> recent_profiles(Layout("no/such/root"), 30)
        {}
    """
    return _newest(layout, None, count)


def newest_profile(layout: Layout, view: str, kind: ProfileKind) -> Profile | None:
    """Return the newest stored profile of a view; None if there is none, or if it is damaged.

    Args:
        layout: The addresses of the tables.
        view: The view's name.
        kind: The kind of the profile.

    Example:
        >>> newest_profile(Layout("no/such/root"), "activity", "table") is None
        True
    """
    found = _newest(layout, view, 1).get(view, ())
    return next((each for each in found if each.kind == kind), None)


def _newest(layout: Layout, view: str | None, count: int) -> dict[str, tuple[Profile, ...]]:
    ledger = Profiles(layout)
    try:
        records = ledger.load(last_of_each_kind(ledger.heads(view), count))
    except FeatureStoreError as error:
        _LOG.warning("no profile can be read: %s", error)
        return {}
    by_view: dict[str, list[ProfileRecord]] = {}
    for record in records:
        by_view.setdefault(record.view, []).append(record)
    return {name: tuple(_valid(own)) for name, own in by_view.items()}


def last_of_each_kind(heads: Sequence[ProfileHead], count: int) -> tuple[ProfileHead, ...]:
    """Return the last profiles of each view and kind, the oldest first.

    Args:
        heads: The profiles, the oldest first.
        count: The most of each view and kind.

    Example:
        >>> last_of_each_kind([], 1)
        ()
    """
    taken = Counter[tuple[str, str]]()
    chosen: list[ProfileHead] = []
    for head in reversed(heads):
        taken[head.view, head.kind] += 1
        if taken[head.view, head.kind] <= count:
            chosen.append(head)
    return tuple(reversed(chosen))


def _records(layout: Layout, view: str | None) -> tuple[ProfileRecord, ...]:
    try:
        return Profiles(layout).records(view)
    except FeatureStoreError as error:
        _LOG.warning("no profile can be read: %s", error)
        return ()


def record_of(profile: Profile) -> ProfileRecord:
    """Return the record of a profile.

    Args:
        profile: The profile.
    """
    return ProfileRecord(
        profile.view,
        run_id=profile.run_id,
        table_id=profile.build_id,
        kind=profile.kind,
        at=profile.at,
        columns=json.dumps([asdict(column) for column in profile.columns]),
    )


def profile_of(record: ProfileRecord) -> Profile:
    """Return the profile of a record.

    Raises:
        ValueError: The record is damaged.
    """
    try:
        columns = tuple(_column(each) for each in json.loads(record.columns))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the text of its columns is damaged: {error}") from error
    return Profile(
        record.view,
        run_id=record.run_id,
        build_id=record.table_id,
        at=record.at,
        kind=cast("ProfileKind", record.kind),
        columns=columns,
    )


def _valid(records: Sequence[ProfileRecord]) -> Iterator[Profile]:
    for record in records:
        try:
            yield profile_of(record)
        except ValueError as error:
            _LOG.warning("a profile of view %s is left out: %s", record.view, error)


def _column(data: dict[str, Any]) -> ColumnProfile:
    """Return the statistics of a column. Fields that this release does not know are ignored."""
    known = {name: data[name] for name in ColumnProfile.__dataclass_fields__ if name in data}
    _require_types(known)
    known["quantiles"] = tuple((share, value) for share, value in data["quantiles"])
    if data["top"] is not None:
        known["top"] = tuple((text, count) for text, count in data["top"])
    if data["histogram"] is not None:
        edges, counts = data["histogram"]["edges"], data["histogram"]["counts"]
        known["histogram"] = Histogram(tuple(edges), tuple(counts))
    return ColumnProfile(**known)


def _require_types(data: dict[str, Any]) -> None:
    """Refuse statistics that no release writes: readers compute with them.

    Raises:
        ValueError: A value has another type.
    """
    numbers = [number for pair in data["quantiles"] for number in pair]
    if histogram := data["histogram"]:
        numbers += [*histogram["edges"], *histogram["counts"]]
        if len(histogram["edges"]) != len(histogram["counts"]) + 1:
            raise ValueError("a histogram has not one edge more than counts")
    counts = [
        data["rows"],
        data["nulls"],
        data["nans"],
        *(count for _, count in data["top"] or ()),
    ]
    texts = [data["column"], data["type"], *(text for text, _ in data["top"] or ())]
    optional = [data[name] for name in ("mean", "stddev", "distinct")]
    ends = [data["minimum"], data["maximum"]]
    fits = (
        all(isinstance(each, int | float) for each in numbers)
        and all(isinstance(each, int) for each in counts)
        and all(isinstance(each, str) for each in texts)
        and all(isinstance(each, int | float | None) for each in optional)
        and all(isinstance(each, int | float | str | None) for each in ends)
    )
    if not fits:
        raise ValueError("a statistic has another type")
