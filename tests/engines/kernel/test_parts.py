"""The kernel's parts against their plain definitions, also where tiny worlds never lead."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from operator import itemgetter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines import reference
from featurestore.engines.kernel import search as timeline
from featurestore.engines.kernel.asof import paint
from featurestore.engines.kernel.native.loops import compiled
from featurestore.engines.kernel.range_queries import exact_sums as digits
from featurestore.engines.kernel.range_queries import range_table as ranges
from featurestore.engines.kernel.range_queries.range_table import Layout, Ranges, RangeTable
from featurestore.engines.kernel.range_queries.wavelet import Wavelet
from featurestore.engines.kernel.search import Timeline, composed
from featurestore.engines.kernel.slices import Slices
from tests.effort import examples

ENDS = st.sampled_from([-(2**63), -(2**62), 0, 2**62, 2**63 - 1])
TIMES = ENDS | st.integers(-20, 20)
SHIFTS = st.integers(-20, 20) | st.sampled_from([-(2**62), 2**62, 2**63 - 1])
PAIRS = st.lists(st.tuples(st.integers(0, 3), TIMES))
# As most values are: their digits have two places, which are floats unless there are many.
NEAR = st.floats(-9, 9).map(lambda value: value + 10) | st.sampled_from([2.0**21 - 2**-30, 2e-5])
TIMES_OVER = st.sampled_from([1, 3000])
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-10, 10)


WAYS = pytest.mark.parametrize("loops", [None, compiled()], ids=["numpy", "compiled"])


@contextmanager
def by_way_of(loops: object) -> Iterator[None]:
    """Let the kernel use the compiled loops, or none."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (digits, timeline, ranges):
            patch.setattr(module, "compiled", lambda: loops)
        yield


@WAYS
@given(
    rows=PAIRS,
    asked=st.lists(st.tuples(st.integers(0, 5), TIMES)),
    in_order=st.booleans(),
    shift=SHIFTS,
)
def test_a_timeline_counts_the_pairs_before_each_asked_one(
    loops: object, rows: list, asked: list, in_order: bool, shift: int
) -> None:
    rows, asked = sorted(rows), sorted(asked, key=None if in_order else itemgetter(0))
    codes, times = columns(asked)

    with by_way_of(loops):
        found = Timeline(*columns(rows)).asked(codes).before(times, shift)

    shifted = [(code, max(-(2**63), min(time - shift, 2**63 - 1))) for code, time in asked]
    assert found.tolist() == [sum(row < pair for row in rows) for pair in shifted]


@WAYS
@given(
    seed=st.integers(0, 99),
    pairs=st.integers(0, 3000),
    asked=st.integers(0, 300),
    codes=st.sampled_from([1, 2, 40, 5000]),
    range_of_times=st.sampled_from([3, 500, 10**15]),
)
def test_a_long_timeline_counts_alike_however_far_apart_the_asked_are(
    loops: object, seed: int, pairs: int, asked: int, codes: int, range_of_times: int
) -> None:
    draw = np.random.default_rng(seed)
    line, wanted = (
        np.sort(draw.integers(0, codes, size) * 2**50 + draw.integers(0, range_of_times, size))
        for size in (pairs, asked)
    )

    with by_way_of(loops):
        held, sought = (divmod(numbers, 2**50) for numbers in (line, wanted))
        found = Timeline(*held).asked(sought[0]).before(sought[1])

    assert found.tolist() == np.searchsorted(line, wanted).tolist()


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
def test_painting_shows_the_greatest_colour_over_each_place(stretches: list, size: int) -> None:
    first, stop = columns(stretches)

    found = paint(first, stop, np.arange(len(stretches)), size)

    assert found.tolist() == [
        max((n for n, (low, high) in enumerate(stretches) if low <= place < high), default=-1)
        for place in range(size)
    ]


@given(st.lists(st.integers(0, 70)), st.data())
def test_a_wavelet_matrix_counts_what_is_below_in_any_range(numbers: list, data: object) -> None:
    edge = st.integers(0, len(numbers))
    asked = data.draw(st.lists(st.tuples(edge, edge, st.integers(0, 200)), max_size=5))
    asked = [(min(low, high), max(low, high), bound) for low, high, bound in asked]

    start, stop, bound = np.array(asked, np.int64).reshape(-1, 3).T
    found = Wavelet(np.array(numbers, np.int64)).below(start, stop, bound)

    assert found.tolist() == [
        sum(number < bound for number in numbers[low:high]) for low, high, bound in asked
    ]


@given(st.lists(st.integers(0, 70), min_size=1), st.data())
def test_a_wavelet_matrix_finds_the_nth_of_several_ranges_together(
    numbers: list, data: object
) -> None:
    edge = st.integers(0, len(numbers))
    ranges = data.draw(st.lists(st.tuples(edge, edge).map(sorted), min_size=1, max_size=4))
    held = sorted(number for low, high in ranges for number in numbers[low:high])
    slices = Slices(*columns(ranges), np.array([0]))

    matrix = Wavelet(np.array(numbers, np.int64))
    found = [int(matrix.nth(slices, np.array([n]))[0]) for n in range(len(held))]

    assert found == held


@WAYS
@given(
    size=st.sampled_from([1, 31, 300, 20_000]),
    seed=st.integers(0, 9),
    dtype=st.sampled_from([np.int64, np.float64]),
    data=st.data(),
)
def test_a_range_table_finds_the_extreme_of_any_range(
    loops: object, size: int, seed: int, dtype: type, data: object
) -> None:
    numbers = np.random.default_rng(seed).integers(-99, 99, size).astype(dtype)
    if dtype is np.float64:
        numbers[numbers == 7.0] = np.nan
    edge = st.integers(0, size)
    asked = data.draw(st.lists(st.tuples(edge, edge).map(sorted), max_size=9))
    inside = Ranges(Layout(size), *columns(asked))
    held = [at for at, (low, high) in enumerate(asked) if low < high]

    for choose in (np.minimum, np.maximum):
        with by_way_of(loops):
            found = RangeTable(numbers, choose).of(inside)

        wanted = [choose.reduce(numbers[slice(*asked[at])]) for at in held]
        assert len(found) == len(asked)
        np.testing.assert_array_equal(found[held], wanted)


@WAYS
@given(
    values=st.lists(FLOATS, max_size=20) | st.lists(NEAR, max_size=20),
    times=TIMES_OVER,
    data=st.data(),
)
@examples(400)
def test_digit_sums_of_floats_are_the_nearest_floats(
    loops: object, values: list, times: int, data: object
) -> None:
    low = data.draw(st.integers(0, len(values)))
    exact = times * sum(map(Fraction, values), Fraction(0)) - sum(map(Fraction, values[:low]))
    slices = Slices(np.array([low]), np.array([len(values) * times]))

    column = np.tile(np.array(values, np.float64), times)
    with by_way_of(loops):
        found = digits.of_floats(column).rounded(slices)[0]

    assert found == reference.to_float(exact)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_digit_sums_of_integers_are_exact(values: list) -> None:
    slices = Slices(np.array([0]), np.array([len(values)]))

    totals = digits.of_integers(np.array(values, np.int64)).totals(slices).places

    assert sum(int(total[0]) << (32 * place) for place, total in enumerate(totals)) == sum(values)
