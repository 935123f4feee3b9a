"""The check of event times: no interval is missing between the rows that runs stored."""

from collections.abc import Sequence
from datetime import timedelta

from featurestore.jobs.monitor.compared import ViewProfiles, column_of, time_text
from featurestore.jobs.monitor.observation import Observation, judged
from featurestore.monitoring.anomalies import LEAST_NUMBERS, usual
from featurestore.store.columns import EVENT_TIME
from featurestore.store.interval import Interval, repair_command, whole_days
from featurestore.times import from_micros

_Times = tuple[int, int]  # the first and the last event time, in UTC microseconds


def event_time_gap(own: ViewProfiles) -> Observation | None:
    """Return whether the longest interval without events is unusually long.

    The rows of each run are an interval from their first to their last event. Between intervals
    that do not overlap are gaps. The longest one is a breach if it is an anomaly beside the others
    (`monitoring.anomalies`). Gaps inside one run are not seen.

    Args:
        own: The profiles of a view.

    Returns:
        None for a snapshot view, whose event times are those of its runs.
    """
    name = own.view.name
    if own.view.snapshot:
        return None
    found = sorted(_gaps(_intervals(own)), key=lambda gap: gap[1] - gap[0])
    lengths = [end - start for start, end in found]
    expected = usual(lengths[:-1])
    if expected is None:
        other = max(0, len(found) - 1)
        text = (
            f"{LEAST_NUMBERS} or more other pauses between the events of runs are needed; "
            f"there were {other} so far"
        )
        return Observation(name, check="events", state="not compared", found=text)
    start, end = found[-1]
    return judged(
        name,
        "events",
        is_breach=lengths[-1] > expected.greatest,
        found=(
            f"no event is between {_time(start)} and {_time(end)}; usual are up to "
            f"{timedelta(microseconds=round(expected.greatest))}"
        ),
        fix=(
            "See whether the source lacks rows of that time. Once it has them, run "
            f"{repair_command(name, _days(start, end))}."
        ),
        value=lengths[-1] / 1e6,
        threshold=expected.greatest / 1e6,
    )


def _intervals(own: ViewProfiles) -> list[_Times]:
    """Return the event times of the runs of the newest build, in the order of their starts."""
    rows = [profile for profile in own.profiles if profile.kind == "rows"]
    newest = rows[-1].build_id if rows else ""
    columns = (column_of(each, EVENT_TIME) for each in rows if each.build_id == newest)
    return sorted(
        (int(each.minimum), int(each.maximum))
        for each in columns
        if each is not None
        if isinstance(each.minimum, int | float) and isinstance(each.maximum, int | float)
    )


def _gaps(intervals: Sequence[_Times]) -> list[_Times]:
    gaps = []
    end = intervals[0][1] if intervals else 0
    for first, last in intervals:
        if first > end:
            gaps.append((end, first))
        end = max(end, last)
    return gaps


def _days(start: int, end: int) -> Interval:
    return whole_days(from_micros(start), from_micros(end))


def _time(micros: int) -> str:
    return time_text(from_micros(micros))
