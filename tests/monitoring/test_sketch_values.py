"""Which values a profile counts, of each type."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.monitoring.columns import ProfiledColumn, profiled
from featurestore.monitoring.profile import ColumnProfile, Histogram
from featurestore.monitoring.rows import sketch_table
from featurestore.monitoring.sketch_values import LONGEST_TEXT, sketch_values
from featurestore.monitoring.summary import summary
from featurestore.store.columns import UTC_MICROS
from tests.effort import examples
from tests.store.training_sets.test_storage import FLAT, NESTED


def profile_of(
    values: list[object], dtype: pa.DataType, *, personal: bool = False
) -> ColumnProfile:
    column = profiled("x", dtype, personal=personal)
    return summary(column, sketch_values(column, pa.chunked_array([pa.array(values, dtype)])))


@given(st.sampled_from([*FLAT, *NESTED]).flatmap(lambda each: each))
@examples(100)
def test_values_of_each_type_are_described(values: pa.Array) -> None:
    column = profiled("x", values.type)

    profile = summary(column, sketch_values(column, pa.chunked_array([values])))

    assert (profile.rows, profile.nulls) == (len(values), values.null_count)


@pytest.mark.parametrize("dtype", [pa.string(), pa.large_string(), pa.string_view()])
def test_texts_of_each_type_have_the_same_profile(dtype: pa.DataType) -> None:
    texts = pa.array(["b", "a", "b", None], dtype)
    for values in (
        texts,
        pa.array(["b", "a", "b", None])
        .dictionary_encode()
        .cast(pa.dictionary(pa.uint32(), dtype)),
    ):
        column = profiled("x", values.type)
        profile = summary(column, sketch_values(column, pa.chunked_array([values])))

        assert (profile.minimum, profile.maximum, profile.distinct) == ("a", "b", 2)
        assert profile.top == (("b", 2), ("a", 1))


def test_nanoseconds_are_cut_to_microseconds() -> None:
    profile = profile_of([1_999], pa.timestamp("ns"))

    assert (profile.minimum, profile.maximum) == (1, 1)


def test_nulls_and_nans_are_counted_apart_and_are_no_values() -> None:
    profile = profile_of([1.0, None, math.nan, 3.0], pa.float64())

    assert (profile.rows, profile.nulls, profile.nans, profile.distinct) == (4, 1, 1, 2)
    assert (profile.minimum, profile.maximum, profile.mean) == (1.0, 3.0, 2.0)
    assert profile.stddev == pytest.approx(math.sqrt(2))
    assert profile.top == (("1.0", 1), ("3.0", 1))


def test_integers_are_exact_and_have_whole_intervals() -> None:
    profile = profile_of([2**60 + 1, 2**60 + 2], pa.int64())
    small = profile_of([1, 1, 2, 5], pa.int32())

    assert (profile.minimum, profile.maximum) == (2**60 + 1, 2**60 + 2)
    assert small.histogram == Histogram((1, 2, 3, 4, 5, 6), (2, 1, 0, 0, 1))
    assert (small.type, small.top) == ("Int32", (("1", 2), ("2", 1), ("5", 1)))


def test_both_zeros_are_one_value() -> None:
    profile = profile_of([-0.0, 0.0], pa.float64())

    assert (profile.distinct, profile.top) == (1, (("0.0", 2),))
    assert math.copysign(1, float(profile.minimum or 0)) == 1
    assert profile.histogram == Histogram((0.0, 0.0), (2,))


def test_an_infinity_is_a_value_and_leaves_no_mean() -> None:
    profile = profile_of([math.inf, 1.0], pa.float64())

    assert (profile.maximum, profile.mean, profile.stddev) == (math.inf, None, None)
    assert profile.histogram is None


def test_times_are_utc_microseconds() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    micros = 1_767_225_600_000_000

    times = profile_of([at, None], UTC_MICROS)
    days = profile_of([date(2026, 1, 1)], pa.date32())

    assert (times.type, times.minimum, times.nulls, times.top) == ("timestamp", micros, 1, None)
    assert (days.type, days.maximum, days.mean) == ("date", micros, micros)


def test_decimals_are_read_as_floats() -> None:
    profile = profile_of([Decimal("1.50"), Decimal("2.50")], pa.decimal128(10, 2))

    assert (profile.minimum, profile.mean) == (1.5, 2.0)


def test_truths_have_counts_only() -> None:
    profile = profile_of([True, False, True, None], pa.bool_())

    assert (profile.top, profile.distinct) == ((("true", 2), ("false", 1)), 2)
    assert (profile.minimum, profile.mean, profile.histogram) == (None, None, None)


def test_texts_have_ends_and_frequent_values_and_are_cut() -> None:
    long = "z" * 10_000

    profile = profile_of(["b", "b", "a", long], pa.string())

    assert (profile.minimum, profile.distinct, profile.histogram) == ("a", 3, None)
    assert len(str(profile.maximum)) == LONGEST_TEXT
    assert profile.top is not None
    assert profile.top[0] == ("b", 2)


@pytest.mark.parametrize("dtype", [pa.list_(pa.int64()), pa.binary()])
def test_of_other_types_rows_and_nulls_are_counted(dtype: pa.DataType) -> None:
    profile = profile_of([None, None], dtype)

    assert (profile.rows, profile.nulls, profile.distinct, profile.top) == (2, 2, None, None)


@pytest.mark.parametrize("dtype", [pa.int64(), pa.float64(), pa.string(), pa.bool_(), UTC_MICROS])
def test_a_column_without_values_has_no_statistics(dtype: pa.DataType) -> None:
    for values in ([], [None]):
        profile = profile_of(values, dtype)

        assert (profile.rows, profile.nulls) == (len(values), len(values))
        assert (profile.minimum, profile.mean, profile.stddev) == (None, None, None)
        assert (profile.quantiles, profile.histogram, profile.distinct) == ((), None, 0)


def test_dictionaries_are_texts() -> None:
    values = pa.chunked_array([pa.array(["a", "a"]).dictionary_encode()])
    column = profiled("x", values.type)

    assert summary(column, sketch_values(column, values)).top == (("a", 2),)


def test_few_values_of_a_personal_field_have_counts_only() -> None:
    texts = profile_of(["Ada", "Ada"], pa.string(), personal=True)
    few = profile_of([30.5, 31.5], pa.float64(), personal=True)
    equal = profile_of([77.0] * 200, pa.float64(), personal=True)

    assert texts == ColumnProfile("x", type="String", rows=2, nulls=0, distinct=1)
    assert few == ColumnProfile("x", type="Float64", rows=2, nulls=0, distinct=2)
    assert equal == ColumnProfile("x", type="Float64", rows=200, nulls=0, distinct=1)


@examples(20)
@given(st.sets(st.floats(1, 1e6), min_size=100, max_size=150))
def test_no_value_of_a_personal_field_is_in_its_profile(numbers: set[float]) -> None:
    values = [number + 1 / 3 for number in numbers]
    profile = profile_of([*values], pa.float64(), personal=True)

    shown = [number for pair in profile.quantiles for number in pair]
    shown += [*(profile.histogram.edges if profile.histogram else ()), profile.mean or 0]
    assert set(values).isdisjoint(shown)
    assert (profile.minimum, profile.maximum, profile.top) == (None, None, None)


def test_a_personal_field_is_rounded_so_that_two_profiles_do_not_show_a_new_value() -> None:
    before = profile_of(list(range(1000)), pa.int64(), personal=True)
    after = profile_of([*range(1000), 777], pa.int64(), personal=True)

    assert (before.mean, before.stddev) == (after.mean, after.stddev) == (500.0, 290.0)
    assert [share for share, _ in before.quantiles] == [each / 100 for each in range(5, 100, 5)]
    assert dict(before.quantiles)[0.25] == 250.0
    assert before.histogram is not None
    assert sum(before.histogram.counts) == 1000
    assert before.histogram.edges[0] == 50


def test_a_key_has_counts_only() -> None:
    column = profiled("x", pa.int64(), key=True)

    sketch = sketch_values(column, pa.chunked_array([list(range(500))]))

    assert (sketch.minimum, sketch.quantiles, sketch.mean) == (None, b"", 0.0)
    assert summary(column, sketch).mean is None
    assert summary(column, sketch).quantiles == ()
    assert summary(column, sketch).distinct == 500


def test_the_ends_of_a_field_that_was_personal_are_not_known() -> None:
    personal = profiled("x", pa.float64(), personal=True)
    column = profiled("x", pa.float64())
    before, after = (
        sketch_values(each, pa.chunked_array([[value]]))
        for each, value in ((personal, 1.0), (column, 2.0))
    )

    both = summary(column, before.merged(after))

    assert before.minimum is None
    assert (both.minimum, both.maximum, both.mean) == (None, None, 1.5)
    assert both.quantiles[0] == (0.01, 1.0)


def test_tombstones_are_rows_without_values() -> None:
    rows = pa.table({"x": [1, None, 3], "_deleted": [False, True, None]})
    column = ProfiledColumn("x", type="Int64", kind="number")

    sketch = sketch_table([column], rows, "_deleted")

    assert sketch.rows == 3
    assert (sketch.columns["x"].rows, sketch.columns["x"].nulls) == (2, 0)
