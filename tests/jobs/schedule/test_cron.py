"""Which cron texts are valid, and when they tick; compared with rules written here by hand."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.manifest import Manifest
from featurestore.jobs.schedule.cron import (
    cron_problem,
    five_fields,
    last_tick,
    next_tick,
    schedule_issues,
    values,
)
from tests.effort import examples
from tests.jobs.world import SPENDING, other

MINUTE = timedelta(minutes=1)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    "text",
    [
        *("* * * * *", "*/15 * * * *", "0 3 * * *", " 0  3 * * * ", "0 3 * * MON-FRI"),
        *("0 0 29 2 *", "0 3 * jan,jul *", "0,30 8-18/2 * * 1-5", "0 3 * * 7", "0 0 31 1,3 *"),
        *("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"),
        *("@Daily", "*/7 * * * *", "5 4 * * sun", "59 23 31 12 6", "0 3 1 * mon", "0 */24 * * *"),
    ],
)
def test_a_valid_text_has_no_problem(text: str) -> None:
    assert cron_problem(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "daily", "15m", "* * * *", "* * * * * *", "0 3 * * * *", "0 0 1 1 * 2026 2026"),
        *("60 * * * *", "0 24 * * *", "0 0 0 * *", "0 0 32 * *", "0 0 * 13 *", "0 0 * * 8"),
        *("*/70 * * * *", "0 */25 * * *", "@daly", "0 0 * 0 *"),
        *("*/0 * * * *", "5-1 * * * *", "0 22-2 * * *", "0 0 * * fri-mon", "a b c d e"),
        # What croniter or other programs know, and cron does not.
        *("@reboot", "H * * * *", "R * * * *", "r(1-5) * * * *", "0 0 L * *", "0 0 ? * *"),
        *("0 0 * * 5#2", "0 0 * * L5", "0 0 1W * *", "0 0 1-5W * *", "@every 5m"),
        *("0 0 30 2 *", "0 0 31 2,4 *", "1,,2 * * * *", ",1 * * * *", "-1 * * * *", "1- * * * *"),
        *("0 3 jan * *", "mon * * * *", "1/5/2 * * * *", "\u0661 * * * *", "*5 * * * *"),
    ],
)
def test_another_text_has_a_problem_with_a_correction(text: str) -> None:
    problem = cron_problem(text)

    assert "." in problem
    assert "schedule='*/15 * * * *'" in problem


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("*/15 * * * *", NEW_YEAR, NEW_YEAR + 15 * MINUTE),
        ("*/15 * * * *", NEW_YEAR - timedelta(microseconds=1), NEW_YEAR),
        ("*/7 * * * *", NEW_YEAR + 57 * MINUTE, NEW_YEAR + 60 * MINUTE),  # it starts anew
        ("0 0 29 2 *", NEW_YEAR, datetime(2028, 2, 29, tzinfo=UTC)),
        ("0 3 * * 7", NEW_YEAR, datetime(2026, 1, 4, 3, tzinfo=UTC)),
        ("0 3 * * 0", NEW_YEAR, datetime(2026, 1, 4, 3, tzinfo=UTC)),
        # With both days, each of them alone suffices.
        ("0 3 10 * mon", NEW_YEAR, datetime(2026, 1, 5, 3, tzinfo=UTC)),
        ("0 3 3 * mon", NEW_YEAR, datetime(2026, 1, 3, 3, tzinfo=UTC)),
        ("@monthly", NEW_YEAR, datetime(2026, 2, 1, tzinfo=UTC)),
    ],
)
def test_ticks_are_those_of_cron(text: str, after: datetime, expected: datetime) -> None:
    assert next_tick(text, after) == expected
    assert next_tick(text, after).tzinfo == UTC


def test_ticks_are_in_utc_whatever_the_zone_of_the_moment() -> None:
    tokyo = timezone(timedelta(hours=9))

    at_noon = datetime(2026, 1, 1, 12, tzinfo=tokyo)  # 03:00 in UTC

    assert last_tick("0 3 * * *", at_noon) == datetime(2026, 1, 1, 3, tzinfo=UTC)
    assert next_tick("0 3 * * *", at_noon) == datetime(2026, 1, 2, 3, tzinfo=UTC)


FIELDS = st.sampled_from(["*", "*/15", "*/7", "0", "30", "5,35", "10-20", "10-40/10"])
HOURS = st.sampled_from(["*", "*/6", "3", "8-18", "0,12"])
DAYS = st.sampled_from(["*", "1", "15,31"])
WEEKDAYS = st.sampled_from(["*", "mon-fri", "0", "7", "6,0"])
TEXTS = st.tuples(FIELDS, HOURS, DAYS, st.just("*"), WEEKDAYS).map(" ".join)
MOMENTS = st.timedeltas(timedelta(days=-30), timedelta(days=90)).map(
    lambda since: NEW_YEAR + since
)


@given(TEXTS, MOMENTS)
@examples(100)
def test_the_ticks_around_a_moment_are_the_nearest_minutes_that_match(
    text: str, moment: datetime
) -> None:
    minute = moment.replace(second=0, microsecond=0)
    before = minute
    while not matches(text, before):
        before -= MINUTE
    after = minute + MINUTE
    while not matches(text, after):
        after += MINUTE

    assert last_tick(text, moment) == before
    assert next_tick(text, moment) == after


def matches(text: str, minute: datetime) -> bool:
    """Whether cron runs a text at a minute, by the rules of its manual."""
    minutes, hours, days, _, weekdays = text.split()
    at_time = minute.minute in numbers(minutes, 60) and minute.hour in numbers(hours, 24)
    by_day = minute.day in numbers(days, 32)
    by_weekday = minute.isoweekday() % 7 in {day % 7 for day in numbers(weekdays, 7)}
    either = days != "*" and weekdays != "*"
    return at_time and (by_day or by_weekday if either else by_day and by_weekday)


def numbers(field: str, end: int) -> set[int]:
    found: set[int] = set()
    for item in field.replace("mon-fri", "1-5").split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        whole = range(end) if span == "*" else range(int(first), int(last or first) + 1)
        found |= set(whole[:: int(step or 1)])
    return found


def test_the_values_of_a_text_are_numbers() -> None:
    assert values("*/20 3 * jan,feb mon-wed") == [[0, 20, 40], [3], [], [1, 2], [1, 2, 3]]
    assert values("0 0 * * 7") == [[0], [0], [], [], [0]]
    assert values(five_fields("@monthly")) == [[0], [0], [1], [], []]


def test_a_schedule_that_is_no_cron_text_is_an_issue_of_its_view() -> None:
    valid = other(SPENDING, name="valid", schedule="@daily")
    wrong = other(SPENDING, name="wrong", schedule="every day")

    [issue] = schedule_issues(Manifest.of([valid, wrong, SPENDING]))

    assert issue.origin == wrong.origin
    assert "view 'wrong'" in issue.message
    assert "'every day'" in issue.message
