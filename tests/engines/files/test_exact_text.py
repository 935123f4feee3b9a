"""Texts become the values that they mean, or are refused: nothing is rounded or cut in silence."""

from datetime import date
from decimal import Decimal as PythonDecimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import (
    Binary,
    Boolean,
    DataType,
    Date,
    Decimal,
    Float32,
    Float64,
    Int32,
    Int64,
    String,
)
from featurestore.engines.files.exact_text import UnfitValueError, from_text
from featurestore.store.columns import arrow_type

MONEY = Decimal(10, 2)


@pytest.mark.parametrize(
    ("dtype", "text", "value"),
    [
        (Int32, "-2147483648", -(2**31)),
        (Int32, " 7", 7),
        (Int32, "+5", 5),
        (Int64, "1.0", 1),  # pandas writes integers with nulls so
        (Int64, "1e3", 1000),
        (Int64, "9223372036854775807", 2**63 - 1),
        (Float64, "0.1", 0.1),
        (Float64, "1e23", 1e23),
        (Float64, "9007199254740994", 9007199254740994.0),
        (Float64, "0.33333333333333333333", 1 / 3),
        (Float64, "-Infinity", -np.inf),
        (Float32, "0.1", float(np.float32(0.1))),
        (Float32, "0.10000000149011612", float(np.float32(0.1))),  # the same, as a Float64
        (Float32, "3.4028235e38", float(np.finfo(np.float32).max)),
        (Float32, "16777216", 16777216.0),
        (MONEY, "1.1000", PythonDecimal("1.10")),
        (MONEY, "1e1", PythonDecimal("10.00")),
        (Boolean, "TRUE", True),
        (Boolean, " 0 ", False),
        (Binary, "00fF", b"\x00\xff"),
        (Binary, "", b""),
        (Date, "2026-01-02", date(2026, 1, 2)),
        (Date, "2026-1-2", date(2026, 1, 2)),
        (String, " NA", " NA"),
    ],
)
def test_a_text_that_the_type_holds_is_its_value(
    dtype: DataType, text: str, value: object
) -> None:
    assert from_text(pa.array([text, None]), dtype).to_pylist() == [value, None]
    # Beside an unusual text, each one is read by itself: the value must be the same.
    assert from_text(pa.array([text, _UNUSUAL.get(dtype, text)]), dtype)[0].as_py() == value


_UNUSUAL = {Int32: "+1", Int64: "+1", Float32: "+1", Float64: "+1", MONEY: "+1", Date: "2026-1-1"}


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        (Int32, "3000000000"),
        (Int32, "0x10"),
        (Int32, ""),
        (Int64, "1.5"),
        (Int64, "9223372036854775808"),
        (Int64, "1e999999999"),
        (Int64, "1_000"),
        (Int64, "1,000"),
        (Int64, "\u0661"),
        (Int64, "NaN"),
        (Float64, "9007199254740993"),
        (Float64, "1e400"),
        (Float64, "1e-400"),
        (Float64, "much"),
        (Float32, "16777217"),
        (Float32, "1e39"),
        (Float32, "1e-50"),
        (Float32, "3.14159265358979"),
        (MONEY, "1.105"),
        (MONEY, "123456789.99"),
        (MONEY, "NaN"),
        (Boolean, "yes"),
        (Boolean, "2"),
        (Boolean, "t"),
        (Binary, "0"),
        (Binary, "0x00"),
        (Binary, "user 1"),
        (Date, "2026-01-02T23:59:59"),
        (Date, "2026-02-30"),
        (Date, "0000-01-01"),
    ],
)
@pytest.mark.parametrize("beside", [None, "1", "2026-01-01", "true", "00"])
def test_a_text_that_the_type_does_not_hold_is_refused_with_the_text(
    dtype: DataType, text: str, beside: str | None
) -> None:
    with pytest.raises(UnfitValueError) as refused:
        from_text(pa.array([text, beside]), dtype)

    assert refused.value.value == text


@given(st.lists(st.floats(width=32) | st.none()))
def test_every_float32_comes_back_from_its_text(values: list[float | None]) -> None:
    texts = [None if value is None else str(np.float32(value)) for value in values]

    back = from_text(pa.array(texts, pa.string()), Float32)

    assert back.type == pa.float32()
    np.testing.assert_array_equal(
        back.to_numpy(zero_copy_only=False), pa.array(values, pa.float32()).to_numpy(False)
    )


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=3)))
def test_a_decimal_is_its_text_or_refused(values: list[PythonDecimal]) -> None:
    texts = pa.array([str(value) for value in values], pa.string())

    try:
        back = from_text(texts, MONEY).to_pylist()
    except UnfitValueError as error:
        value = PythonDecimal(error.value)
        assert abs(value) >= 10**8 or value != value.quantize(PythonDecimal("0.01"))
    else:
        assert back == values


def test_the_type_is_that_of_the_stored_column() -> None:
    for dtype in (Int32, Int64, Float32, Float64, MONEY, Boolean, Date, String):
        assert from_text(pa.array([], pa.string()), dtype).type == arrow_type(dtype)
