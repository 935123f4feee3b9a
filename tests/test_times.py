"""A moment that is written says its zone; a date says midnight in UTC; nothing else is guessed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.errors import RequestError
from featurestore.times import parse_moment

MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(st.dates())
def test_a_date_is_its_midnight_in_utc(day: date) -> None:
    assert parse_moment(day.isoformat()) == datetime(day.year, day.month, day.day, tzinfo=UTC)


@given(MOMENTS)
def test_a_time_with_its_zone_is_what_it_says(moment: datetime) -> None:
    assert parse_moment(moment) == parse_moment(moment.isoformat()) == moment


def test_an_offset_counts() -> None:
    offset = parse_moment("2026-01-01T00:00+01:00") - parse_moment("2026-01-01")

    assert offset == timedelta(hours=-1)


@pytest.mark.parametrize("text", ["2026-01-01T00:00", "2026W01T01", "20260101T00"])
def test_a_time_of_day_without_its_zone_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(RequestError, match=rf"no time zone\. Write its offset, in UTC '{text}Z'"):
        parse_moment(text)


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(RequestError, match=r"no time zone\. Give an aware datetime"):
        parse_moment(datetime(2026, 1, 1))  # noqa: DTZ001 - the case


@pytest.mark.parametrize("wrong", ["tomorrow", "", "2026-13-01", 7, None])
def test_what_is_no_moment_is_refused(wrong: object) -> None:
    with pytest.raises(RequestError, match=r"not an ISO 8601 time\. Write for example"):
        parse_moment(wrong)
