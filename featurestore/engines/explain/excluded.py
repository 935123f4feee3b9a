"""Why stored rows give no answer although their events are at the right time."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from featurestore.engines.reference.rows import (
    Row,
    event_name,
    is_tombstone,
    revision_rank,
    visible_from,
)
from featurestore.query.nodes import ViewQuery
from featurestore.store.columns import EVENT_TIME
from featurestore.times import from_micros


@dataclass(frozen=True)
class ExcludedRows:
    """Rows that give no answer, all for the same reason.

    Args:
        reason: ``not_yet_available``, ``retracted``, ``superseded``, ``tombstone`` or
            ``null_value``.
        count: The number of rows; the revisions of a retracted event count as one row.
        text: The reason as the rest of a sentence about these rows.
        row: The row that is closest to an answer.
    """

    reason: str
    count: int
    text: str
    row: Row


def excluded_rows(
    query: ViewQuery,
    moment: int,
    rows: Sequence[Row],
    candidates: Sequence[Row],
    needed: Sequence[str] = (),
) -> list[ExcludedRows]:
    """Return why candidate rows give no answer at a moment, each reason once.

    Args:
        query: The use of the view.
        moment: The moment, in UTC microseconds.
        rows: All stored rows of the key that have an event time.
        candidates: The rows among them whose event time is right.
        needed: The columns that must not be null.

    Example:
        >>> query = ViewQuery("v", keys=(), timestamp_field="t")
        >>> late = {"event_timestamp": 5, "available_timestamp": 2_000_000}
        >>> [excluded] = excluded_rows(query, 7, [late], [late])
        >>> excluded.reason, excluded.text
        ('not_yet_available', 'is visible only from 1970-01-01 00:00:02Z on')
    """
    invisible = [row for row in candidates if visible_from(query, row) > moment]
    visible = [row for row in candidates if visible_from(query, row) <= moment]
    excluded = [_not_yet_available(query, invisible)] if invisible else []
    if query.rows.unique_by:
        revised, visible = _split_off_revised(query, moment, rows, visible)
        excluded += revised
    tombstones = [row for row in visible if is_tombstone(query, row)]
    if tombstones:
        text = "is a tombstone" if len(tombstones) == 1 else "are tombstones"
        excluded.append(ExcludedRows("tombstone", len(tombstones), text, _newest(tombstones)))
    excluded += _with_nulls([row for row in visible if not is_tombstone(query, row)], needed)
    return excluded


def describe_excluded(excluded: Sequence[ExcludedRows], one: str, many: str) -> str:
    """Return why rows are excluded, one sentence for each reason.

    Args:
        excluded: The rows, by reason.
        one: The subject for a single row. ``{}`` stands for its event time.
        many: The subject for several rows. ``{}`` stands for their number.

    Example:
        >>> row = {"event_timestamp": 0}
        >>> tombstone = ExcludedRows("tombstone", 1, "is a tombstone", row)
        >>> describe_excluded([tombstone], "the row of {}", "the {} rows")
        'the row of 1970-01-01 00:00:00Z is a tombstone'
        >>> null = ExcludedRows("null_value", 2, "have null in 'x'", row)
        >>> describe_excluded([tombstone, null], "the row of {}", "the {} rows")
        "the 3 rows are excluded. 1 is a tombstone. 2 have null in 'x'"
    """
    total = sum(each.count for each in excluded)
    if total == 1:
        return f"{one.format(format_time(excluded[0].row[EVENT_TIME]))} {excluded[0].text}"
    if len(excluded) == 1:
        return f"{many.format(total)} {excluded[0].text}"
    reasons = [f"{each.count} {each.text}" for each in excluded]
    return ". ".join([f"{many.format(total)} are excluded", *reasons])


def format_time(micros: int) -> str:
    """Return a time as explanations show it.

    Args:
        micros: In UTC microseconds.

    Example:
        >>> format_time(1)
        '1970-01-01 00:00:00.000001Z'
    """
    return from_micros(micros).isoformat(" ").replace("+00:00", "Z")


def _not_yet_available(query: ViewQuery, rows: list[Row]) -> ExcludedRows:
    soonest = min(rows, key=lambda row: visible_from(query, row))
    since = format_time(visible_from(query, soonest))
    text = f"is visible only from {since} on"
    if len(rows) > 1:
        text = f"are visible only later, the first from {since} on"
    return ExcludedRows("not_yet_available", len(rows), text, soonest)


def _split_off_revised(
    query: ViewQuery, moment: int, rows: Sequence[Row], candidates: list[Row]
) -> tuple[list[ExcludedRows], list[Row]]:
    """Return the candidates that are retracted or superseded, and the other candidates.

    A candidate is superseded here if its event's newest revision has another event time, so that
    the revision is no candidate.
    """
    visible = [row for row in rows if visible_from(query, row) <= moment]
    newest: dict[tuple[object, ...], Row] = {}
    for row in sorted(visible, key=revision_rank):
        newest[event_name(query, row)] = row
    events = {event_name(query, row): row for row in candidates}
    retracted = {name: row for name, row in events.items() if is_tombstone(query, newest[name])}
    moved = {
        name: row
        for name, row in events.items()
        if name not in retracted and not any(newest[name] is each for each in candidates)
    }
    excluded = []
    for reason, how, gone in (
        ("retracted", "", retracted),
        ("superseded", " by a revision with another event time", moved),
    ):
        if gone:
            last = format_time(max(visible_from(query, newest[name]) for name in gone))
            text = f"was {reason}{how} at {last}"
            if len(gone) > 1:
                text = f"were {reason}{how}, the last at {last}"
            excluded.append(ExcludedRows(reason, len(gone), text, _newest(list(gone.values()))))
    ends = [row for name, row in newest.items() if name in events and name not in retracted]
    return excluded, [row for row in ends if any(row is each for each in candidates)]


def _with_nulls(rows: list[Row], needed: Sequence[str]) -> list[ExcludedRows]:
    excluded = []
    for name in needed:
        nulls = [row for row in rows if row[name] is None]
        rows = [row for row in rows if row[name] is not None]
        if nulls:
            text = f"{'has' if len(nulls) == 1 else 'have'} null in {name!r}"
            excluded.append(ExcludedRows("null_value", len(nulls), text, _newest(nulls)))
    return excluded


def _newest(rows: list[Row]) -> Row:
    return max(rows, key=itemgetter(EVENT_TIME))
