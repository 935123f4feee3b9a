"""A range of event time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from featurestore.errors import RequestError

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Interval:
    """A range of event time: from ``start``, before ``end``.

    Args:
        start: The first moment.
        end: The moment after the last one.

    Example:
        >>> print(Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)))
        [2026-01-01T00:00:00+00:00, 2026-01-02T00:00:00+00:00)
    """

    start: datetime
    end: datetime

    def __str__(self) -> str:
        """Return both ends in UTC."""
        start, end = (each.astimezone(UTC).isoformat() for each in (self.start, self.end))
        return f"[{start}, {end})"


def whole_days(first: datetime, last: datetime) -> Interval:
    """Return the days, in UTC, from the day of one moment until after the day of another.

    Args:
        first: A moment.
        last: A later one, or the same.

    Example:
        >>> noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
        >>> print(whole_days(noon, noon))
        [2026-01-31T00:00:00+00:00, 2026-02-01T00:00:00+00:00)
    """
    start, end = (
        datetime.combine(each.astimezone(UTC).date(), time(), UTC) for each in (first, last)
    )
    is_last = end.date() == date.max  # no moment comes after this day
    return Interval(start, datetime.max.replace(tzinfo=UTC) if is_last else end + _DAY)


def repair_command(view: str, interval: Interval) -> str:
    """Return the command that computes a range of a view again.

    Example:
        >>> noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
        >>> repair_command("spending", whole_days(noon, noon))
        '`featurestore materialize spending --start 2026-01-31 --end 2026-02-01`'
    """
    start, end = (_short(each) for each in (interval.start, interval.end))
    return f"`featurestore materialize {view} --start {start} --end {end}`"


def _short(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    is_midnight = utc.time() == time()
    return utc.date().isoformat() if is_midnight else utc.isoformat().replace("+00:00", "Z")


def checked_interval(call: str, start: datetime, end: datetime, now: datetime) -> Interval:
    """Return an interval that has a moment before the present one.

    Args:
        call: The call, for the error message.
        start: The first moment.
        end: The moment after the last one.
        now: The present moment.

    Raises:
        RequestError: The interval is empty, or lies in the future.
    """
    if start >= end:
        is_equal = "the range is empty: start and end are both" if start == end else ""
        found = f"{is_equal or 'start is after end:'} {start.isoformat()}"
        raise RequestError(
            call,
            found if is_equal else f"{found}, and end is {end.isoformat()}",
            "The range has events from start until before end. For one day: "
            "--start 2026-01-31 --end 2026-02-01.",
        )
    if start >= now:
        raise RequestError(
            call,
            f"the range begins in the future: start is {start.isoformat()}, and now is "
            f"{now.isoformat()}",
            "Choose a range of past events. New rows come with `featurestore materialize VIEW`.",
        )
    return Interval(start, end)
