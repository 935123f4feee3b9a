"""Durations and moments in whole UTC microseconds: how they are parsed and printed; the clock."""

import difflib
import re
import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from datetime import timezone as timezone_of_offset

from featurestore.errors import RequestError

Clock = Callable[[], datetime]
"""Returns the present moment as an aware datetime. It is an argument, so that tests can fix it."""

MICROS = {
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
LIFETIME = "lifetime"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MICROS = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
LAST_MICROS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
"""The first and the last moment that Python knows, in the years 1 and 9999."""

_DURATION = re.compile(r"([0-9]+)([smhdw])")
_FINER = re.compile(r"[.,]\d{6}0*[1-9]")
_WORDY_DURATION = re.compile(r"(\d{0,6})\s*(?=sec|min|hour|day|week)([smhdw])[a-z]*", re.ASCII)
_MOST_DAYS = 36_500
_EXAMPLE = "30d"
_LONGEST = 2**62
_MOST_DIGITS = 19


def system_clock() -> datetime:
    """Return the present moment in UTC.

    Example:
        >>> system_clock().tzinfo
        datetime.timezone.utc
    """
    return datetime.now(UTC)


def duration_text(value: object) -> object:
    """Return the text of a `timedelta` of whole seconds; any other value as it is.

    It is never in weeks: it becomes part of a feature's name, and a timedelta counts in days.

    Example:
        >>> duration_text(timedelta(days=7)), duration_text(timedelta(hours=36)), duration_text(5)
        ('7d', '36h', 5)
    """
    if not isinstance(value, timedelta) or value < timedelta() or value % timedelta(seconds=1):
        return value
    micros = value // timedelta(microseconds=1)
    unit = next(unit for unit in "dhms" if micros % MICROS[unit] == 0 and (micros or unit == "s"))
    return f"{micros // MICROS[unit]}{unit}"


def parse_duration(text: str | timedelta) -> int:
    """Return a duration in microseconds.

    A day is always 86,400 seconds, as in UTC: durations do not follow a calendar.

    Args:
        text: A whole number and one of ``s m h d w``; ``m`` is minutes. Or a `timedelta`.

    Raises:
        RequestError: ``text`` has another form, or the duration is too long.

    Example:
        >>> parse_duration("2h")
        7200000000
    """
    written = duration_text(text)
    match = _DURATION.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise RequestError(
            f"duration {text!r}",
            "not a whole number followed by s, m (minutes), h, d or w",
            "Write for example '30s', '15m', '24h', '7d' or '4w', or pass a timedelta of whole "
            "seconds.",
        )
    # Python refuses to read numbers of thousands of digits.
    if len(match[1]) > _MOST_DIGITS or (micros := int(match[1]) * MICROS[match[2]]) >= _LONGEST:
        raise RequestError(
            f"duration {text!r}",
            "too long: more than 146,000 years",
            f"Write a shorter one, such as '3650d'; a window of all time is {LIFETIME!r}.",
        )
    return micros


def parse_duration_argument(
    call: str, name: str, value: str | timedelta, *, example: str = _EXAMPLE
) -> int:
    """Return a call's duration in microseconds, as `parse_duration` does.

    Args:
        call: The call, for the error message.
        name: The argument's name, for the error message.
        value: The argument.
        example: A usual value, for the message.

    Raises:
        RequestError: The argument is no duration. The message shows a right value.

    Example:
        >>> parse_duration_argument("split_by_time()", "gap", "7 days")
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: split_by_time(): gap is '7 days': ... gap='7d'...
    """
    try:
        return parse_duration(value)
    except RequestError as error:
        fix = f"Write e.g. {name}={duration_example(value, example)!r}."
        raise RequestError(call, f"{name} is {value!r}: {error.found}", fix) from None


def duration_example(value: object, usual: str = _EXAMPLE) -> str:
    """Return the duration that a wrong value probably means, or a usual one.

    Example:
        >>> duration_example(timedelta(hours=36)), duration_example("7 days"), duration_example(5)
        ('36h', '7d', '5d')
    """
    if isinstance(value, timedelta) and value > timedelta() and not value % timedelta(seconds=1):
        return format_duration(value // timedelta(microseconds=1))
    if isinstance(value, str) and (match := _WORDY_DURATION.fullmatch(value.strip().lower())):
        return f"{int(match[1] or 1)}{match[2]}"
    if isinstance(value, int) and 0 < value < _MOST_DAYS:
        return f"{int(value)}d"
    return usual


def timezone_problem(name: str) -> str:
    """Return what is wrong with a time zone's name, or ``""`` for a valid name.

    Example:
        >>> timezone_problem("Europe/Paris"), timezone_problem("asia/calcuta")
        ('', "unknown timezone 'asia/calcuta'. Did you mean 'Asia/Calcutta'...")
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return f"unknown timezone {name!r}. {_nearest_zone(name)}"
    return ""


def zone_name(call: str, timezone: str | tzinfo) -> str:
    """Return the name of a time zone.

    Args:
        call: The call, for the error message.
        timezone: A name, or a zone of Python's standard library or of pytz.

    Raises:
        RequestError: The zone has no name.

    Example:
        >>> zone_name("call()", zoneinfo.ZoneInfo("Europe/Paris")), zone_name("call()", UTC)
        ('Europe/Paris', 'UTC')
    """
    name = getattr(timezone, "key", None) or getattr(timezone, "zone", None) or timezone
    if isinstance(name, timezone_of_offset):
        name = str(timezone_of_offset(name.utcoffset(None))).removeprefix("UTC") or "UTC"
    if not isinstance(name, str):
        raise RequestError(
            call, f"timezone is {timezone!r}", "Pass a name, such as timezone='Europe/Paris'."
        )
    return name


def fixed_offset(zone: str) -> int | None:
    """Return the microseconds of a zone that is written as an offset; None for another zone.

    Example:
        >>> fixed_offset("-05:30"), fixed_offset("Z"), fixed_offset("Europe/Paris")
        (-19800000000, 0, None)
    """
    try:
        offset = datetime.strptime(zone, "%z").utcoffset()
    except ValueError:
        return None
    return None if offset is None else offset // timedelta(microseconds=1)


def format_duration(micros: int) -> str:
    """Return the shortest text of a duration that `parse_duration` reads back.

    Example:
        >>> format_duration(5_400_000_000)
        '90m'
    """
    for unit in ("w", "d", "h", "m"):
        if micros and micros % MICROS[unit] == 0:
            return f"{micros // MICROS[unit]}{unit}"
    return f"{micros / MICROS['s']:g}s"


def to_micros(moment: datetime) -> int:
    """Return a moment as whole microseconds since 1970-01-01 UTC.

    Raises:
        RequestError: ``moment`` has no time zone.

    Example:
        >>> to_micros(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC))
        -1000000
    """
    if moment.tzinfo is None:
        raise RequestError(
            f"time {moment.isoformat()}",
            "it has no time zone",
            "Use an aware datetime, e.g. datetime(2026, 1, 1, tzinfo=timezone.utc).",
        )
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """Return the UTC moment that lies ``micros`` microseconds after 1970-01-01.

    Example:
        >>> from_micros(-1).isoformat()
        '1969-12-31T23:59:59.999999+00:00'
    """
    return _EPOCH + timedelta(microseconds=micros)


def parse_moment(text: str | date) -> datetime:
    """Return a moment in UTC from an aware datetime or an ISO 8601 text.

    A date without a time is midnight in UTC.

    Raises:
        RequestError: The text is not ISO 8601, the time has no time zone or is finer than a
            microsecond, or it lies outside the years 1 to 9999 in UTC.

    Example:
        >>> parse_moment("2026-01-01T00:00:00+01:00").astimezone(UTC).isoformat()
        '2025-12-31T23:00:00+00:00'
        >>> parse_moment("2026-01-01T09:30:00")
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: time '...': it has no time zone. Write its offset; ...
    """
    moment = text if isinstance(text, datetime) else _from_text(text)
    if getattr(moment, "nanosecond", 0) or (isinstance(text, str) and _FINER.search(text)):
        raise RequestError(
            f"time {str(text)!r}", "it is finer than a microsecond", "Round it to microseconds."
        )
    try:
        return from_micros(to_micros(moment))
    except OverflowError:
        raise RequestError(
            f"time {str(text)!r}", "in UTC it is outside the years 1 to 9999", "Use another time."
        ) from None


def _from_text(text: str | date) -> datetime:
    """Return the moment of an ISO 8601 text or of a date. A date is its midnight in UTC."""
    try:
        moment = datetime.fromisoformat(text.isoformat() if isinstance(text, date) else text)
    except (ValueError, TypeError):
        raise RequestError(
            f"time {text!r}", "not an ISO 8601 time", "Write for example '2026-01-31T09:30:00Z'."
        ) from None
    if moment.tzinfo is not None:
        return moment
    if isinstance(text, date) or _is_date(text):
        return moment.replace(tzinfo=UTC)
    raise RequestError(
        f"time {text!r}", "it has no time zone", f"Write its offset; for UTC {text + 'Z'!r}."
    )


def parse_moment_argument(call: str, name: str, value: str | datetime) -> datetime:
    """Return a call's moment in UTC, as `parse_moment` does.

    Args:
        call: The call, for the error message.
        name: The argument's name, for the error message.
        value: The argument.

    Raises:
        RequestError: The argument is no moment, or has no time zone.

    Example:
        >>> parse_moment_argument("time_grid()", "start", "2026-10-10 12:00")
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: time_grid(): start is '2026-10-10 12:00': it has no ...
    """
    try:
        return parse_moment(value)
    except RequestError as error:
        problem = f"{name} is {str(value)!r}: {error.found}"
        raise RequestError(call, problem, error.fix) from None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _nearest_zone(name: str) -> str:
    """Return a sentence that offers the zones nearest to a name, or to a city without its area."""
    zones = {zone.casefold(): zone for zone in zoneinfo.available_timezones()}
    cities = {zone.rpartition("/")[2]: zones[zone] for zone in zones}
    text = name.casefold().replace(" ", "_")
    if text in zones:
        return f"Did you mean {zones[text]!r}?"
    near = difflib.get_close_matches(text, zones) or difflib.get_close_matches(text, cities)
    matches = [zones.get(each) or cities[each] for each in near]
    if matches:
        return f"Did you mean {' or '.join(map(repr, matches))}?"
    return "Write for example 'UTC' or 'Europe/Paris'."
