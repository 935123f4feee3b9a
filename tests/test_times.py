"""A moment has a time zone in its text; a date is midnight in UTC; nothing is guessed."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.errors import RequestError
from featurestore.times import (
    duration_example,
    duration_text,
    parse_duration,
    parse_duration_argument,
    parse_moment,
    parse_moment_argument,
)

MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(st.dates())
def test_a_date_is_its_midnight_in_utc(day: date) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)

    assert parse_moment(day.isoformat()) == parse_moment(day) == midnight


@given(MOMENTS)
def test_a_time_with_its_zone_is_that_moment(moment: datetime) -> None:
    assert parse_moment(moment) == parse_moment(moment.isoformat()) == moment


def test_an_offset_counts() -> None:
    offset = parse_moment("2026-01-01T00:00+01:00") - parse_moment("2026-01-01")

    assert offset == timedelta(hours=-1)


@pytest.mark.parametrize("text", ["2026-01-01T00:00", "2026W01T01", "20260101T00"])
def test_a_time_of_day_without_its_zone_is_refused(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_moment(text)

    assert caught.value.call == f"time {text!r}"
    assert f"'{text}Z'" in caught.value.fix


def test_a_datetime_without_its_zone_is_refused() -> None:
    with pytest.raises(RequestError) as caught:
        parse_moment(datetime(2026, 1, 1))  # noqa: DTZ001 - the case

    assert caught.value.call == "time 2026-01-01T00:00:00"
    assert "tzinfo=timezone.utc" in caught.value.fix


@pytest.mark.parametrize(
    "fine",
    [
        "2026-01-01T00:00:00.0000001Z",
        "2026-01-01T00:00:00,1234567Z",
        pd.Timestamp("2026-01-01T00:00:00.000000001Z"),
    ],
)
def test_a_moment_that_is_finer_than_a_microsecond_is_refused(fine: str | datetime) -> None:
    with pytest.raises(RequestError) as caught:
        parse_moment(fine)

    assert "microsecond" in caught.value.found
    assert parse_moment("2026-01-01T00:00:00.000001000Z").microsecond == 1


@pytest.mark.parametrize("far", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_a_moment_outside_of_pythons_years_is_refused(far: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_moment(far)

    assert far in caught.value.call


@pytest.mark.parametrize("wrong", ["tomorrow", "", "2026-13-01", 7, None])
def test_a_value_that_is_not_a_moment_is_refused(wrong: object) -> None:
    with pytest.raises(RequestError) as caught:
        parse_moment(wrong)

    assert (caught.value.call, "ISO 8601" in caught.value.found) == (f"time {wrong!r}", True)
    parse_moment(caught.value.fix.split("'")[1])


def test_a_timedelta_of_whole_seconds_is_a_duration() -> None:
    for value, text in (
        (timedelta(7), "7d"),
        (timedelta(hours=36), "36h"),
        (timedelta(seconds=90), "90s"),
        (timedelta(0), "0s"),
    ):
        assert duration_text(value) == text
        assert parse_duration(value) == parse_duration(text)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("7 days", "7d"),
        ("day", "1d"),
        ("2 Hours", "2h"),
        ("90min", "90m"),
        ("1 week", "1w"),
        ("5 months", "30d"),  # an m is a minute
        ("7x", "30d"),
        ("", "30d"),
        (timedelta(days=-1), "30d"),
        (timedelta(microseconds=1), "30d"),
        (30, "30d"),
        (-1, "30d"),
        (None, "30d"),
    ],
)
def test_a_wrong_duration_is_answered_with_the_right_one(wrong: object, right: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_duration_argument("the call", "gap", wrong)  # type: ignore[arg-type]  # the case

    assert duration_example(wrong) == right
    assert parse_duration(right) > 0
    assert (caught.value.call, f"gap is {wrong!r}" in caught.value.found) == ("the call", True)
    assert f"gap={right!r}" in caught.value.fix


@pytest.mark.parametrize("wrong", ["2026-01-01 12:00", "tomorrow", datetime(2026, 1, 1)])  # noqa: DTZ001 - the case
def test_a_wrong_moment_is_named_with_its_argument(wrong: str | datetime) -> None:
    with pytest.raises(RequestError) as caught:
        parse_moment_argument("the call", "start", wrong)

    assert caught.value.call == "the call"
    assert f"start is '{wrong}'" in caught.value.found
