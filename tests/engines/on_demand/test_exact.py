"""A value becomes another type's equal value, or an error; it is never rounded."""

from decimal import Decimal as Number

import pyarrow as pa
import pytest

from featurestore.definitions.model.types import (
    Array,
    Binary,
    Boolean,
    Date,
    Decimal,
    Float32,
    Float64,
    Int32,
    Int64,
    Map,
    String,
    Timestamp,
)
from featurestore.engines.on_demand.exact import cast_exactly, type_mismatch
from featurestore.store.columns import arrow_type

TEXTS = pa.map_(pa.string(), pa.int64())


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (pa.array([1, None], pa.int8()), Int64),
        (pa.array([1, None], pa.uint64()), Int32),
        (pa.array([Number(7), None], pa.decimal128(38, 0)), Int64),
        (pa.array([2**53, None]), Float64),
        (pa.array([0.5, None], pa.float32()), Float64),
        (pa.array([Number("0.1"), None], pa.decimal128(3, 1)), Float64),
        (pa.array([3, None]), Float32),
        (pa.array([3, None]), Decimal(4, 2)),
        (pa.array([Number("1.50"), None], pa.decimal128(20, 2)), Decimal(2, 1)),
        (pa.array(["a", None], pa.large_string()), String),
        (pa.array(["a", "b", None]).dictionary_encode(), String),
        (pa.array([b"a", None], pa.large_binary()), Binary),
        (pa.array([True, None]), Boolean),
        (pa.array([1, None], pa.date32()), Date),
        (pa.array([1000, None], pa.timestamp("ns", "Asia/Tokyo")), Timestamp),
        (pa.array([None, None]), Float64),
        (pa.array([[1, None], None, []], pa.large_list(pa.int8())), Array(Int64)),
        (pa.array([[1, None], None, []], pa.list_view(pa.int8())), Array(Int64)),
        (pa.array([[1], None, [2]], pa.large_list_view(pa.int8())), Array(Int64)),
        (pa.array([0, None], pa.date64()), Date),
        (pa.array([[[1]], [None], None], pa.list_(pa.list_(pa.int32()))), Array(Array(Float64))),
        (pa.array([[("a", 1)], None], TEXTS), Map(String, Int64)),
        (pa.array([None]), Array(Int64)),
    ],
)
def test_equal_values_come_in_the_declared_type(values: pa.Array, dtype: object) -> None:
    assert type_mismatch(values.type, dtype) == ""

    cast = cast_exactly(pa.chunked_array([values.slice(0, 1), values.slice(1)]), dtype)

    assert cast.type == arrow_type(dtype)
    assert cast.combine_chunks().to_pylist() == [
        pytest.approx(value) if dtype == Float64 else value for value in expected(values)
    ]


def expected(values: pa.Array) -> list[object]:
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.timestamp("us", "UTC"))
    return [
        float(value) if isinstance(value, Number) and value % 1 else value
        for value in values.to_pylist()
    ]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (pa.array([2**31]), Int32),
        (pa.array([Number(2**63)], pa.decimal128(38, 0)), Int64),
        (pa.array([2**53 + 1]), Float64),
        (pa.array([2**24 + 1]), Float32),
        (pa.array([Number("0.1234567890123456789")], pa.decimal128(38, 19)), Float64),
        (pa.array([100]), Decimal(4, 2)),
        (pa.array([Number("1.25")], pa.decimal128(3, 2)), Decimal(3, 1)),
        (pa.array([1], pa.timestamp("ns", "UTC")), Timestamp),
        (pa.array([[1], [2**31]]), Array(Int32)),
    ],
)
def test_a_value_without_an_equal_is_an_error(values: pa.Array, dtype: object) -> None:
    assert type_mismatch(values.type, dtype) == ""

    with pytest.raises(pa.ArrowInvalid):
        cast_exactly(pa.chunked_array([values]), dtype)


@pytest.mark.parametrize(
    ("arrow", "dtype"),
    [
        (pa.float64(), Int64),
        (pa.float64(), Float32),
        (pa.float64(), Decimal(3, 1)),
        (pa.decimal128(3, 1), Int64),
        (pa.string(), Int64),
        (pa.int64(), String),
        (pa.int8(), Boolean),
        (pa.timestamp("us", "UTC"), Date),
        (pa.timestamp("us"), Timestamp),
        (pa.date32(), Timestamp),
        (pa.list_(pa.float64()), Array(Int64)),
        (pa.int64(), Array(Int64)),
        (pa.map_(pa.string(), pa.int32()), Map(String, Int64)),
    ],
)
def test_a_type_whose_values_might_be_rounded_or_parsed_is_refused(
    arrow: pa.DataType, dtype: object
) -> None:
    mismatch = type_mismatch(arrow, dtype)

    naive = arrow == pa.timestamp("us") and dtype == Timestamp
    facts = ["time zone"] if naive else [str(arrow), str(dtype)]
    assert [fact for fact in facts if fact not in mismatch] == []
