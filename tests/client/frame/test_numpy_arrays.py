"""NumPy arrays of features and labels: a null is missing whatever the column's encoding."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from featurestore.client.frame.frame import FeatureFrame
from featurestore.client.frame.numpy_arrays import feature_array, label_array
from featurestore.errors import RequestError

LARGE = 2**53 + 1
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VALUES = [
    pa.array([1, None, 3]),
    pa.array([2**64 - 1, None, 3], pa.uint64()),
    pa.array([LARGE, None, -LARGE]),
    pa.array([True, None, False]),
    pa.array([1.5, None, float("inf")]),
    pa.array(["a", None, ""]),
    pa.array(["a", None, "b"], pa.string_view()),
    pa.array([b"a", None, b""]),
    pa.array([Decimal("1.10"), None, Decimal("-2.25")]),
    pa.array([date(1, 1, 1), None, date(9999, 12, 31)]),
    pa.array([time(1), None, time(2)]),
    pa.array([timedelta(1), None, timedelta(-1)]),
    pa.array([NOON, None, NOON], pa.timestamp("us", tz="UTC")),
    pa.array([[LARGE, None], None, []]),
    pa.array([{"a": LARGE}, None, {"a": None}]),
]
ENCODINGS = {
    "plain": lambda values: values,
    "dictionary": lambda values: values.dictionary_encode(),
    "null in the dictionary": lambda values: pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 2], pa.int8()), values
    ),
    "runs": lambda values: pa.RunEndEncodedArray.from_arrays([1, 2, 3], values),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS.keys())
@pytest.mark.parametrize("values", VALUES, ids=lambda values: str(values.type))
def test_a_label_has_the_same_values_and_nulls_in_each_encoding(values, encode) -> None:
    if pa.types.is_nested(values.type) or values.type == pa.string_view():
        encoded = [values.slice(0, 1), values.slice(1)]
    else:
        encoded = [encode(values)]

    label = label_array(pa.chunked_array(encoded))

    expected = label_array(pa.chunked_array([values]))
    assert label.dtype == expected.dtype
    assert [pd.isna(each) is True for each in label] == [False, True, False]
    assert [label[0], label[2]] == [expected[0], expected[2]]


@pytest.mark.parametrize(
    ("values", "expected", "dtype"),
    [
        (pa.array([1, 2], pa.uint8()), [1, 2], "uint8"),
        (pa.array([True, False]), [True, False], "bool"),
        (pa.array([1, 2]), [1, 2], "int64"),
        (pa.array([LARGE, None]), [LARGE, None], "object"),
        (pa.array([True, None]), [True, None], "object"),
        (pa.array(["a", None]).dictionary_encode(), ["a", None], "object"),
        (pa.array([Decimal("1.10"), None]), [Decimal("1.10"), None], "object"),
        (pa.array([[LARGE, None], None]), [[LARGE, None], None], "object"),
        (pa.nulls(2), [None, None], "object"),
    ],
)
def test_a_label_has_the_nearest_type(values, expected, dtype) -> None:
    label = label_array(pa.chunked_array([values]))

    assert label.dtype == np.dtype(dtype)
    assert label.tolist() == expected
    assert [type(each) for each in label.tolist()] == [type(each) for each in expected]


def test_integers_with_nulls_are_floats_with_nan_where_floats_are_exact() -> None:
    label = label_array(pa.chunked_array([[2**53, None]]))

    np.testing.assert_array_equal(label, np.array([2.0**53, np.nan]))


def test_a_feature_with_categories_has_its_numbers_and_nan() -> None:
    codes = pa.DictionaryArray.from_arrays(pa.array([0, None, 1], pa.int8()), [7, None])

    column = pa.chunked_array([codes])
    np.testing.assert_array_equal(feature_array("n", column), [7.0, np.nan, np.nan])
    decimals = pa.chunked_array([pa.array([Decimal("1.5"), None])])
    np.testing.assert_array_equal(feature_array("n", decimals), [1.5, np.nan])


def test_a_feature_that_is_no_number_is_named() -> None:
    words = pa.array(["a", None]).dictionary_encode()

    with pytest.raises(RequestError) as error:
        FeatureFrame(pa.table({"word": words}), ("word",)).to_numpy()

    assert "'word'" in error.value.found


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[300_000_000_000]]).cast(pa.list_(pa.timestamp("s"))),
        pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers()),
    ],
    ids=lambda values: str(values.type),
)
def test_a_label_that_python_cannot_hold_is_refused(values) -> None:
    with pytest.raises(RequestError) as error:
        label_array(pa.chunked_array([values]))

    assert str(values.type) in error.value.found
    assert "to_arrow()" in error.value.fix
