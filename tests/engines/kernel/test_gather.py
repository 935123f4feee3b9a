"""The values at some positions are the same for every division of a column into chunks."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines.kernel.gather import Gather

VALUES = {
    pa.int64(): st.integers(-9, 9),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=2),
    pa.date32(): st.dates(),
    pa.list_(pa.int64()): st.lists(st.integers(0, 9), max_size=2),
}


@pytest.mark.parametrize("dtype", VALUES, ids=str)
@given(data=st.data())
def test_values_are_those_at_the_positions_and_null_at_minus_one(dtype, data) -> None:
    chunks = data.draw(st.lists(st.lists(st.none() | VALUES[dtype], max_size=4), max_size=4))
    values = [value for chunk in chunks for value in chunk]
    at = data.draw(st.lists(st.integers(-1, len(values) - 1), max_size=12))
    if data.draw(st.booleans(), "ascending"):
        at.sort()
    padded = [pa.concat_arrays([pa.nulls(1, dtype), pa.array(c, dtype)])[1:] for c in chunks]
    gather = Gather(np.array(at, np.int64))

    for column in (pa.chunked_array(padded, dtype), pa.chunked_array([values], dtype)):
        taken = gather.of(column)
        assert taken.to_pylist() == [None if each < 0 else values[each] for each in at]


def test_minus_one_between_ascending_positions_gives_null() -> None:
    gather = Gather(np.array([-1, 0, -1, 1, 2, -1]))

    taken = gather.of(pa.chunked_array([[5], [6, 7]]))

    assert taken.to_pylist() == [None, 5, None, 6, 7, None]
    assert taken.null_count == 3
