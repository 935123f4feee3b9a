"""The ledger of profiles: statistics of views' columns, as JSON text, by view and run."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

from featurestore.store.delta.records import check_record
from featurestore.store.layout import Layout
from featurestore.store.ledger.append import append, delete, read, substitute, text_list
from featurestore.store.ledger.schemas import PROFILES

_KINDS = {"view": str, "run_id": str, "table_id": str, "kind": str, "at": datetime}
_HEAD = (*_KINDS, "sequence")


@dataclass(frozen=True)
class ProfileHead:
    """What a profile is of, without its statistics, which are much longer.

    Args:
        view: The view's name.
        run_id: The run after which it was made.
        table_id: The build of the view's table.
        kind: The rows that it describes: ``rows``, ``table`` or ``features``.
        at: The moment of the profile.
        sequence: The number of the record, from `Profiles.record`.
    """

    view: str
    _: KW_ONLY
    run_id: str
    table_id: str
    kind: str
    at: datetime
    sequence: int = 0


@dataclass(frozen=True)
class ProfileRecord(ProfileHead):
    """One profile of one view.

    Args:
        columns: The statistics of the columns, as JSON text.
    """

    _: KW_ONLY
    columns: str


_Any = TypeVar("_Any", bound=ProfileHead)


class Profiles:
    """The ledger of profiles.

    Example:
        >>> Profiles(Layout("no/such/root")).heads("activity")
        ()
    """

    def __init__(self, layout: Layout) -> None:
        self._uri = layout.profiles()

    def heads(self, view: str | None = None) -> tuple[ProfileHead, ...]:
        """Return which profiles there are of a view, or of all views, the oldest first.

        Raises:
            TableError: The ledger is damaged.
        """
        # PERF: the statistics of 1,000 runs of a view with 20 columns are 100 MB.
        rows = read(self._uri, _of_views(None if view is None else [view]), _HEAD)
        return self._parsed(ProfileHead, rows, _KINDS)

    def load(self, heads: Collection[ProfileHead]) -> tuple[ProfileRecord, ...]:
        """Return profiles with their statistics, the oldest first.

        Args:
            heads: The profiles, from `heads`.

        Raises:
            TableError: The ledger is damaged.
        """
        if not heads:
            return ()
        keys = {(each.view, each.kind, each.sequence) for each in heads}
        views = _of_views(sorted({each.view for each in heads}))
        rows = read(self._uri, f"{views} AND {_numbered({each.sequence for each in heads})}")
        found = self._parsed(ProfileRecord, rows, {**_KINDS, "columns": str})
        return tuple(each for each in found if (each.view, each.kind, each.sequence) in keys)

    def records(self, view: str | None = None) -> tuple[ProfileRecord, ...]:
        """Return all profiles of a view, or of all views, with statistics, the oldest first.

        Raises:
            TableError: The ledger is damaged.
        """
        rows = read(self._uri, _of_views(None if view is None else [view]))
        return self._parsed(ProfileRecord, rows, {**_KINDS, "columns": str})

    def clean(
        self, before: datetime, views: Collection[str] | None = None, *, dry_run: bool = False
    ) -> int:
        """Remove old profiles, and return their number.

        The first one of each view and kind stays, and the last one of each UTC day.

        Args:
            before: Profiles of this time or later stay.
            views: The views that there are: all old profiles of others are removed. By default,
                each view is one of them.
            dry_run: Whether to remove nothing.
        """
        old = [each for each in self.heads() if each.at < before]
        removed = _superfluous(old, views)
        if removed and not dry_run:
            delete(self._uri, _numbered(removed))
        return len(removed)

    def substitute(
        self, view: str, old: Collection[ProfileHead], new: Sequence[ProfileRecord]
    ) -> None:
        """Put profiles in the place of others of a view, in one commit.

        Args:
            view: The view of all of them. The caller holds its lock.
            old: The profiles that go; at least one.
            new: The profiles that come. Each has the number of one that goes.
        """
        condition = f"{_of_views([view])} AND {_numbered({each.sequence for each in old})}"
        substitute(self._uri, PROFILES, [asdict(each) for each in new], condition)

    def record(self, records: Iterable[ProfileRecord]) -> None:
        """Append profiles in one commit. The caller holds the lock of each record's view.

        Two processes may give the same number to profiles of two views: the locks are of views.
        Then `clean` may keep one of them longer.
        """
        append(self._uri, PROFILES, [asdict(each) for each in records], number="sequence")

    def _parsed(
        self, kind: type[_Any], rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, type]
    ) -> tuple[_Any, ...]:
        for row in rows:
            check_record(self._uri, row, kinds)
        own = kind.__dataclass_fields__  # a newer release may have added columns
        known = (
            {name: value for name, value in row.items() if name in own and value is not None}
            for row in rows
        )
        return tuple(sorted((kind(**each) for each in known), key=lambda each: each.sequence))


def _superfluous(old: Collection[ProfileHead], views: Collection[str] | None) -> Collection[int]:
    """Return the numbers of old profiles but the first of each view and kind, and each day's last.

    Args:
        old: The profiles, the oldest first.
        views: The views that there are; None for all. None of the others' profiles stays.
    """
    known = [each for each in old if views is None or each.view in views]
    first = {(each.view, each.kind): each.sequence for each in reversed(known)}
    last = {(each.view, each.kind, each.at.date()): each.sequence for each in known}
    return {each.sequence for each in old} - {*first.values(), *last.values()}


def _numbered(numbers: Collection[int]) -> str:
    return f"sequence IN ({', '.join(f'{number:d}' for number in sorted(numbers))})"


def _of_views(views: Iterable[str] | None) -> str | None:
    return None if views is None else f"view IN {text_list(views)}"
