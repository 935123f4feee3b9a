"""Each function that computes with floats agrees with the reference on values that are hard."""

import math
from decimal import Decimal as Number

import pytest

from featurestore.definitions.model.functions import FUNCTION_SPECS, output_type
from featurestore.definitions.model.types import DataType, Decimal, Float64, Int64
from tests.engines.kernel.compare import check
from tests.engines.kernel.tables import answers_at, events, window
from tests.engines.kernel.worlds import World, content_hash

NAN, INF = math.nan, math.inf
COMPUTED = [spec.sample for spec in FUNCTION_SPECS.values() if spec.error_size is not None]
HARD: dict[str, tuple[DataType, list[object]]] = {
    "NaN": (Float64, [1.0, 2.0, NAN, 5.0, 6.0, 9.0]),
    "infinity": (Float64, [1.0, INF, 2.0, 5.0, 6.0, 9.0]),
    "both infinities": (Float64, [1.0, INF, -INF, 5.0, 6.0, 9.0]),
    "NaN beside infinity": (Float64, [-INF, NAN, 2.0, 5.0, 6.0, 9.0]),
    "nulls among NaN": (Float64, [None, NAN, None, 5.0, None, 9.0]),
    "far from zero": (Float64, [1e15 + 1, 1e15 + 2, 1e15 + 6, 1e15, 1e15 + 3, 1e15]),
    "huge among small": (Float64, [1e300, 7.25, 2.7935414188097907, 1.0, 1e-300, 3e-300]),
    "equal": (Float64, [0.1] * 6),
    "long integers": (Int64, [2**53 + 1, 2**53 + 3, 2**53 + 7, 5, -1, 0]),
    "decimals": (Decimal(15, 2), [Number(n) / 100 for n in (110, 123456789, 5, 7, 310, 1)]),
}


@pytest.mark.parametrize("values", HARD)
@pytest.mark.parametrize("function", COMPUTED)
def test_hard_values_are_answered_as_the_reference_answers(function: str, values: str) -> None:
    dtype, column = HARD[values]
    assert output_type(function, dtype) is not None
    rows = []
    for number, value in enumerate(column):
        row = {"id": 1, "event_timestamp": 10 * number, "available_timestamp": None, "x": value}
        rows.append(row | {"_row_hash": content_hash(row)})
    spine = [{"card": 1, "at": 10 * number + 1} for number in range(8)]

    for size in (11, 25, None):
        check(World(window(function, size, dtype=dtype), spine, rows))


@pytest.mark.parametrize("function", COMPUTED)
@pytest.mark.parametrize("later", [1e300, 1e-300, NAN, INF])
def test_a_later_value_changes_no_bit_of_an_earlier_answer(function: str, later: float) -> None:
    earlier = [(10, 7.25), (11, 2.7935414188097907), (12, 0.1)]

    with_it = answers_at(window(function), events(*earlier, (20, later)), 11, 12, 13)

    assert with_it == answers_at(window(function), events(*earlier), 11, 12, 13)
