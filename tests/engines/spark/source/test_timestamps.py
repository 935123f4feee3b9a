"""Moments from every way a source may write them, in whatever zone a session stands."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import DeltaSource
from featurestore.engines.spark.errors.transport import reported
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.source.timestamps import TimeColumn, moment
from featurestore.errors import SourceError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PLAIN = DeltaSource("paid", path="paid", timestamp_field="at")
PARIS = replace(PLAIN, timezone="Europe/Paris")
MORNING = datetime(2026, 7, 1, 7, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def abroad(spark: "SparkSession") -> "SparkSession":
    """A session of ours beside one that stands in California."""
    theirs = spark.newSession()
    theirs.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")
    return own_session(theirs)


def read(
    spark: "SparkSession", source: DeltaSource, dtype: T.DataType, *values: object
) -> list[datetime | None]:
    """Return the moments that a column of these values holds."""
    schema = T.StructType([T.StructField("at", dtype)])
    rows = spark.createDataFrame([(value,) for value in values], schema)
    column = moment(TimeColumn("at", dtype, source)).alias("at")
    found = rows.select(column).toArrow()["at"].to_pylist()
    return [None if value is None else value.astimezone(UTC) for value in found]


def test_text_with_an_offset_is_a_moment(abroad: "SparkSession") -> None:
    found = read(
        abroad,
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

    assert found == [MORNING, MORNING, MORNING.replace(microsecond=1), *[MORNING] * 4, None]


def test_text_without_an_offset_is_on_the_clock_of_the_sources_zone(
    abroad: "SparkSession",
) -> None:
    found = read(
        abroad,
        PARIS,
        T.StringType(),
        "2026-07-01 09:30:00",
        "2026-07-01T03:30:00-04:00",
        "2026-01-01",
    )

    assert found == [MORNING, MORNING, datetime(2025, 12, 31, 23, tzinfo=UTC)]


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
def test_text_that_is_no_moment_stops_the_query_and_is_shown(
    abroad: "SparkSession", source: DeltaSource, value: str
) -> None:
    with pytest.raises(PySparkException) as stopped:
        read(abroad, source, T.StringType(), value)

    error = reported(stopped.value)
    assert isinstance(error, SourceError)
    assert f"the value '{value}' is" in error.found
    assert "column 'at' of source 'paid'" in error.call


def test_clock_times_and_days_need_a_zone(abroad: "SparkSession") -> None:
    clock = datetime(2026, 7, 1, 9, 30)  # noqa: DTZ001  # a naive time is what is tested
    assert read(abroad, PARIS, T.TimestampNTZType(), clock) == [MORNING]
    assert read(abroad, PARIS, T.DateType(), date(2026, 7, 1)) == [
        datetime(2026, 6, 30, 22, tzinfo=UTC)
    ]

    with pytest.raises(SourceError, match=r"naive.*timezone='UTC'"):
        read(abroad, PLAIN, T.TimestampNTZType(), clock)


@pytest.mark.parametrize(("unit", "value"), [("s", -1), ("ms", -1000), ("us", -1_000_000)])
def test_integers_need_a_unit(abroad: "SparkSession", unit: str, value: int) -> None:
    before_1970 = datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)

    assert read(abroad, replace(PLAIN, unit=unit), T.LongType(), value) == [before_1970]  # type: ignore[arg-type]  # a TimeUnit


def test_integers_without_a_unit_and_floats_are_refused(abroad: "SparkSession") -> None:
    with pytest.raises(SourceError, match=r"unknown unit.*unit='s', 'ms' or 'us'"):
        read(abroad, PLAIN, T.IntegerType(), 5)
    with pytest.raises(SourceError, match="double carries no exact moment"):
        read(abroad, PLAIN, T.DoubleType(), 5.0)
