"""Durations and moments as whole UTC microseconds: parsing, printing, and the clock."""

import difflib
import re
import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from featurestore.errors import RequestError

Clock = Callable[[], datetime]
"""Gives the present moment, aware; an argument wherever time matters, so that tests freeze it."""

MICROS = {
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
LIFETIME = "lifetime"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"(\d+)([smhdw])")
_LONGEST = 2**62
_MOST_DIGITS = 19


def system_clock() -> datetime:
    """Return the present moment in UTC.

    Example:
        >>> system_clock().tzinfo
        datetime.timezone.utc
    """
    return datetime.now(UTC)


def parse_duration(text: str) -> int:
    """Return a duration in microseconds.

    A day is always 86,400 seconds: durations lie on the UTC axis and know no calendar.

    Args:
        text: A whole number and one of ``s m h d w``; ``m`` is minutes.

    Raises:
        RequestError: ``text`` is no such duration.

    Example:
        >>> parse_duration("2h")
        7200000000
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise RequestError(
            f"duration {text!r}",
            "not a whole number followed by s, m (minutes), h, d or w",
            "Write for example '30s', '15m', '24h', '7d' or '4w'.",
        )
    # Python refuses to read numbers of thousands of digits.
    if len(match[1]) > _MOST_DIGITS or (micros := int(match[1]) * MICROS[match[2]]) >= _LONGEST:
        raise RequestError(
            f"duration {text!r}",
            "too long: more than 146,000 years",
            f"Give a shorter one, such as '3650d'; a window of all time is {LIFETIME!r}.",
        )
    return micros


def timezone_problem(name: str) -> str:
    """Return what is wrong with a time zone's name, or ``""``.

    Example:
        >>> timezone_problem("Europe/Paris"), timezone_problem("asia/calcuta")
        ('', "unknown timezone 'asia/calcuta'. Did you mean 'Asia/Calcutta'...")
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return f"unknown timezone {name!r}. {_nearest_zone(name)}"
    return ""


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
    """Return microseconds since 1970-01-01 UTC, exactly.

    Raises:
        RequestError: ``moment`` is naive.

    Example:
        >>> to_micros(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC))
        -1000000
    """
    if moment.tzinfo is None:
        raise RequestError(
            f"time {moment.isoformat()}",
            "it has no time zone",
            "Give an aware datetime, e.g. datetime(2026, 1, 1, tzinfo=timezone.utc).",
        )
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """Return the UTC moment that lies ``micros`` microseconds after 1970-01-01.

    Example:
        >>> from_micros(-1).isoformat()
        '1969-12-31T23:59:59.999999+00:00'
    """
    return _EPOCH + timedelta(microseconds=micros)


def parse_moment(text: str | datetime) -> datetime:
    """Return a moment from an aware datetime or ISO 8601 text; a bare date is its midnight in UTC.

    Raises:
        RequestError: It is neither, or a time of day without an offset.

    Example:
        >>> parse_moment("2026-01-01T00:00:00+01:00").astimezone(UTC).isoformat()
        '2025-12-31T23:00:00+00:00'
        >>> parse_moment("2026-01-01T09:30:00")
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: time '...': it has no time zone. Write its offset, ...
    """
    if isinstance(text, datetime):
        return from_micros(to_micros(text))
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise RequestError(
            f"time {text!r}", "not an ISO 8601 time", "Write for example '2026-01-31T09:30:00Z'."
        ) from None
    if moment.tzinfo is None and not _is_date(text):
        raise RequestError(
            f"time {text!r}", "it has no time zone", f"Write its offset, in UTC {text + 'Z'!r}."
        )
    return from_micros(to_micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _nearest_zone(name: str) -> str:
    """Return what a zone's name may mean: a zone, or its city written without its continent."""
    zones = {zone.casefold(): zone for zone in zoneinfo.available_timezones()}
    cities = {zone.rpartition("/")[2]: zones[zone] for zone in zones}
    wanted = name.casefold().replace(" ", "_")
    if wanted in zones:
        return f"Did you mean {zones[wanted]!r}?"
    near = difflib.get_close_matches(wanted, zones) or difflib.get_close_matches(wanted, cities)
    found = [zones.get(each) or cities[each] for each in near]
    if found:
        return f"Did you mean {' or '.join(map(repr, found))}?"
    return "Write for example 'UTC' or 'Europe/Paris'."
