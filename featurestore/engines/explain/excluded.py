"""Why stored rows do not answer though their events lie right: not known yet, taken back, null."""

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
class Withheld:
    """Rows that do not answer for one reason.

    Args:
        reason: ``not_yet_available``, ``retracted``, ``superseded``, ``tombstone`` or
            ``null_value``.
        count: How many; of an event's revisions that are retracted one.
        text: What happened to them, to be told after ``it`` or after their number.
        row: The one that is nearest to an answer.
    """

    reason: str
    count: int
    text: str
    row: Row


def withheld_rows(
    query: ViewQuery,
    moment: int,
    rows: Sequence[Row],
    candidates: Sequence[Row],
    needed: Sequence[str] = (),
) -> list[Withheld]:
    """Return why none of some rows answers at a moment, each reason once.

    Args:
        query: The use of the view.
        moment: The moment.
        rows: The stored rows of the key that have a time, all of them.
        candidates: Those whose events lie where an answer is looked for.
        needed: The columns without which a row does not answer.

    Example:
        >>> query = ViewQuery("v", keys=(), timestamp_field="t")
        >>> late = {"event_timestamp": 5, "available_timestamp": 2_000_000}
        >>> [found] = withheld_rows(query, 7, [late], [late])
        >>> found.reason, found.text
        ('not_yet_available', 'is known only from 1970-01-01 00:00:02Z on')
    """
    unseen = [row for row in candidates if visible_from(query, row) > moment]
    seen = [row for row in candidates if visible_from(query, row) <= moment]
    found = [_unknown(query, unseen)] if unseen else []
    if query.rows.unique_by:
        revised, seen = _revised(query, moment, rows, seen)
        found += revised
    gone = [row for row in seen if is_tombstone(query, row)]
    if gone:
        text = "is a tombstone" if len(gone) == 1 else "are tombstones"
        found.append(Withheld("tombstone", len(gone), text, _newest(gone)))
    found += _nulls([row for row in seen if not is_tombstone(query, row)], needed)
    return found


def told_of(found: Sequence[Withheld], one: str, many: str) -> str:
    """Return what happened to rows as a clause.

    Args:
        found: What happened.
        one: What to call a single row; ``{}`` in it is its time.
        many: What to call several; ``{}`` in it is how many.

    Example:
        >>> row = {"event_timestamp": 0}
        >>> told_of([Withheld("tombstone", 1, "is a tombstone", row)], "the row of {}", "{} rows")
        'the row of 1970-01-01 00:00:00Z is a tombstone'
    """
    total = sum(each.count for each in found)
    if total == 1:
        return f"{one.format(time_text(found[0].row[EVENT_TIME]))} {found[0].text}"
    if len(found) == 1:
        return f"{many.format(total)} {found[0].text}"
    parts = [f"{each.count} {each.text}" for each in found]
    return f"of {many.format(total)} {', '.join(parts[:-1])} and {parts[-1]}"


def time_text(micros: int) -> str:
    """Return a time as explanations tell it.

    Example:
        >>> time_text(1)
        '1970-01-01 00:00:00.000001Z'
    """
    return from_micros(micros).isoformat(" ").replace("+00:00", "Z")


def _unknown(query: ViewQuery, unseen: list[Row]) -> Withheld:
    soonest = min(unseen, key=lambda row: visible_from(query, row))
    since = time_text(visible_from(query, soonest))
    told = f"is known only from {since} on"
    if len(unseen) > 1:
        told = f"are known only later, the first from {since} on"
    return Withheld("not_yet_available", len(unseen), told, soonest)


def _revised(
    query: ViewQuery, moment: int, rows: Sequence[Row], seen: list[Row]
) -> tuple[list[Withheld], list[Row]]:
    """Return what was taken back or moved away, and the rows that are not."""
    known = [row for row in rows if visible_from(query, row) <= moment]
    newest: dict[tuple[object, ...], Row] = {}
    for row in sorted(known, key=revision_rank):
        newest[event_name(query, row)] = row
    left = {event_name(query, row): row for row in seen}
    retracted = {name: row for name, row in left.items() if is_tombstone(query, newest[name])}
    moved = {
        name: row
        for name, row in left.items()
        if name not in retracted and not any(newest[name] is each for each in seen)
    }
    found = []
    for reason, by, events in (
        ("retracted", "", retracted),
        ("superseded", " by a revision of another time", moved),
    ):
        if events:
            last = time_text(max(visible_from(query, newest[name]) for name in events))
            text = f"was {reason}{by} at {last}"
            if len(events) > 1:
                text = f"were {reason}{by}, the last at {last}"
            found.append(Withheld(reason, len(events), text, _newest(list(events.values()))))
    ends = [row for name, row in newest.items() if name in left and name not in retracted]
    return found, [row for row in ends if any(row is each for each in seen)]


def _nulls(rows: list[Row], needed: Sequence[str]) -> list[Withheld]:
    found = []
    for name in needed:
        nulls = [row for row in rows if row[name] is None]
        rows = [row for row in rows if row[name] is not None]
        if nulls:
            text = f"{'has' if len(nulls) == 1 else 'have'} null in {name!r}"
            found.append(Withheld("null_value", len(nulls), text, _newest(nulls)))
    return found


def _newest(rows: list[Row]) -> Row:
    return max(rows, key=itemgetter(EVENT_TIME))
