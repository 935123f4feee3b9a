"""Parquet's typed values become declared types where they stay the same, or are refused."""

from datetime import UTC, date, datetime
from decimal import Decimal as PythonDecimal
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import (
    Array,
    Binary,
    Boolean,
    DataType,
    Date,
    Float32,
    Float64,
    Int32,
    Int64,
    String,
    Timestamp,
)
from featurestore.engines.files.exact_arrow import can_hold, exact, readable_type
from featurestore.engines.files.exact_text import UnfitValueError
from featurestore.store.columns import UTC_MICROS, arrow_type

MONEY = pa.decimal128(10, 2)
NANOS = pa.timestamp("ns", "UTC")


@pytest.mark.parametrize(
    ("values", "target", "expected"),
    [
        (pa.array([1, None], pa.int64()), pa.int32(), [1, None]),
        (pa.array([1.0, None]), pa.int64(), [1, None]),
        (pa.array([2**53 + 2]), pa.float64(), [2.0**53 + 2]),
        (pa.array([0.5, None]), pa.float32(), [0.5, None]),
        (pa.array([PythonDecimal("1.100")]), MONEY, [PythonDecimal("1.10")]),
        (pa.array([12], pa.int64()), MONEY, [PythonDecimal("12.00")]),
        (pa.array([0.5]), MONEY, [PythonDecimal("0.50")]),
        (pa.array([1000], NANOS), UTC_MICROS, [datetime(1970, 1, 1, 0, 0, 0, 1, UTC)]),
        (pa.array(["a", None]).dictionary_encode(), pa.string(), ["a", None]),
        (pa.array([UUID(int=255), None], pa.uuid()), pa.string(),
         ["00000000-0000-0000-0000-0000000000ff", None]),
        (pa.nulls(2), pa.list_(pa.int32()), [None, None]),
        (pa.array([date(2026, 1, 1)], pa.date64()), pa.date32(), [date(2026, 1, 1)]),
        (pa.array([[1], None, []], pa.large_list(pa.int64())), arrow_type(Array(Int32)),
         [[1], None, []]),
        (pa.array([[1, 2]], pa.list_(pa.int64(), 2)), arrow_type(Array(Float32)), [[1.0, 2.0]]),
    ],
)  # fmt: skip
def test_a_value_that_the_type_holds_stays_the_same(
    values: pa.Array, target: pa.DataType, expected: list[object]
) -> None:
    converted = exact(values, target)

    assert converted.type == target
    assert converted.to_pylist() == expected


@pytest.mark.parametrize(
    ("values", "target", "value"),
    [
        (pa.array([1, 3_000_000_000]), pa.int32(), "3000000000"),
        (pa.array([1.5]), pa.int64(), "1.5"),
        (pa.array([float("nan")]), pa.int64(), "nan"),
        (pa.array([2.0**63]), pa.int64(), "9.223372036854776e+18"),
        (pa.array([2**53 + 1]), pa.float64(), "9007199254740993"),
        (pa.array([2**63], pa.uint64()), pa.int64(), "9223372036854775808"),
        (pa.array([0.1]), pa.float32(), "0.1"),
        (pa.array([1e39]), pa.float32(), "1e+39"),
        (pa.array([PythonDecimal("1.105")]), MONEY, "1.105"),
        (pa.array([0.1]), MONEY, "0.1"),
        (pa.array([[1, 3_000_000_000]]), arrow_type(Array(Int32)), "3000000000"),
        (pa.array([1000, None, 1001], NANOS), UTC_MICROS, "1970-01-01 00:00:00.000001001+00:00"),
    ],
)
def test_a_value_that_would_change_is_refused(
    values: pa.Array, target: pa.DataType, value: str
) -> None:
    with pytest.raises(UnfitValueError) as refused:
        exact(values, target)

    assert refused.value.value == value


@given(st.lists(st.floats() | st.none()))
def test_a_float_becomes_a_float32_only_if_it_is_one(values: list[float | None]) -> None:
    wide = pa.array(values, pa.float64())

    try:
        narrow = exact(wide, pa.float32())
    except UnfitValueError as error:
        assert pa.array([float(error.value)], pa.float32())[0].as_py() != float(error.value)
    else:
        assert str(narrow.cast(pa.float64()).to_pylist()) == str(values)


def test_times_beyond_year_9999_become_the_first_moment_outside() -> None:
    times = pa.array([9 * 10**15, None, -(9 * 10**15), 5], pa.timestamp("ms", "UTC"))

    micros = exact(times, UTC_MICROS).cast(pa.int64()).to_pylist()

    assert micros == [253_402_300_800_000_000, None, -62_135_596_801_000_000, 5000]


@pytest.mark.parametrize(
    ("dtype", "actual", "expected"),
    [
        (Int64, pa.float64(), True),
        (Float64, pa.decimal128(4, 2), True),
        (Int64, pa.string(), False),
        (Int64, pa.bool_(), False),
        (Boolean, pa.int8(), False),
        (String, pa.int64(), False),
        (String, pa.dictionary(pa.int32(), pa.large_string()), True),
        (Date, pa.timestamp("us"), False),
        (Timestamp, pa.date32(), True),
        (Timestamp, pa.int64(), False),
        (String, pa.uuid(), True),
        (Binary, pa.uuid(), True),
        (Array(String), pa.null(), True),
        (Array(Timestamp), pa.list_(pa.timestamp("us", "UTC")), True),
        (Array(Timestamp), pa.list_(pa.timestamp("us")), False),
        (Array(Timestamp), pa.list_(pa.date32()), False),
        (Array(String), pa.list_(pa.int64()), False),
    ],
)
def test_types_that_never_mean_the_same_are_refused(
    dtype: DataType, actual: pa.DataType, expected: bool
) -> None:
    assert can_hold(dtype, actual) is expected


def test_undeclared_columns_are_read_in_types_that_spark_has() -> None:
    assert readable_type(pa.uint64()) == pa.decimal128(20, 0)
    assert readable_type(pa.timestamp("s")) == pa.timestamp("us")
    assert readable_type(pa.struct([("a", pa.uint8())])) == pa.struct([("a", pa.int16())])
    assert readable_type(pa.struct([("a", pa.time32("s"))])) is None
    assert readable_type(pa.duration("us")) is None
