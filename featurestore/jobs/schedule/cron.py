"""Cron texts: what is valid, and when they tick. All ticks are in UTC."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import TableError

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
_FIELD = re.compile(r"\*(/\d+)?|[0-9a-z]+(-[0-9a-z]+(/\d+)?)?", re.ASCII | re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WORDS: tuple[tuple[str, ...], ...] = ((), (), (), _MONTHS, _DAYS)
_MINUTE = timedelta(minutes=1)
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
    if len(fields) != len(_WORDS):
        count = f"{len(fields)} field{'' if len(fields) == 1 else 's'}, not 5"
        return f"no cron text: it has {count}. {_FIX}"
    for field, words in zip(fields, _WORDS, strict=True):
        if not all(_is_plain(item, words) for item in field.split(",")):
            return f"no cron text: {field!r} is not understood. {_FIX}"
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


def _is_plain(item: str, words: Sequence[str]) -> bool:
    """Return whether every cron knows an item of a field: ``*/15``, ``mon`` or ``1-5``."""
    if not _FIELD.fullmatch(item):
        return False
    bounds = item.partition("/")[0].lower().split("-")
    if not all(bound == "*" or bound.isdigit() or bound in words for bound in bounds):
        return False
    # croniter lets a range pass its end, such as 22-2. cron refuses it.
    numbers = [words.index(bound) if bound in words else bound for bound in bounds]
    return len(bounds) == 1 or int(numbers[0]) <= int(numbers[1])


def _ticks(text: str, start: datetime) -> "croniter":
    # Loaded only where a view has a schedule: it takes 40 ms.
    from croniter import croniter  # noqa: PLC0415 - see above

    return croniter(five_fields(text), start.astimezone(UTC))


def _whole_minute(moment: datetime) -> datetime:
    """Return a moment without its seconds: ticks are at whole minutes."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
