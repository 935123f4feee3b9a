"""Answers of chunks come together at their places, whatever their type and order."""

from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines.retrieval.scatter import Places, collectors
from featurestore.store.columns import UTC_MICROS
from featurestore.times import from_micros

VALUES = {
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.float64(): st.floats(allow_nan=False),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=3),
    pa.binary(): st.binary(max_size=3),
    pa.date32(): st.dates(),
    UTC_MICROS: st.integers(-(10**15), 10**15).map(from_micros),
    pa.decimal128(38, 2): st.integers(-(10**37), 10**37).map(lambda n: Decimal(n).scaleb(-2)),
    pa.list_(pa.field("element", pa.int64())): st.lists(st.integers(0, 9), max_size=3),
    pa.map_(pa.string(), pa.int64()): st.dictionaries(
        st.text(max_size=2), st.integers(0, 9), max_size=2
    ).map(lambda pairs: sorted(pairs.items())),
}


@pytest.mark.parametrize("dtype", VALUES, ids=str)
@given(data=st.data())
def test_each_answer_stands_at_its_row_and_all_others_are_null(dtype, data) -> None:
    rows = data.draw(st.integers(0, 12))
    answered = data.draw(st.permutations(range(rows)))[: data.draw(st.integers(0, rows))]
    cut = data.draw(st.integers(0, len(answered)))
    values = {row: data.draw(st.none() | VALUES[dtype]) for row in answered}
    column = collectors(rows, {"before": pa.date32(), "x": dtype, "behind": pa.int64()})["x"]

    for places in (answered[cut:], answered[:cut]):
        found = pa.array([values[row] for row in places], dtype)
        padded = pa.concat_arrays([pa.nulls(1, dtype), found])[1:]
        column.put(Places(np.array(places, np.int64)), pa.chunked_array([padded]))

    assert column.finish().type == dtype
    assert column.finish().to_pylist() == [values.get(row) for row in range(rows)]


def test_dates_and_empty_columns_keep_their_type() -> None:
    days = collectors(1, {"day": pa.date32()})["day"]
    days.put(Places(np.array([0])), pa.chunked_array([[date(1969, 12, 31)]]))

    assert days.finish().to_pylist() == [date(1969, 12, 31)]
    assert collectors(0, {"x": pa.string()})["x"].finish().type == pa.string()
