"""Profiles as records of the ledger, and back."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field
from typing import Any, cast

from featurestore.errors import FeatureStoreError
from featurestore.monitoring.profile import ColumnProfile, Histogram, Profile, ProfileKind
from featurestore.store.layout import Layout
from featurestore.store.ledger.profiles import ProfileHead, ProfileRecord, Profiles

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredProfiles:
    """The profiles of the ledger, by view.

    Args:
        whole: Those that can be read, the oldest first.
        damaged: Why the newest one of a kind cannot be read. An older damaged one is left out.
    """

    _: KW_ONLY
    whole: Mapping[str, Sequence[Profile]] = field(default_factory=dict)
    damaged: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, heads: Iterable[ProfileHead], records: Iterable[ProfileRecord]
    ) -> "StoredProfiles":
        """Return the profiles of some records.

        Args:
            heads: All profiles of the views, the oldest first.
            records: Some of them, the oldest first.
        """
        newest = {(each.view, each.kind): each.sequence for each in heads}
        whole: dict[str, list[Profile]] = {}
        damaged: dict[str, list[str]] = {}
        for record in records:
            try:
                whole.setdefault(record.view, []).append(profile_of(record))
            except ValueError as error:
                if record.sequence == newest[record.view, record.kind]:
                    text = f"the profile of the run {record.run_id}: {error}"
                    damaged.setdefault(record.view, []).append(text)
        return cls(whole=whole, damaged=damaged)


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


def recent_profiles(layout: Layout, count: int) -> StoredProfiles:
    """Return the last stored profiles of each view, and which of the newest ones are damaged.

    Args:
        layout: The addresses of the tables.
        count: The most profiles of each view and kind.

    Raises:
        TableError: The ledger is damaged.

    Example:
        >>> recent_profiles(Layout("no/such/root"), 30).whole
        {}
    """
    ledger = Profiles(layout)
    heads = ledger.heads(None)
    return StoredProfiles.of(heads, ledger.load(last_of_each_kind(heads, count)))


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
    ledger = Profiles(layout)
    try:
        records = ledger.load(last_of_each_kind(ledger.heads(view), 1))
    except FeatureStoreError as error:
        _LOG.warning("no profile can be read: %s", error)
        return None
    return next((each for each in _valid(records) if each.kind == kind), None)


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
