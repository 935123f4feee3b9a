"""Times of a spine become UTC microseconds exactly, whatever their type, or are refused."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines.spine_times import bind_times
from featurestore.errors import RequestError, SpineError
from featurestore.times import to_micros

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def bound(values: Any, zone: Any = None) -> list[datetime | None]:
    """Return a column's times, bound."""
    column = pa.chunked_array([values])
    times = bind_times("call()", "at", column, zone)
    assert times.type == pa.timestamp("us", tz="UTC")
    return times.to_pylist()


def refusal_of(values: Any, zone: Any = None) -> SpineError:
    """Return the error that binding a column raises."""
    with pytest.raises(SpineError) as refused:
        bound(values, zone)
    assert refused.value.call == "call()"
    assert "'at'" in refused.value.found
    return refused.value


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01 13:00:00+01",
        "2026-03-01T07:00:00-0500",
        "2026-03-01T12:00Z",
        " 2026-03-01T12:00:00.000000000Z ",
    ],
)
def test_the_offset_of_a_text_is_honoured_whatever_the_zone_of_the_call(text: str) -> None:
    assert bound([text]) == [NOON]
    assert bound([text], "America/New_York") == [NOON]


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_a_text_with_an_offset_is_the_moment_that_python_reads(local: datetime, offset: int):
    moment = local.replace(tzinfo=timezone(timedelta(minutes=offset)))
    if not datetime.min.replace(tzinfo=UTC) <= moment <= datetime.max.replace(tzinfo=UTC):
        return

    [time] = bind_times("call()", "at", pa.chunked_array([[moment.isoformat()]]), None).cast(
        pa.int64()
    )

    assert time.as_py() == to_micros(moment)


@pytest.mark.parametrize(
    ("texts", "row"),
    [
        (["2026-03-01T12:00:00Z", None, "2026-03-01T12:00:00"], "row 2"),
        (["2026-03-01T12:00:00", "2026-03-01T12:00:00Z"], "row 0"),
        (["2026-03-01T12:00:00Z", "2026-03-01"], "row 1"),
        (["2026-03-01T12:00:00", "2026-03-01"], "row 1"),
        (["2026-03-01T12:00:00", "noon"], "row 1"),
    ],
)
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_texts_of_several_kinds_are_refused_with_the_row(texts: list, row: str, zone: Any):
    assert row in refusal_of(pa.array(texts), zone).found


def test_a_text_that_is_finer_than_a_microsecond_is_refused() -> None:
    assert "1 of 2" in refusal_of(["2026-03-01T12:00:00.0000001Z", "2026-03-01T12:00:00Z"]).found


@pytest.mark.parametrize(
    "values",
    [
        pa.array([9_404_918_380_800], pa.timestamp("s", tz="UTC")),
        pa.array([253_402_300_800_000], pa.timestamp("ms", tz="UTC")),
        pa.array([-(2**62)], pa.timestamp("us", tz="UTC")),
        pa.array([2**63 - 1], pa.timestamp("us")),
        pa.array(["0000-12-31T00:00:00Z"]),
    ],
    ids=["the year 300000", "the year 10000", "long before year 1", "naive", "a text of year 0"],
)
def test_a_time_outside_of_pythons_years_is_refused_with_its_row(values: pa.Array) -> None:
    ordinary = pa.array([0], pa.int64()).cast(pa.timestamp("s", tz="UTC")).cast(values.type)

    for zone in ("+01:00", "Europe/Paris"):
        assert "row 1" in refusal_of(pa.concat_arrays([ordinary, values]), zone).found


@pytest.mark.parametrize(
    "zone",
    [
        ZoneInfo("Europe/Paris"),
        "Europe/Paris",
        timezone(timedelta(hours=1)),
        timezone(timedelta(hours=1), "CET"),
        "+01:00",
    ],
)
def test_a_zone_may_be_a_name_or_a_zone_of_python(zone: Any) -> None:
    assert bound(["2026-03-01 13:00"], zone) == [NOON]


@pytest.mark.parametrize("zone", [5, "", "Mars", "\ud800", "a\x00b", "../UTC"])
def test_a_zone_that_does_not_exist_is_refused(zone: Any) -> None:
    with pytest.raises(RequestError) as refused:
        bound(["2026-03-01 13:00"], zone)

    assert (refused.value.call, repr(zone) in refused.value.found) == ("call()", True)


@pytest.mark.parametrize("local", ["2026-10-25 02:30", "2026-03-29 02:30"])
def test_a_local_time_that_came_twice_or_never_is_refused_with_its_row(local: str) -> None:
    refusal = refusal_of(["2026-03-01 13:00", local], "Europe/Paris")

    assert [fact for fact in ("row 1", local, "'Europe/Paris'") if fact not in refusal.found] == []


@pytest.mark.parametrize(
    "encode",
    [
        pa.Array.dictionary_encode,
        pc.run_end_encode,
        lambda texts: texts.cast(pa.string_view()),
        lambda texts: pa.DictionaryArray.from_arrays([0, None], texts.cast(pa.string_view())[:1]),
    ],
    ids=["dictionary", "run ends", "view", "dictionary of views"],
)
def test_encodings_of_texts_are_texts(encode: Any) -> None:
    assert bound(encode(pa.array(["2026-03-01T12:00:00Z", None]))) == [NOON, None]


def test_texts_that_are_all_null_have_no_zone_to_miss() -> None:
    assert bound(pa.array([None, None], pa.string())) == [None, None]


def test_an_unknown_zone_is_an_error_where_it_has_no_effect_too() -> None:
    texts = pa.chunked_array([["2026-03-01T13:00:00+01:00"]])

    with pytest.raises(RequestError, match="Mars"):
        bind_times("call()", "at", texts, "Mars")
    assert bind_times("call()", "at", texts, "Europe/Paris")[0].as_py().hour == 12
