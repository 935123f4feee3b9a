"""The parts of the kernel against plain definitions, on inputs that small worlds never have."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from operator import itemgetter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines import reference
from featurestore.engines.kernel import search
from featurestore.engines.kernel.asof import interval_max
from featurestore.engines.kernel.bucket_index import bucket_index
from featurestore.engines.kernel.native.loops import compiled
from featurestore.engines.kernel.range_queries import exact_sums, range_table
from featurestore.engines.kernel.range_queries.range_table import Layout, Ranges, RangeTable
from featurestore.engines.kernel.range_queries.wavelet import Wavelet
from featurestore.engines.kernel.search import Timeline, composed
from featurestore.engines.kernel.slices import Slices
from tests.effort import examples

ENDS = st.sampled_from([-(2**63), -(2**62), 0, 2**62, 2**63 - 1])
TIMES = ENDS | st.integers(-20, 20)
SHIFTS = st.integers(-20, 20) | st.sampled_from([-(2**62), 2**62, 2**63 - 1])
PAIRS = st.lists(st.tuples(st.integers(0, 3), TIMES))
# Like most values: their sums have two digits, which are floats unless there are many values.
NEAR = st.floats(-9, 9).map(lambda value: value + 10) | st.sampled_from([2.0**21 - 2**-30, 2e-5])
TIMES_OVER = st.sampled_from([1, 3000])
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-10, 10)


NEEDS_LOOPS = pytest.mark.skipif(compiled() is None, reason="the loops are not compiled here")
BOTH_IMPLEMENTATIONS = pytest.mark.parametrize(
    "loops", ["numpy", pytest.param("compiled", marks=NEEDS_LOOPS)]
)


@contextmanager
def implemented_by(loops: str) -> Iterator[None]:
    """Let the kernel use the compiled loops, or NumPy."""
    library = compiled() if loops == "compiled" else None
    with pytest.MonkeyPatch.context() as patch:
        for module in (exact_sums, search, range_table):
            patch.setattr(module, "compiled", lambda: library)
        yield


@BOTH_IMPLEMENTATIONS
@given(
    rows=PAIRS,
    searched=st.lists(st.tuples(st.integers(0, 5), TIMES)),
    in_order=st.booleans(),
    shift=SHIFTS,
)
def test_a_timeline_counts_the_pairs_before_each_searched_one(
    loops: str, rows: list, searched: list, in_order: bool, shift: int
) -> None:
    rows, searched = sorted(rows), sorted(searched, key=None if in_order else itemgetter(0))
    codes, times = columns(searched)

    with implemented_by(loops):
        counts = Timeline(*columns(rows)).searcher(codes).before(times, shift)

    shifted = [(code, max(-(2**63), min(time - shift, 2**63 - 1))) for code, time in searched]
    assert counts.tolist() == [sum(row < pair for row in rows) for pair in shifted]


@BOTH_IMPLEMENTATIONS
@given(
    seed=st.integers(0, 99),
    pairs=st.integers(0, 3000),
    searches=st.integers(0, 300),
    codes=st.sampled_from([1, 2, 40, 5000]),
    range_of_times=st.sampled_from([3, 500, 10**15]),
)
def test_a_long_timeline_counts_as_a_plain_binary_search(
    loops: str, seed: int, pairs: int, searches: int, codes: int, range_of_times: int
) -> None:
    draw = np.random.default_rng(seed)
    line, searched = (
        np.sort(draw.integers(0, codes, size) * 2**50 + draw.integers(0, range_of_times, size))
        for size in (pairs, searches)
    )

    with implemented_by(loops):
        searched_codes, searched_times = divmod(searched, 2**50)
        counts = Timeline(*divmod(line, 2**50)).searcher(searched_codes).before(searched_times)

    assert counts.tolist() == np.searchsorted(line, searched).tolist()


@given(
    seed=st.integers(0, 99),
    count=st.integers(1, 5000),
    searches=st.integers(0, 300),
    end=st.sampled_from([1, 7, 500, 2**20, 2**62]),
)
def test_a_bucket_index_counts_as_a_plain_binary_search(
    seed: int, count: int, searches: int, end: int
) -> None:
    draw = np.random.default_rng(seed)
    numbers, searched = np.sort(draw.integers(0, end, count)), draw.integers(0, end, searches)

    index = bucket_index(numbers, end)

    if count > 100 * end:
        assert index is None
    elif index is not None:
        assert index.before(searched).tolist() == np.searchsorted(numbers, searched).tolist()


def test_evenly_spread_numbers_have_a_bucket_index_and_clustered_ones_have_none() -> None:
    even, clustered = np.arange(0, 10_000, 7), np.append(np.zeros(1000, np.int64), 9_999)

    assert bucket_index(even, 10_000) is not None
    assert bucket_index(clustered, 10_000) is None


@given(PAIRS)
def test_composed_numbers_order_as_their_pairs(pairs: list) -> None:
    numbers = composed(*columns(pairs))

    if numbers is not None:
        order = np.argsort(numbers, kind="stable")
        assert [pairs[at] for at in order] == sorted(pairs)


def columns(pairs: list[tuple[int, int]]) -> np.ndarray:
    """Return pairs as two arrays."""
    return np.array(pairs, np.int64).reshape(-1, 2).T.copy()


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20))), st.just(20))
def test_the_interval_maximum_is_the_greatest_value_over_each_position(
    intervals: list, size: int
) -> None:
    first, stop = columns(intervals)

    greatest = interval_max(first, stop, np.arange(len(intervals)), size)

    assert greatest.tolist() == [
        max((n for n, (low, high) in enumerate(intervals) if low <= position < high), default=-1)
        for position in range(size)
    ]


@given(st.lists(st.integers(0, 70)), st.data())
def test_a_wavelet_matrix_counts_the_numbers_below_a_bound_in_any_range(
    numbers: list, data: object
) -> None:
    edge = st.integers(0, len(numbers))
    ranges = data.draw(st.lists(st.tuples(edge, edge, st.integers(0, 200)), max_size=5))
    ranges = [(min(low, high), max(low, high), bound) for low, high, bound in ranges]

    start, stop, bound = np.array(ranges, np.int64).reshape(-1, 3).T
    counts = Wavelet(np.array(numbers, np.int64)).below(start, stop, bound)

    assert counts.tolist() == [
        sum(number < bound for number in numbers[low:high]) for low, high, bound in ranges
    ]


@given(st.lists(st.integers(0, 70), min_size=1), st.data())
def test_a_wavelet_matrix_finds_the_nth_of_several_ranges_together(
    numbers: list, data: object
) -> None:
    edge = st.integers(0, len(numbers))
    ranges = data.draw(st.lists(st.tuples(edge, edge).map(sorted), min_size=1, max_size=4))
    expected = sorted(number for low, high in ranges for number in numbers[low:high])
    slices = Slices(*columns(ranges), np.array([0]))

    matrix = Wavelet(np.array(numbers, np.int64))
    nth = [int(matrix.nth(slices, np.array([n]))[0]) for n in range(len(expected))]

    assert nth == expected


@BOTH_IMPLEMENTATIONS
@given(
    size=st.sampled_from([1, 31, 300, 20_000]),
    seed=st.integers(0, 9),
    dtype=st.sampled_from([np.int64, np.float64]),
    data=st.data(),
)
def test_a_range_table_finds_the_extreme_of_any_range(
    loops: str, size: int, seed: int, dtype: type, data: object
) -> None:
    numbers = np.random.default_rng(seed).integers(-99, 99, size).astype(dtype)
    if dtype is np.float64:
        numbers[numbers == 7.0] = np.nan
    edge = st.integers(0, size)
    ranges = data.draw(st.lists(st.tuples(edge, edge).map(sorted), min_size=1, max_size=9))
    filled = [at for at, (low, high) in enumerate(ranges) if low < high]

    for choose in (np.minimum, np.maximum):
        with implemented_by(loops):
            extremes = RangeTable(numbers, choose).of(Ranges(Layout(size), *columns(ranges)))

        expected = [choose.reduce(numbers[slice(*ranges[at])]) for at in filled]
        assert len(extremes) == len(ranges)
        np.testing.assert_array_equal(extremes[filled], expected)


@BOTH_IMPLEMENTATIONS
@given(
    values=st.lists(FLOATS, max_size=20) | st.lists(NEAR, max_size=20),
    times=TIMES_OVER,
    data=st.data(),
)
@examples(400)
def test_exact_sums_of_floats_are_the_nearest_floats(
    loops: str, values: list, times: int, data: object
) -> None:
    low = data.draw(st.integers(0, len(values)))
    exact = times * sum(map(Fraction, values), Fraction(0)) - sum(map(Fraction, values[:low]))
    slices = Slices(np.array([low]), np.array([len(values) * times]))

    column = np.tile(np.array(values, np.float64), times)
    with implemented_by(loops):
        total = exact_sums.of_floats(column).rounded(slices)[0]

    assert total == reference.to_float(exact)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_exact_sums_of_integers_are_exact(values: list) -> None:
    slices = Slices(np.array([0]), np.array([len(values)]))

    digits = exact_sums.of_integers(np.array(values, np.int64)).totals(slices).digits

    assert sum(int(digit[0]) << (32 * nth) for nth, digit in enumerate(digits)) == sum(values)
