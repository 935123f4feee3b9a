"""Window aggregates: one test for each rule of the semantics."""

import datetime as dt
import math
from dataclasses import replace
from decimal import Decimal as PythonDecimal

import pyarrow as pa
import pytest

from featurestore.definitions.model.functions import FUNCTION_SPECS, FunctionSpec, output_type
from featurestore.definitions.model.types import (
    Array,
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
from featurestore.engines.kernel import answer_view
from featurestore.errors import SumOverflowError
from featurestore.query.nodes import Rows, ViewQuery
from tests.engines.kernel.tables import answers_at, events, stored, window

NAN, INF = math.nan, math.inf


def test_the_lower_edge_is_included_and_the_upper_edge_is_excluded() -> None:
    rows = events((10, 1.0), (20, 2.0), (30, 4.0))

    assert answers_at(window("sum", 20), rows, 10, 11, 30, 31, 50, 51) == [
        None,
        1.0,
        3.0,
        6.0,
        4.0,
        None,
    ]


def test_closed_right_includes_the_upper_edge_and_excludes_the_lower_one() -> None:
    rows = events((10, 1.0), (20, 2.0), (30, 4.0))

    assert answers_at(window("sum", 20, closed_right=True), rows, 10, 30, 49, 50) == [
        1.0,
        6.0,
        4.0,
        None,
    ]


def test_a_delay_moves_both_edges_into_the_past() -> None:
    rows = events((10, 1.0), (20, 2.0))

    assert answers_at(window("sum", 5, delay=10), rows, 20, 21, 25, 26, 31) == [
        None,
        1.0,
        1.0,
        None,
        2.0,
    ]


def test_a_sliding_window_ends_at_the_last_point_of_its_grid() -> None:
    rows = events((9, 1.0), (10, 2.0), (19, 4.0), (20, 8.0))
    sliding = window("sum", 20, every=10)

    assert answers_at(sliding, rows, 9, 10, 19, 20, 29, 30, 40) == [
        None,
        1.0,
        1.0,
        7.0,
        7.0,
        14.0,
        8.0,
    ]


def test_an_offset_shifts_the_grid_and_a_delay_the_moment() -> None:
    rows = events((12, 1.0), (13, 2.0), (22, 4.0), (23, 8.0))

    assert answers_at(window("sum", 10, every=10, offset=3), rows, 22, 23, 32, 33) == [
        1.0,
        6.0,
        6.0,
        8.0,
    ]
    assert answers_at(window("sum", 10, every=10, offset=3, delay=5), rows, 27, 28) == [1.0, 6.0]


def test_a_grid_goes_on_before_1970_and_to_the_ends_of_time() -> None:
    rows = events((-21, 1.0), (-20, 2.0), (-11, 4.0), (-10, 8.0))

    assert answers_at(window("sum", 10, every=10), rows, -11, -10, -1, 0) == [1.0, 6.0, 6.0, 8.0]
    assert answers_at(window("count", every=10), rows, -(2**63), 2**63 - 1) == [0, 4]


def test_a_window_on_a_grid_has_the_rows_that_are_valid_at_the_moment_and_not_at_its_end() -> None:
    rows = stored(
        [
            {"event_timestamp": 15, "available_timestamp": 15, "x": 1.0},
            {"event_timestamp": 16, "available_timestamp": 24, "x": 2.0},
        ]
    )

    assert answers_at(window("sum", 10, every=10), rows, 20, 23, 24, 29, 30) == [
        1.0,
        1.0,
        3.0,
        3.0,
        None,
    ]


def test_a_lifetime_window_has_no_lower_edge() -> None:
    rows = events((-(10**15), 1.0), (20, 2.0))

    assert answers_at(window("sum"), rows, 20, 21) == [1.0, 3.0]


def test_the_views_delay_moves_what_is_visible_and_not_the_edges() -> None:
    rows = stored([{"event_timestamp": 10, "available_timestamp": 15, "x": 1.0}])
    query = window("sum", 10, rows=Rows(available_delay=5))

    assert answers_at(query, rows, 14, 15, 20, 21) == [None, 1.0, 1.0, None]


def test_late_rows_count_from_their_available_time_on() -> None:
    rows = stored(
        [
            {"event_timestamp": 10, "available_timestamp": 10, "x": 1.0},
            {"event_timestamp": 11, "available_timestamp": 18, "x": 2.0},
            {"event_timestamp": 12, "available_timestamp": 12, "x": 4.0},
        ]
    )

    assert answers_at(window("sum", 20), rows, 13, 17, 18, 30, 31) == [5.0, 5.0, 7.0, 7.0, 6.0]
    assert answers_at(window("last", 20), rows, 13, 18) == [4.0, 4.0]


def test_rows_never_visible_to_the_spine_change_nothing() -> None:
    rows = stored(
        [
            {"event_timestamp": 10, "available_timestamp": 10, "x": 1.0},
            {"event_timestamp": 11, "available_timestamp": 10**17, "x": 2.0},
        ]
    )

    assert answers_at(window("count"), rows, 12, 10**16, 10**17) == [1, 1, 2]


def test_a_revision_replaces_its_event_in_the_windows_of_its_new_time() -> None:
    rows = stored(
        [
            {"event_timestamp": 10, "available_timestamp": 10, "order": 7, "x": 1.0},
            {"event_timestamp": 30, "available_timestamp": 40, "order": 7, "x": 2.0},
            {"event_timestamp": 12, "available_timestamp": 12, "order": 8, "x": 4.0},
        ]
    )
    query = window("sum", 25, rows=Rows(unique_by=("order",)))

    assert answers_at(query, rows, 35, 36, 39, 40, 55, 56) == [5.0, 4.0, None, 2.0, 2.0, None]


def test_a_retracted_event_is_in_no_window() -> None:
    rows = stored(
        [
            {
                "event_timestamp": 10,
                "available_timestamp": 10,
                "order": 7,
                "_deleted": False,
                "x": 1.0,
            },
            {
                "event_timestamp": 10,
                "available_timestamp": 20,
                "order": 7,
                "_deleted": True,
                "x": 1.0,
            },
        ]
    )
    query = window("count", rows=Rows(unique_by=("order",), has_deleted=True))

    assert answers_at(query, rows, 19, 20) == [1, 0]


def test_a_tombstone_is_not_counted_and_hides_no_earlier_event() -> None:
    rows = stored(
        [
            {"event_timestamp": 10, "_deleted": False, "x": 1.0},
            {"event_timestamp": 20, "_deleted": True, "x": 2.0},
        ]
    )
    query = window("count", column="*", dtype=None, rows=Rows(has_deleted=True))

    assert answers_at(query, rows, 15, 25) == [1, 1]


def test_count_skips_nulls_and_count_star_counts_rows() -> None:
    rows = events((10, 1.0), (11, None), (12, 3.0))

    assert answers_at(window("count"), rows, 20) == [2]
    assert answers_at(window("count", column="*", dtype=None), rows, 20) == [3]


def test_two_events_at_one_moment_both_count() -> None:
    rows = events((10, 1.0), (10, 1.0))

    assert answers_at(window("count"), rows, 11) == [2]
    assert answers_at(window("sum"), rows, 11) == [2.0]


def test_last_skips_nulls() -> None:
    rows = events((10, "a"), (11, None))

    assert answers_at(window("last", dtype=String), rows, 10, 20) == [None, "a"]


def test_an_empty_window_counts_0_gives_an_empty_list_and_is_null_else() -> None:
    rows = events((10, True))

    empty = {
        name: answers_at(window(name, 1, dtype=Boolean), rows, 5) for name in ("any", "count")
    }
    lists = [
        answers_at(window(name, 1), events((10, 1.0)), 5) for name in ("first3", "last3", "top3")
    ]

    assert empty == {"any": [None], "count": [0]}
    assert lists == [[[]], [[]], [[]]]


@pytest.mark.parametrize("spec", FUNCTION_SPECS.values(), ids=lambda spec: spec.name)
def test_an_empty_window_answers_what_the_function_specifies(spec: FunctionSpec) -> None:
    dtype, value = (Float64, 1.0) if output_type(spec.sample, Float64) else (Boolean, True)

    answer = answers_at(window(spec.sample, 1, dtype=dtype), events((10, value)), 5)

    assert answer == [[] if spec.empty == () else spec.empty]


@pytest.mark.parametrize("spec", FUNCTION_SPECS.values(), ids=lambda spec: spec.name)
@pytest.mark.parametrize("ddof", [0, 1])
def test_a_function_is_null_below_its_fewest_values_only(spec: FunctionSpec, ddof: int) -> None:
    dtype = Float64 if output_type(spec.sample, Float64) else Boolean
    values = [1.0, 2.0, 4.0, 8.0, 16.0] if dtype == Float64 else [True] * 5
    rows = events(*((n, value) for n, value in enumerate(values, 1)))
    fewest = spec.least_values(ddof)

    answer = answers_at(window(spec.sample, dtype=dtype, ddof=ddof), rows, *range(2, 7))

    assert [value is None for value in answer] == [n < fewest for n in range(1, 6)]


def test_empty_is_the_answer_of_windows_without_values_and_not_of_null_keys() -> None:
    rows = events((10, 1.0))
    spine = pa.table({"card": [1, 2, None], "at": [20, 20, 20]})

    assert answer_view(window("sum", empty=-1), spine, rows)["x"].to_pylist() == [1.0, -1.0, None]
    assert answer_view(window("count", empty=7), spine, rows)["x"].to_pylist() == [1, 7, None]


@pytest.mark.parametrize(
    ("dtype", "empty", "expected"),
    [
        (String, "none", "none"),
        (Boolean, False, False),
        (Decimal(10, 2), 0, PythonDecimal("0.00")),
        (Decimal(10, 2), 0.5, PythonDecimal("0.50")),
        (Date, "2000-01-01", dt.date(2000, 1, 1)),
    ],
)
def test_empty_takes_the_type_of_the_feature(
    dtype: object, empty: object, expected: object
) -> None:
    query = window("last", dtype=dtype, empty=empty)
    rows = events((10, None), dtype=pa.null())

    assert answers_at(query, rows.set_column(4, "x", pa.nulls(1, _arrow(dtype))), 20) == [expected]


def _arrow(dtype: object) -> pa.DataType:
    return {
        String: pa.string(),
        Boolean: pa.bool_(),
        Decimal(10, 2): pa.decimal128(10, 2),
        Date: pa.date32(),
    }[dtype]


def test_stddev_is_the_samples_and_null_for_one_value() -> None:
    rows = events((10, 1.0), (11, 3.0), (12, None))

    assert answers_at(window("stddev"), rows, 11, 20) == [None, math.sqrt(2.0)]


def test_a_population_divides_by_the_number_of_values_and_one_deviates_by_0() -> None:
    rows = events((10, 0.1), (11, 2.1), (12, None))

    assert answers_at(window("variance", ddof=0), rows, 10, 11, 20) == [
        None,
        0.0,
        pytest.approx(1.0),
    ]
    assert answers_at(window("stddev", ddof=0), rows, 10, 11, 20) == [
        None,
        0.0,
        pytest.approx(1.0),
    ]
    assert answers_at(window("variance"), rows, 11, 20) == [None, pytest.approx(2.0)]


def test_variances_of_huge_and_tiny_values_are_within_the_range_of_floats() -> None:
    rows = events((10, 1e300), (11, -1e300), (20, 1e-100), (21, 3e-100))

    assert answers_at(window("variance", 5), rows, 15, 25) == [
        INF,
        pytest.approx(2e-200, rel=1e-12),
    ]


def test_first_and_last_skip_nulls_of_the_least_and_the_greatest_rank() -> None:
    rows = events((10, None), (11, "b"), (12, "c"), (13, None))

    assert answers_at(window("first", dtype=String), rows, 11, 12, 20) == [None, "b", "b"]
    assert answers_at(window("last", dtype=String), rows, 11, 12, 20) == [None, "b", "c"]
    assert answers_at(window("first", 2, dtype=String), rows, 14, 15) == ["c", None]


def test_last_n_is_newest_first_and_first_n_oldest_first_without_nulls() -> None:
    rows = events((10, "a"), (11, None), (12, "c"), (13, "d"))

    assert answers_at(window("last2", dtype=String), rows, 10, 12, 13, 20) == [
        [],
        ["a"],
        ["c", "a"],
        ["d", "c"],
    ]
    assert answers_at(window("first2", dtype=String), rows, 12, 20) == [["a"], ["a", "c"]]
    assert answers_at(window("last2", 2, dtype=String), rows, 13) == [["c"]]


def test_last_n_orders_a_late_row_by_its_rank() -> None:
    rows = stored(
        [
            {"event_timestamp": 10, "available_timestamp": 10, "x": 1.0},
            {"event_timestamp": 11, "available_timestamp": 18, "x": 2.0},
            {"event_timestamp": 12, "available_timestamp": 12, "x": 4.0},
        ]
    )

    assert answers_at(window("last3"), rows, 13, 18) == [[4.0, 1.0], [4.0, 2.0, 1.0]]
    assert answers_at(window("first2"), rows, 13, 18) == [[1.0, 4.0], [1.0, 2.0]]


def test_lists_of_lists_and_of_null_keys() -> None:
    rows = events((10, [1]), (11, []), dtype=pa.list_(pa.int64()))
    spine = pa.table({"card": [1, 2, None], "at": [20, 20, 20]})

    lists = answer_view(window("last3", dtype=Array(Int64)), spine, rows)["x"]

    assert lists.to_pylist() == [[[], [1]], [], None]


def test_top_n_is_descending_with_nan_first() -> None:
    rows = events((10, 1.0), (11, NAN), (12, -0.0), (13, 1.0), (14, None))

    assert repr(answers_at(window("top3"), rows, 11, 20)) == "[[1.0], [nan, 1.0, 1.0]]"
    assert str(answers_at(window("top3", 2), rows, 14)) == "[[1.0, 0.0]]"


@pytest.mark.parametrize(
    ("percentile", "expected"),
    [("p0", 1.0), ("p50", 2.5), ("p90", 8.6), ("p100", 11.0)],
)
def test_percentiles_are_interpolated_linearly_between_two_values(
    percentile: str, expected: float
) -> None:
    rows = events((10, 3.0), (11, 1.0), (12, None), (13, 11.0), (14, 2.0))

    assert answers_at(window(percentile), rows, 10, 20) == [
        None,
        pytest.approx(expected, rel=1e-15),
    ]


def test_percentiles_of_integers_and_decimals_are_floats() -> None:
    prices = [(10, PythonDecimal("0.10")), (11, PythonDecimal("0.30"))]

    assert answers_at(window("p50", dtype=Int64), events((10, 1), (11, 2)), 20) == [1.5]
    assert answers_at(window("p50", dtype=Decimal(5, 2)), events(*prices), 20) == [
        pytest.approx(0.2)
    ]


def test_a_percentile_between_infinities_is_nan_and_of_huge_values_finite() -> None:
    assert answers_at(window("p50"), events((10, INF), (11, 1.0)), 20) == [INF]
    assert math.isnan(answers_at(window("p50"), events((10, INF), (11, -INF)), 20)[0])
    assert answers_at(window("p50"), events((10, 1.7e308), (11, 1.5e308)), 20) == [1.6e308]


def by_category(function: str, size: int | None = None, **options: object) -> ViewQuery:
    query = window(function, size, **options)
    [feature] = query.aggregates
    result = Map(String, feature.result)
    return replace(query, aggregates=(replace(feature, by="shop", result=result),))


def shops(*rows: tuple[int, str | None, object]) -> pa.Table:
    table = events(*((at, x) for at, _, x in rows))
    return table.append_column("shop", pa.array([shop for _, shop, _ in rows], pa.string()))


def test_sums_by_category_hold_the_categories_that_have_values_in_order() -> None:
    rows = shops((10, "b", 1.0), (11, "a", 2.0), (12, "b", 4.0), (13, None, 8.0), (14, "c", None))

    assert answers_at(by_category("sum"), rows, 10, 12, 20) == [
        [],
        [("a", 2.0), ("b", 1.0)],
        [("a", 2.0), ("b", 5.0)],
    ]
    assert answers_at(by_category("sum", 2), rows, 14) == [[("b", 4.0)]]
    assert answers_at(by_category("count"), rows, 20) == [[("a", 1), ("b", 2)]]
    assert answers_at(by_category("count", column="*", dtype=None), rows, 20) == [
        [("a", 1), ("b", 2), ("c", 1)]
    ]


def test_nan_in_one_category_changes_no_other() -> None:
    rows = shops((10, "a", NAN), (11, "b", 1.0), (12, "b", 1e300), (13, "b", -1e300))

    assert repr(answers_at(by_category("sum"), rows, 20)) == "[[('a', nan), ('b', 1.0)]]"


def test_an_overflow_in_one_category_names_the_feature() -> None:
    rows = shops((10, "b", 1), (11, "b", 2**62), (12, "b", 2**62))

    with pytest.raises(SumOverflowError) as error:
        answers_at(by_category("sum", dtype=Int64), rows, 20, 11, 12, 10)

    assert "feature 'x'" in error.value.call
    assert "Int64" in error.value.found
    assert "card=1 as of 1970-01-01T00:00:00.000020Z" in error.value.found
    assert error.value.row == 0


def test_maps_of_null_keys_are_null() -> None:
    spine = pa.table({"card": [1, 2, None], "at": [20, 20, 20]})

    maps = answer_view(by_category("count"), spine, shops((10, "a", 1.0)))["x"]

    assert maps.to_pylist() == [[("a", 1)], [], None]
    assert maps.type == pa.map_(pa.string(), pa.int64())


def test_mode_is_the_least_of_the_most_frequent_values() -> None:
    words = events((10, "b"), (11, "a"), (12, "b"), (13, "a"), (14, None))
    flags = events((10, True), (11, True), (12, False), dtype=pa.bool_())

    assert answers_at(window("mode", dtype=String), words, 10, 11, 13, 20) == [None, "b", "b", "a"]
    assert answers_at(window("mode", 2, dtype=Boolean), flags, 12, 13) == [True, False]
    assert str(answers_at(window("mode"), events((10, -0.0), (11, 0.0), (12, 3.0)), 20)) == "[0.0]"


def test_any_and_all_are_null_without_values() -> None:
    rows = events((10, None), (11, True), (12, False), dtype=pa.bool_())

    assert answers_at(window("any", dtype=Boolean), rows, 11, 12, 13) == [None, True, True]
    assert answers_at(window("all", dtype=Boolean), rows, 11, 12, 13) == [None, True, False]
    assert answers_at(window("any", 1, dtype=Boolean), rows, 13) == [False]


def test_stddev_of_values_far_from_zero_does_not_cancel() -> None:
    rows = events((10, 1e8), (11, 1e8 + 1.0), (12, 1e8 + 0.5))

    assert answers_at(window("stddev", 2), rows, 12, 13) == pytest.approx(
        [math.sqrt(0.5), math.sqrt(0.125)], abs=1e-7
    )


def test_stddev_of_integers_and_decimals_is_a_float() -> None:
    prices = [(10, PythonDecimal("0.10")), (11, PythonDecimal("0.30"))]

    assert answers_at(window("stddev", dtype=Int32), events((10, 1), (11, 3)), 20) == [
        math.sqrt(2.0)
    ]
    assert answers_at(window("stddev", dtype=Decimal(5, 2)), events(*prices), 20) == [
        pytest.approx(math.sqrt(0.02), abs=1e-15)
    ]


def test_nan_reaches_only_the_windows_that_contain_it() -> None:
    rows = events((10, 1.0), (20, NAN), (30, 2.0))

    for function in ("sum", "mean", "min", "max", "p50"):
        before, inside, after = answers_at(window(function, 10), rows, 15, 25, 35)
        assert before == 1.0
        assert math.isnan(inside)
        assert after == 2.0


def test_infinities_reach_only_the_windows_that_contain_them() -> None:
    rows = events((10, INF), (20, -INF), (30, 2.0))

    assert answers_at(window("sum", 10), rows, 15, 25, 35) == [INF, -INF, 2.0]
    assert math.isnan(answers_at(window("mean", 20), rows, 25)[0])
    assert math.isnan(answers_at(window("stddev", 20), rows, 35)[0])
    assert answers_at(window("min", 20), rows, 25, 35) == [-INF, -INF]


def test_a_huge_value_in_the_history_cancels_nothing_later() -> None:
    rows = events((10, 1e300), (20, 0.1), (21, 0.2), (30, 1e-300), (31, 3e-300))

    assert answers_at(window("sum", 5), rows, 15, 25, 35) == [1e300, 0.1 + 0.2, 4e-300]
    assert answers_at(window("mean", 5), rows, 25) == [pytest.approx(0.15, rel=1e-15)]
    assert answers_at(window("stddev", 5), rows, 25, 35) == [
        pytest.approx(math.sqrt(0.005), rel=1e-12),
        pytest.approx(math.sqrt(2) * 1e-300, rel=1e-12),
    ]


def test_the_mean_of_huge_values_is_finite_though_their_sum_is_not() -> None:
    rows = events((10, 1.5e308), (11, 1.5e308))

    assert answers_at(window("sum"), rows, 20) == [INF]
    assert answers_at(window("mean"), rows, 20) == [1.5e308]


def test_a_sum_is_rounded_once_whatever_the_order() -> None:
    rows = events((10, 1e16), (11, 1.0), (12, -1e16), (13, 1.0))

    assert answers_at(window("sum"), rows, 20) == [2.0]


def test_minus_zero_is_zero() -> None:
    rows = events((10, -0.0), (11, 0.0))

    for function in ("min", "max", "sum"):
        assert str(answers_at(window(function, 1), rows, 11)[0]) == "0.0"
    assert answers_at(window("count_distinct"), rows, 20) == [1]


def test_count_distinct_sees_one_nan_and_no_nulls() -> None:
    rows = events((10, NAN), (11, -NAN), (12, None), (13, 1.0), (14, 1.0))

    assert answers_at(window("count_distinct"), rows, 12, 13, 20) == [1, 1, 2]
    assert answers_at(window("count_distinct", 2), rows, 15) == [1]


def test_integer_sums_are_exact_beyond_the_integers_of_floats() -> None:
    rows = events((10, 2**62), (11, 2**62 - 1), (12, -(2**62)), (13, 3))

    assert answers_at(window("sum", dtype=Int64), rows, 11, 12, 13, 14) == [
        2**62,
        2**63 - 1,
        2**62 - 1,
        2**62 + 2,
    ]
    assert answers_at(window("mean", dtype=Int64), rows, 12) == [float(2**62)]


def test_a_window_whose_sum_overflows_is_an_error_that_names_the_feature() -> None:
    rows = events((10, 2**62), (11, 2**62), (12, 1))

    with pytest.raises(SumOverflowError) as error:
        answers_at(window("sum", dtype=Int64), rows, 9, 20, 11)

    assert error.value.row == 1
    assert error.value.call == "feature 'x' of view 'view'"
    assert "Int64" in error.value.found
    assert "card=1 as of 1970-01-01T00:00:00.000020Z" in error.value.found
    assert "field 'x' as Decimal(38, 0) or Float64" in error.value.fix
    assert answers_at(window("sum", 1, dtype=Int64), rows, 11, 12, 13) == [2**62, 2**62, 1]
    assert answers_at(window("mean", dtype=Int64), rows, 12) == [float(2**62)]


def test_small_integers_add_up_to_int64() -> None:
    rows = events((10, 2**31 - 1), (11, 2**31 - 1), dtype=pa.int32())

    assert answers_at(window("sum", dtype=Int32), rows, 20) == [2**32 - 2]


def test_decimal_sums_are_exact_to_38_digits() -> None:
    large, small = PythonDecimal("9" * 37 + ".9"), PythonDecimal("-" + "9" * 37 + ".9")
    rows = events((10, large), (11, PythonDecimal("-0.1")), (12, small), (13, None))
    query = window("sum", dtype=Decimal(38, 1))

    assert answers_at(query, rows, 10, 11, 12, 20) == [
        None,
        large,
        PythonDecimal("9" * 37 + ".8"),
        PythonDecimal("-0.1"),
    ]


@pytest.mark.parametrize("values", [("9.9", "0.1"), ("-9.9", "-9.9", "-9.9")])
def test_a_decimal_sum_of_more_than_38_digits_is_an_error(values: tuple[str, ...]) -> None:
    nines = [PythonDecimal(text.replace("9.9", "9" * 37 + ".9")) for text in values]
    rows = events(*((at, value) for at, value in enumerate(nines, 10)))

    with pytest.raises(SumOverflowError) as error:
        answers_at(window("sum", dtype=Decimal(38, 1)), rows, 20)

    assert "feature 'x'" in error.value.call
    assert "Decimal(38, 1)" in error.value.found
    assert "field 'x' as Float64" in error.value.fix


def test_the_mean_of_decimals_is_a_float() -> None:
    rows = events((10, PythonDecimal("0.10")), (11, PythonDecimal("-0.30")))

    assert answers_at(window("mean", dtype=Decimal(5, 2)), rows, 20) == [-0.1]


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (String, ["b", "a", "é"]),
        (Date, [dt.date(2000, 1, 1), dt.date(1969, 1, 1), dt.date(2100, 1, 1)]),
        (Decimal(5, 2), [PythonDecimal(text) for text in ("0.00", "-1.50", "9.99")]),
        (Int64, [0, -(2**63), 2**63 - 1]),
        (Timestamp, [dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2000, 1900, 2100)]),
    ],
)
def test_min_and_max_order_every_type_by_value(dtype: object, values: list) -> None:
    middle, least, greatest = values
    kind = pa.timestamp("us", tz="UTC") if dtype == Timestamp else None
    rows = events((10, middle), (11, least), (12, None), (13, greatest), (14, middle), dtype=kind)

    assert answers_at(window("min", dtype=dtype), rows, 10, 11, 15) == [None, middle, least]
    assert answers_at(window("max", dtype=dtype), rows, 10, 11, 15) == [None, middle, greatest]
    assert answers_at(window("min", 2, dtype=dtype), rows, 15) == [middle]


def test_min_of_a_float32_stays_one() -> None:
    rows = events((10, 0.1), dtype=pa.float32())
    spine = pa.table({"card": [1], "at": [20]})

    assert answer_view(window("min", dtype=Float32), spine, rows).schema.types == [pa.float32()]


def test_windows_never_reach_into_the_next_key() -> None:
    rows = stored([{"id": key, "event_timestamp": 10, "x": float(key)} for key in (1, 2, 3)])
    spine = pa.table({"card": [3, 1, 2, 1], "at": [11, 11, 11, 5]})

    for function in ("sum", "min", "max", "mean", "last"):
        values = answer_view(window(function), spine, rows)["x"].to_pylist()
        assert values == [3.0, 1.0, 2.0, None]


def test_a_null_key_or_time_gives_null_even_for_counts() -> None:
    rows = events((10, 1.0))
    spine = pa.table({"card": [None, 1, 2], "at": [20, None, 20]})

    assert answer_view(window("count"), spine, rows)["x"].to_pylist() == [None, None, 0]


def test_a_spine_whose_times_are_all_null_gives_nulls() -> None:
    rows = stored([{"event_timestamp": 10, "available_timestamp": 30, "x": 1.0}])

    assert answers_at(window("count"), rows, None, None) == [None, None]


def test_an_empty_spine_answers_with_the_schema() -> None:
    rows = stored([{"event_timestamp": 10, "available_timestamp": 30, "x": 1.0}])
    spine = pa.table({"card": pa.array([], pa.int64()), "at": pa.array([], pa.int64())})

    assert answer_view(window("mean"), spine, rows).schema == pa.schema({"x": pa.float64()})
