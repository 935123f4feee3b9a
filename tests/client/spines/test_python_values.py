"""Columns of Python values become Arrow arrays exactly, or are refused."""

import os
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from math import isnan
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.client.spines.python_values import array_of
from featurestore.errors import SpineError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)
FINE = pd.Timestamp("2026-03-01T12:00:00.000000001Z")


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, pd.NA, None], pa.int64(), [1, None, None]),
        ([NOON, pd.NaT], pa.timestamp("us", "UTC"), [NOON, None]),
        ([NOON, float("nan")], pa.timestamp("us", "UTC"), [NOON, None]),
        (["a", float("nan"), pd.NA], pa.string(), ["a", None, None]),
        ([pd.NaT], pa.null(), [None]),
        ([np.datetime64("NaT", "us")], pa.null(), [None]),
        ([2**63, 0], pa.uint64(), [2**63, 0]),
        ([np.uint64(2**63), 1], pa.uint64(), [2**63, 1]),
        ([2**70, -1], pa.decimal128(22, 0), [2**70, -1]),
        ([10**70], pa.decimal256(71, 0), [10**70]),
        ([np.datetime64("2026-03-01")], pa.timestamp("us"), [datetime(2026, 3, 1)]),  # noqa: DTZ001
        ([np.datetime64("2026-03-01T12"), NAIVE], pa.timestamp("us"), [NAIVE, NAIVE]),
        ([Decimal("1.5"), np.int64(2)], pa.decimal128(2, 1), [Decimal("1.5"), 2]),
        ([np.timedelta64(1, "D"), pd.NaT], pa.duration("us"), [timedelta(days=1), None]),
        (
            [np.timedelta64("NaT", "us"), timedelta(1)],
            pa.duration("us"),
            [None, timedelta(days=1)],
        ),
        ([[NOON], None, []], pa.list_(pa.timestamp("us", "UTC")), [[NOON], None, []]),
        ([{"a": "x", "b": 1.5, "c": [None]}], None, [{"a": "x", "b": 1.5, "c": [None]}]),
        ([{"a": "x"}, {}], pa.struct({"a": pa.string()}), [{"a": "x"}, {"a": None}]),
        ([Decimal("1.5"), 2], pa.decimal128(2, 1), [Decimal("1.5"), 2]),
        ([Decimal("0.12"), 100], pa.decimal128(5, 2), [Decimal("0.12"), 100]),
        ([Decimal("1E+3"), None], pa.decimal128(4, 0), [1000, None]),
        ([NOON, NOON.astimezone(timezone(timedelta(hours=5)))], None, [NOON, NOON]),
    ],
)
def test_values_keep_their_meaning(values: list, dtype: pa.DataType, expected: list) -> None:
    array = array_of("a", values)

    assert dtype is None or array.type == dtype
    assert array.to_pylist() == expected


@pytest.mark.parametrize(
    "values",
    [
        [FINE, NOON, None],
        [NOON, FINE.tz_convert("Europe/Paris"), None],
        [FINE.tz_localize(None), NAIVE, None],
        [np.datetime64("2026-03-01T12:00:00.000000001"), NAIVE, pd.NaT],
    ],
)
def test_nanoseconds_are_not_lost(values: list) -> None:
    array = array_of("a", values)

    assert array.type.unit == "ns"
    noon = 1_772_366_400_000_000_000
    assert sorted(array.cast(pa.int64()).to_pylist(), key=str) == [noon, noon + 1, None]


@pytest.mark.parametrize(
    "fine", [pd.Timedelta(-1, "ns"), np.timedelta64(86_400_000_000_001, "ns")]
)
def test_nanoseconds_of_durations_are_not_lost(fine: Any) -> None:
    array = array_of("a", [fine, timedelta(days=1), pd.NaT])

    assert array.type == pa.duration("ns")
    nanos = pd.Timedelta(fine).value
    assert array.cast(pa.int64()).to_pylist() == [nanos, 86_400_000_000_000, None]


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        ([1, "a"], ["row 0", "row 1"]),
        (["a", b"a"], ["row 0", "row 1"]),
        ([None, True, 1], ["row 1", "row 2"]),
        ([NOON, date(2026, 3, 1)], ["row 0", "row 1"]),
        ([date(2026, 3, 1), NOON], ["row 0", "row 1"]),
        ([NOON, "2026-03-01T12:00:00Z"], ["row 0", "row 1"]),
        ([NOON, NAIVE], ["time zone"]),
        ([NOON, np.datetime64("2026-03-01")], ["time zone"]),
        (["a", "\ud800"], ["row 1"]),
        ([["\ud800"]], ["row 0"]),
        ([10**80], []),
        ([2**53 + 1, 0.5], []),
        ([Decimal("NaN")], []),
        ([object()], []),
        ([1j], []),
        ([[1], ["a"]], []),
        ([[FINE]], []),
        ([{"at": FINE}], []),
        ([[NOON.date(), NAIVE]], ["row 0"]),
        ([["a"], ["a", b"a"]], ["row 1"]),
        ([{"at": NOON}, {"at": NAIVE}], []),
        ([[pd.Timedelta(1, "ns")]], ["row 0"]),
        ([timedelta(1), 1], ["row 0", "row 1"]),
        ([None, {1, 2}], ["row 1"]),
        ([frozenset()], ["row 0"]),
        ([time(9), time(9, tzinfo=UTC)], ["row 1"]),
        ([[time(9, tzinfo=UTC)]], ["row 0"]),
        ([np.timedelta64(1, "M")], []),
        ([np.datetime64(1, "ps")], []),
        ([np.datetime64("9999-01-01"), np.datetime64("2026-01-01T00:00:00.000000001")], []),
    ],
)
def test_values_that_no_type_holds_are_refused(values: list, facts: list[str]) -> None:
    with pytest.raises(SpineError) as refused:
        array_of("a", values)

    assert [fact for fact in ("'a'", *facts) if fact not in refused.value.found] == []


SCALARS: list[st.SearchStrategy[Any]] = [
    st.integers(-(10**75), 10**75),
    st.floats(allow_nan=False),
    st.booleans(),
    st.decimals(-(10**20), 10**20, allow_nan=False, places=20) | st.integers(-(10**9), 10**9),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(),
    st.dates(),
]


@given(st.sampled_from(SCALARS).flatmap(lambda kind: st.lists(st.none() | kind)))
def test_a_column_of_one_kind_comes_back_equal(values: list) -> None:
    assert array_of("a", values).to_pylist() == values


def test_a_nan_inside_of_a_dict_stays_one() -> None:
    [read] = array_of("a", [{"text": "x", "number": float("nan")}]).to_pylist()

    assert read["text"] == "x"
    assert isnan(read["number"])


def test_zones_count_also_where_pandas_on_spark_has_switched_them_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYARROW_IGNORE_TIMEZONE", "1")
    later = NOON.astimezone(timezone(timedelta(hours=5)))

    for values in ([NOON, later], [later], [[later]], [{"at": later}]):
        assert array_of("a", values).to_pylist() == values
    assert os.environ["PYARROW_IGNORE_TIMEZONE"] == "1"
