"""Cron texts: what is valid, and when they tick. All ticks are in UTC."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import TableError, nearest

if TYPE_CHECKING:
    from croniter import croniter

_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
# croniter knows more, such as H, R and L. Other schedulers do not, and R means another time in
# each process.
_ITEM = re.compile(r"\*(/\d+)?|[0-9a-z]+(-[0-9a-z]+(/\d+)?)?", re.ASCII | re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MINUTE = timedelta(minutes=1)


class _Field(NamedTuple):
    """One of the five fields: its name, the range of its numbers, and the names of some."""

    name: str
    first: int
    last: int
    words: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, ("", *_MONTHS)),
    _Field("day of the week", 0, 7, _DAYS),
)
_START = datetime(2000, 1, 1, tzinfo=UTC)
_FIX = (
    "Write five fields: minute, hour, day of the month, month, day of the week, in UTC; e.g. "
    "schedule='*/15 * * * *' for every 15 minutes, or '0 3 * * *' for each day at 03:00."
)


def five_fields(text: str) -> str:
    """Return a cron text as its five fields; an alias such as ``@daily`` is replaced.

    Example:
        >>> five_fields("@daily"), five_fields(" 0  3 * * * ")
        ('0 0 * * *', '0 3 * * *')
    """
    return _ALIASES.get(text.strip().lower(), " ".join(text.split()))


def cron_problem(text: str) -> str:
    """Return what is wrong with a cron text and what to write, or ``""`` for a valid one.

    Example:
        >>> cron_problem("*/15 * * * *")
        ''
        >>> cron_problem("0 0 30 2 *").partition(".")[0]
        'a time that never comes'
    """
    fields = five_fields(text).split()
    if text.strip().startswith("@") and len(fields) == 1:
        return f"no cron text: {nearest(text.strip().lower(), _ALIASES)} {_FIX}"
    if len(fields) != len(_FIELDS):
        count = f"{len(fields)} field{'' if len(fields) == 1 else 's'}, not {len(_FIELDS)}"
        return f"no cron text: it has {count}. {_FIX}"
    for field, text_of in zip(_FIELDS, fields, strict=True):
        for item in text_of.split(","):
            if wrong := _item_problem(field, item):
                return f"no cron text: its {field.name} {item!r} {wrong}. {_FIX}"
    from croniter import CroniterBadDateError, CroniterError  # noqa: PLC0415 - see `_ticks`

    try:
        next_tick(text, _START)
    except CroniterBadDateError:
        return f"a time that never comes. {_FIX}"
    except CroniterError as error:
        return f"no cron text: {str(error).rstrip('.')}. {_FIX}"
    return ""


def schedule_issues(manifest: Manifest) -> Iterator[Issue]:
    """Yield schedules that are no cron texts.

    Example:
        >>> list(schedule_issues(Manifest()))
        []
    """
    for view in manifest.views:
        if view.schedule is not None and (wrong := cron_problem(view.schedule)):
            yield Issue(view.origin, f"{label(view)}: schedule {view.schedule!r} is {wrong}")


def require_schedules(views: Iterable[FeatureView]) -> None:
    """Check the schedules of applied views: `apply` has checked them, but the registry may change.

    Raises:
        TableError: A schedule is no cron text.

    Example:
        >>> require_schedules(())
    """
    for view in views:
        if view.schedule is not None and (wrong := cron_problem(view.schedule)):
            raise TableError(
                f"read the schedule of the applied view {view.name!r}",
                f"{view.schedule!r} is {wrong.rstrip('.')}",
                "The registry's table was damaged or changed. Run `featurestore plan` and "
                "`featurestore apply`.",
            )


def next_tick(text: str, after: datetime) -> datetime:
    """Return the first tick later than a moment.

    Example:
        >>> next_tick("0 3 * * *", datetime(2026, 1, 31, 3, tzinfo=UTC)).isoformat()
        '2026-02-01T03:00:00+00:00'
    """
    tick: datetime = _ticks(text, _whole_minute(after)).get_next(datetime)
    return tick


def last_tick(text: str, at: datetime) -> datetime:
    """Return the last tick at a moment or earlier.

    Example:
        >>> last_tick("0 3 * * *", datetime(2026, 1, 31, 3, tzinfo=UTC)).isoformat()
        '2026-01-31T03:00:00+00:00'
    """
    tick: datetime = _ticks(text, _whole_minute(at) + _MINUTE).get_prev(datetime)
    return tick


def values(text: str) -> list[list[int]]:
    """Return the values of each field of a valid cron text; an empty list for ``*``.

    Days of the week are 0 for Sunday to 6 for Saturday.

    Example:
        >>> values("*/20 3 * * mon-wed")
        [[0, 20, 40], [3], [], [], [1, 2, 3]]
    """
    expanded = _ticks(text, _START).expanded
    return [[] if field == ["*"] else sorted(field) for field in expanded]


def _item_problem(field: _Field, item: str) -> str:
    """Return why not every cron knows an item of a field, or ``""`` for ``*/15`` or ``1-5``."""
    if not _ITEM.fullmatch(item):
        return "is not understood"
    numbers, _, step = item.partition("/")
    bounds = [] if numbers == "*" else [_number(field, each) for each in numbers.split("-")]
    if None in bounds:
        return "is not understood"
    if not all(field.first <= bound <= field.last for bound in bounds if bound is not None):
        return f"is not from {field.first} to {field.last}"
    # croniter lets a range pass its end, such as 22-2. cron refuses it.
    if bounds != sorted(bounds):  # type: ignore[type-var]  # no None, see above
        return "ends before it begins"
    # croniter takes a step that is never reached for one of the whole field.
    longest = field.last - field.first + 1
    if step and not 1 <= int(step) <= longest:
        return f"has a step that is not from 1 to {longest}"
    return ""


def _number(field: _Field, bound: str) -> int | None:
    if bound.isdigit():
        return int(bound)
    return field.words.index(bound.lower()) if bound.lower() in field.words else None


def _ticks(text: str, start: datetime) -> "croniter":
    # Loaded only where a view has a schedule: it takes 40 ms.
    from croniter import croniter  # noqa: PLC0415 - see above

    return croniter(five_fields(text), start.astimezone(UTC))


def _whole_minute(moment: datetime) -> datetime:
    """Return a moment without its seconds: ticks are at whole minutes."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def interval_from(text: str, tick: datetime) -> timedelta:
    """Return the time from a tick to the next one. A view is late after one without a run.

    Args:
        text: The cron text.
        tick: The tick.

    Example:
        >>> from datetime import UTC
        >>> interval_from("0 */6 * * *", datetime(2026, 1, 31, 6, tzinfo=UTC)).total_seconds()
        21600.0
    """
    return next_tick(text, tick) - tick
