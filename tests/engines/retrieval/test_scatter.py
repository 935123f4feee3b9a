"""Answers of chunks come to the positions of their spine rows, for any type and order."""

from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines.retrieval.scatter import ChunkRows, answer_columns
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
def test_each_answer_is_at_its_row_and_all_other_rows_are_null(dtype, data) -> None:
    rows = data.draw(st.integers(0, 12))
    answered = data.draw(st.permutations(range(rows)))[: data.draw(st.integers(0, rows))]
    cut = data.draw(st.integers(0, len(answered)))
    values = {row: data.draw(st.none() | VALUES[dtype]) for row in answered}
    types = {"before": pa.date32(), "x": dtype, "behind": pa.int64()}
    column = answer_columns(rows, types)["x"]

    for positions in (answered[cut:], answered[:cut]):
        answers = pa.array([values[row] for row in positions], dtype)
        padded = pa.concat_arrays([pa.nulls(1, dtype), answers])[1:]
        column.put(ChunkRows(np.array(positions, np.int64)), pa.chunked_array([padded]))

    assert column.finish().type == dtype
    assert column.finish().to_pylist() == [values.get(row) for row in range(rows)]


NULLS = st.lists(st.booleans(), min_size=24, max_size=24)


@given(
    bitmaps=st.lists(NULLS, min_size=1, max_size=2),
    uses=st.lists(
        st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12)), min_size=3, max_size=3),
        min_size=1,
        max_size=5,
    ),
    order=st.permutations(range(36)),
)
def test_columns_that_share_bitmaps_are_null_exactly_where_each_of_them_is(bitmaps, uses, order):
    """In each of three chunks, a column has one of the bitmaps, at any offset.

    The plain twin of the caches of masks and bitmaps looks at each value by itself.
    """
    chunks = [order[:12], order[12:24], order[24:]]
    columns = answer_columns(36, {str(number): pa.int64() for number in range(len(uses))})
    expected = [dict.fromkeys(range(36)) for _ in uses]

    for number, positions in enumerate(chunks):
        shared = [pa.py_buffer(np.packbits(bits, bitorder="little")) for bits in bitmaps]
        chunk = ChunkRows(np.array(positions))
        for column, use in enumerate(uses):
            choice, offset = use[number][0] % len(bitmaps), use[number][1]
            values = pa.py_buffer(np.arange(24) + 100 * column)
            answers = pa.Array.from_buffers(
                pa.int64(), 12, [shared[choice], values], offset=offset
            )
            columns[str(column)].put(chunk, pa.chunked_array([answers]))
            for index, row in enumerate(positions, offset):
                if bitmaps[choice][index]:
                    expected[column][row] = index + 100 * column

    for column, values in enumerate(expected):
        assert columns[str(column)].finish().to_pylist() == [values[row] for row in range(36)]


def test_dates_and_empty_columns_keep_their_type() -> None:
    days = answer_columns(1, {"day": pa.date32()})["day"]
    days.put(ChunkRows(np.array([0])), pa.chunked_array([[date(1969, 12, 31)]]))

    assert days.finish().to_pylist() == [date(1969, 12, 31)]
    assert answer_columns(0, {"x": pa.string()})["x"].finish().type == pa.string()
