"""Times from every form in which a source may write them, in a session of any time zone."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import DeltaSource, TimeUnit
from featurestore.engines.spark.errors.transport import received_error
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.source.timestamps import TimeColumn, is_outside, moment
from featurestore.engines.spine_times import bind_times
from featurestore.errors import SourceError, SpineError
from tests.engines.spark.compiled import compiling

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PLAIN = DeltaSource("paid", path="paid", timestamp_field="at")
PARIS = replace(PLAIN, timezone="Europe/Paris")
MORNING = datetime(2026, 7, 1, 7, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def session_abroad(spark: "SparkSession") -> "SparkSession":
    """A session of ours whose parent has California's time zone."""
    theirs = spark.newSession()
    theirs.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")
    return compiling(own_session(theirs))


def read(
    spark: "SparkSession", source: DeltaSource, dtype: T.DataType, *values: object
) -> list[datetime | None]:
    """Return the times in a column of these values."""
    schema = T.StructType([T.StructField("at", dtype)])
    rows = spark.createDataFrame([(value,) for value in values], schema)
    column = moment(TimeColumn("at", dtype, source)).alias("at")
    times = rows.select(column).toArrow()["at"].to_pylist()
    return [None if time is None else time.astimezone(UTC) for time in times]


def test_text_with_an_offset_is_read_as_its_moment(session_abroad: "SparkSession") -> None:
    times = read(
        session_abroad,
        PLAIN,
        T.StringType(),
        "2026-07-01T09:30:00+02:00",
        "2026-07-01 07:30Z",
        "2026-07-01 07:30:00.000001000 UTC",
        "2026-07-01T09:30:00+0200",
        "2026-7-1 9:30+02",
        "2026-07-01 07:30:00 GMT",
        "2026-07-01 03:30:00 -04:00",
        None,
    )

    assert times == [MORNING, MORNING, MORNING.replace(microsecond=1), *[MORNING] * 4, None]


def test_text_without_an_offset_is_read_in_the_sources_time_zone(
    session_abroad: "SparkSession",
) -> None:
    times = read(
        session_abroad,
        PARIS,
        T.StringType(),
        "2026-07-01 09:30:00",
        "2026-07-01T03:30:00-04:00",
        "2026-01-01",
    )

    assert times == [MORNING, MORNING, datetime(2025, 12, 31, 23, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (PLAIN, "2026-07-01 09:30:00"),
        (PLAIN, "2026-07-01"),
        (PLAIN, "yesterday"),
        (PLAIN, "2026-07-01 09:30:00.1234567Z"),
        (PARIS, "noon"),
        (PARIS, "2026-02-30"),
    ],
)
def test_text_that_is_no_time_stops_the_query_and_is_in_the_message(
    session_abroad: "SparkSession", source: DeltaSource, value: str
) -> None:
    with pytest.raises(PySparkException) as stopped:
        read(session_abroad, source, T.StringType(), value)

    error = received_error(stopped.value)
    assert isinstance(error, SourceError)
    assert f"'{value}'" in error.found
    assert "'at'" in error.call
    assert "'paid'" in error.call
    assert ("timezone=" in error.fix) == (source is PLAIN)


def test_spark_and_spines_read_the_same_texts_of_times(session_abroad: "SparkSession") -> None:
    dates = ["2026-07-01", "2026-7-1", " 0001-01-01 "]
    clocks = ["2026-07-01 9:30", "2026-7-1T09:30:00.5", "\t2026-12-31 23:59:59.999999000"]
    offsets = ["Z", " UTC", "GMT", "+01", " +0100", "-17:59", "+05:30", "  Z"]
    texts = [*dates, *clocks, *(clock + offset for clock in clocks for offset in offsets)]

    times = read(session_abroad, replace(PARIS, timezone="UTC"), T.StringType(), *texts)

    spines = [bind_times("", "at", pa.chunked_array([[text]]), "UTC")[0].as_py() for text in texts]
    assert times == spines


@pytest.mark.parametrize(
    "text",
    [
        *("31.12.2025", "12/31/2025", "20260131", "2026-13-01", "2026-01-31Z", "+2026-01-31"),
        *("2026-01-31 09", "2026-01-31 24:00", "2026-01-31 09:30+1", "2026-01-31 09:30+18:00"),
        *("2026-01-31 09:30:00.", "2026-01-31 09:30:00,5", "2026-01-31 09:30:60"),
        *("2026-01-31t09:30", "2026-01-31 09:30 CET", "2026-01-31 9:30 PM", ""),
        "\u00a02026-01-31",
    ],
)
def test_texts_that_are_no_times_are_refused_by_spark_and_spines(
    session_abroad: "SparkSession", text: str
) -> None:
    with pytest.raises(PySparkException):
        read(session_abroad, replace(PARIS, timezone="UTC"), T.StringType(), text)
    with pytest.raises(SpineError):
        bind_times("", "at", pa.chunked_array([[text]]), "UTC")


def test_times_without_zone_and_dates_need_a_time_zone(session_abroad: "SparkSession") -> None:
    clock = datetime(2026, 7, 1, 9, 30)  # noqa: DTZ001  # a naive time is what is tested
    assert read(session_abroad, PARIS, T.TimestampNTZType(), clock) == [MORNING]
    assert read(session_abroad, PARIS, T.DateType(), date(2026, 7, 1)) == [
        datetime(2026, 6, 30, 22, tzinfo=UTC)
    ]

    with pytest.raises(SourceError) as refused:
        read(session_abroad, PLAIN, T.TimestampNTZType(), clock)
    assert "timestamp_ntz" in refused.value.found
    assert "timezone='UTC'" in refused.value.fix


@pytest.mark.parametrize(("unit", "value"), [("s", -1), ("ms", -1000), ("us", -1_000_000)])
def test_integers_need_a_unit(session_abroad: "SparkSession", unit: str, value: int) -> None:
    before_1970 = datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)

    assert read(session_abroad, replace(PLAIN, unit=unit), T.LongType(), value) == [before_1970]  # type: ignore[arg-type]  # a TimeUnit


def test_integers_without_a_unit_and_floats_are_refused(session_abroad: "SparkSession") -> None:
    with pytest.raises(SourceError) as without_unit:
        read(session_abroad, PLAIN, T.IntegerType(), 5)
    with pytest.raises(SourceError) as inexact:
        read(session_abroad, PLAIN, T.DoubleType(), 5.0)

    assert "(int)" in without_unit.value.found
    assert "unit='s', 'ms' or 'us'" in without_unit.value.fix
    assert "double" in inexact.value.found
    assert "Cast" in inexact.value.fix


@pytest.mark.parametrize(
    ("zone", "clock", "found"),
    [
        ("Europe/Paris", "2026-10-25 02:30:00", "came twice"),
        ("Europe/Paris", "2026-10-25 02:00:00", "came twice"),
        ("Europe/Paris", "2026-03-29 02:30:00", "never came"),
        ("Australia/Lord_Howe", "2026-04-05 01:45:00", "came twice"),  # by half an hour
        ("America/Sao_Paulo", "2018-11-04 00:00:00", "never came"),
        ("Pacific/Apia", "2011-12-30 12:00:00", "never came"),  # a whole day
    ],
)
@pytest.mark.parametrize("dtype", [T.StringType(), T.TimestampNTZType()], ids=str)
def test_a_local_time_that_came_twice_or_never_stops_the_query(
    session_abroad: "SparkSession", zone: str, clock: str, found: str, dtype: T.DataType
) -> None:
    source = replace(PLAIN, timezone=zone)
    is_text = isinstance(dtype, T.StringType)
    value = clock if is_text else datetime.fromisoformat(clock)

    with pytest.raises(PySparkException) as stopped:
        read(session_abroad, source, dtype, value)

    error = received_error(stopped.value)
    assert isinstance(error, SourceError)
    assert clock in error.found
    assert found in error.found
    assert zone in error.found


def test_local_times_beside_a_change_of_clocks_are_read(session_abroad: "SparkSession") -> None:
    clocks = ["2026-10-25 01:59:59.999999", "2026-10-25 03:00:00", "2026-03-29 01:59:59"]
    clocks += ["2026-03-29 03:00:00", "2026-10-25T02:30:00+01:00"]

    times = read(session_abroad, PARIS, T.StringType(), *clocks)

    hours = [time.strftime("%d %H:%M:%S") for time in times if time]
    assert hours == ["24 23:59:59", "25 02:00:00", "29 00:59:59", "29 01:00:00", "25 01:30:00"]


@pytest.mark.parametrize(
    ("unit", "value"),
    [("s", 1_767_225_600_000), ("s", -(2**63)), ("ms", 2**63 - 1), ("us", 2**62)],
)
def test_times_outside_of_years_1_to_9999_are_marked(
    session_abroad: "SparkSession", unit: TimeUnit, value: int
) -> None:
    rows = session_abroad.createDataFrame([(value,), (0,), (None,)], "at bigint")
    column = moment(TimeColumn("at", T.LongType(), replace(PLAIN, unit=unit)))

    outside = rows.select(is_outside(column).alias("outside")).toArrow()["outside"].to_pylist()

    assert outside == [True, False, None]
