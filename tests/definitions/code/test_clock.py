"""A function that reads the clock is found by what its names mean, however they are imported."""

import datetime as dt
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial, wraps
from time import time as seconds
from typing import Any

import pytest
from pandas import Timestamp as PandasTimestamp

from featurestore.definitions.code.clock import clock_read

Pandas = PandasTimestamp
read_clock = datetime.now


def of_today(rows: Any) -> Any:
    return rows, date.today()  # noqa: DTZ011 - found by the test


def of_now(rows: Any) -> Any:
    return rows, [datetime.now(UTC) for _ in range(2)]


def utcnow(rows: Any) -> Any:
    return rows, dt.datetime.utcnow()  # noqa: DTZ003 - found by the test


def of_time(rows: Any) -> Any:
    return rows, time.time()


def of_a_name(rows: Any) -> Any:
    return rows, seconds()


def of_pandas(rows: Any) -> Any:
    return rows, Pandas.now("UTC")


def imported_inside(rows: Any) -> Any:
    from datetime import date as day  # noqa: PLC0415 - found by the test

    return rows, day.today()  # noqa: DTZ011 - found by the test


def module_inside(rows: Any) -> Any:
    import datetime as times  # noqa: PLC0415 - found by the test

    return rows, times.date.today()  # noqa: DTZ011 - found by the test


def of_a_helper(rows: Any) -> Any:
    return partial(of_today, rows)


class Ages:
    def ages(self, rows: Any) -> Any:
        return of_now(rows)


def of_a_class(rows: Any) -> Any:
    return Ages().ages(rows)


def logged(function: Any) -> Any:
    @wraps(function)
    def wrapper(rows: Any) -> Any:
        return function(rows)

    return wrapper


@logged
def decorated(rows: Any) -> Any:
    return rows, date.today()  # noqa: DTZ011 - found by the test


@dataclass
class Row:
    today: str = ""
    now: str = ""


def of_columns(rows: Any, date: Any = None) -> Any:
    """Use columns whose names are today and now."""
    return rows.now, rows.today, Row().today, date.today, datetime(2026, 1, 1, tzinfo=UTC)


class Timestamp:
    """A class of the project."""

    @staticmethod
    def now() -> int:
        return 0


class Times:
    def times(self, rows: Any, time: Any) -> Any:
        return rows, time.time()


def of_a_bound_method(rows: Any) -> Any:
    return rows, read_clock()


def of_an_own_timestamp(rows: Any) -> Any:
    return rows, Timestamp.now()


def of_parameters(rows: Any) -> Any:
    """Use parameters and variables that have the names of modules."""

    def inner(time: Any) -> Any:
        return time.time()

    return inner, rows.map(lambda time: time.time()), [time.time() for time in rows], Times()


def of_time_beside_a_parameter(rows: Any) -> Any:
    return rows.map(lambda time: time.time()), time.time()


def of_durations(rows: Any) -> Any:
    return rows, dt.timedelta(days=1), datetime.fromtimestamp(0, UTC), time.monotonic()


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (of_today, "date.today"),
        (of_now, "datetime.now"),
        (utcnow, "dt.datetime.utcnow"),
        (of_time, "time.time"),
        (of_a_name, "seconds"),
        (of_pandas, "Pandas.now"),
        (imported_inside, "day.today"),
        (module_inside, "times.date.today"),
        (of_a_helper, "date.today"),
        (of_a_class, "datetime.now"),
        (decorated, "date.today"),
        (of_columns, ""),
        (of_a_bound_method, "read_clock"),
        (of_an_own_timestamp, ""),
        (of_parameters, ""),
        (of_time_beside_a_parameter, "time.time"),
        (of_durations, ""),
    ],
)
def test_how_a_function_reads_the_clock(function: Any, name: str) -> None:
    assert clock_read(function) == name
