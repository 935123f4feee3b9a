"""The kernel agrees with the reference: bit for bit, and computed floats within a bound."""

import numpy as np
import pytest
from hypothesis import given

from featurestore.definitions.model.functions import (
    FUNCTION_SPECS,
    SAMPLES,
    output_type,
    parse_function,
)
from featurestore.definitions.model.types import Float64, Int64, String
from featurestore.query.nodes import Aggregate, Rows, ViewQuery, Window
from tests.effort import examples
from tests.engines.kernel.compare import check
from tests.engines.kernel.tables import ONE_KEY
from tests.engines.kernel.worlds import World, content_hash, worlds


@given(worlds(aggregates=False))
@examples(300)
def test_as_of_answers_equal_the_reference(world: World) -> None:
    check(world)


@given(worlds(aggregates=True))
@examples(500)
def test_window_answers_equal_the_reference(world: World) -> None:
    check(world)


@pytest.mark.parametrize("values", [[-0.0, -3.358728590187208e-280], [0.0, 5e-324, 1e-310], [0.0]])
@pytest.mark.parametrize(
    "function", [spec.sample for spec in FUNCTION_SPECS.values() if spec.error_size]
)
def test_zeros_and_the_least_floats_are_exact(function: str, values: list[float]) -> None:
    rows = [
        {"id": 0, "event_timestamp": 1, "available_timestamp": 1, "x": x, "_row_hash": n}
        for n, x in enumerate([*values, 1e300])
    ]
    rows[-1] |= {"event_timestamp": 9, "available_timestamp": 9}  # not in the window
    aggregate = _aggregate("f", "x", Float64, function, Window(None))
    query = ViewQuery("view", keys=ONE_KEY, timestamp_field="at", aggregates=(aggregate,))

    check(World(query, [{"card": 0, "at": 5}], rows))


LATE = [0, 0, 0, 0, 0, None, 5, -5, 60, 1000]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("unique_by", "lags"), [((), [0]), ((), LATE), (("order",), LATE)])
def test_long_windows_equal_the_reference(seed: int, unique_by: tuple, lags: list) -> None:
    rng = np.random.default_rng(seed)
    rows = [_row(rng, int(event), rng.choice(lags)) for event in rng.integers(0, 400, 300)]
    spine = [{"card": int(rng.integers(0, 2)), "at": int(at)} for at in rng.integers(0, 500, 25)]
    windows = [
        Window(None),
        Window(300),
        Window(90, 30, closed_right=True),
        Window(90, 5, every=40, offset=7),
    ]
    query = ViewQuery(
        "view",
        keys=ONE_KEY,
        timestamp_field="at",
        rows=Rows(available_delay=3, unique_by=unique_by, has_deleted=True),
        aggregates=tuple(
            _aggregate(f"{function}_{column}_{n}", column, dtype, function, window)
            for n, window in enumerate(windows)
            for column, dtype in (("x", Float64), ("word", String), ("n", Int64))
            for function in (*SAMPLES, "top20", "last20", "first20")
            if output_type(function, dtype) is not None
        ),
    )
    check(World(query, spine, rows))


def _row(rng: np.random.Generator, event: int, lag: int | None) -> dict:
    row = {
        "id": int(rng.integers(0, 2)),
        "event_timestamp": event,
        "available_timestamp": None if lag is None else event + int(lag) + 3,
        "_deleted": bool(rng.random() < 0.1),
        "order": int(rng.integers(0, 150)),
        "x": None if rng.random() < 0.1 else float(rng.standard_normal()),
        "word": None if rng.random() < 0.1 else str(rng.integers(0, 120)),
        "n": int(rng.integers(-50, 50)),
    }
    return row | {"_row_hash": content_hash(row)}


def _aggregate(
    output: str, column: str, dtype: object, function: str, window: Window
) -> Aggregate:
    name, number = parse_function(function)
    return Aggregate(
        output,
        column=column,
        dtype=dtype,
        function=name,
        number=number,
        window=window,
        result=output_type(function, dtype),
    )
