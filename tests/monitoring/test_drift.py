"""Drift, compared with SciPy and with the same formulas on the values themselves."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, chi2_contingency, ks_2samp

from featurestore.monitoring.categories import category_shares
from featurestore.monitoring.columns import profiled
from featurestore.monitoring.distribution import distribution, mixture
from featurestore.monitoring.drift import (
    chi_squared,
    cramers_v,
    distances,
    js,
    ks,
    nulls,
    psi,
)
from featurestore.monitoring.profile import ColumnProfile
from featurestore.monitoring.sketch_values import sketch_values
from featurestore.monitoring.summary import summary
from tests.effort import examples
from tests.monitoring.profiles import PERCENTILES, numbers, texts

floats = st.lists(st.floats(-1e100, 1e100) | st.integers(-3, 3).map(float), min_size=1)
words = st.lists(st.sampled_from("abcdefgh"), min_size=1)


@examples(50)
@given(floats)
def test_equal_numbers_have_no_distance(values: list[float]) -> None:
    profile = numbers(values)

    assert {each.measure: each.value for each in distances(profile, profile)} == {
        "psi": 0.0,
        "js": 0.0,
        "ks": 0.0,
        "nulls": 0.0,
    }


@given(words)
def test_equal_texts_have_no_distance(values: list[str]) -> None:
    for listed in (1, 3, 100):
        profile = texts(values, listed)

        found = {each.measure: each.value for each in distances(profile, profile)}

        assert found == {"psi": 0.0, "js": 0.0, "cramers_v": 0.0, "nulls": 0.0}


@examples(30)
@given(floats, floats)
def test_distances_of_numbers_are_symmetric_and_in_their_range(
    one: list[float], other: list[float]
) -> None:
    there, back = distances(numbers(one), numbers(other)), distances(numbers(other), numbers(one))

    assert [each.value for each in there] == pytest.approx([each.value for each in back], abs=1e-9)
    assert all(each.value >= 0 for each in there)
    assert all(each.value <= 1 + 1e-9 for each in there if each.measure != "psi")


@given(words, words)
def test_distances_of_texts_are_symmetric_and_in_their_range(
    one: list[str], other: list[str]
) -> None:
    for listed in (1, 3, 100):
        pair = texts(one, listed), texts(other, listed)

        there, back = distances(*pair), distances(*reversed(pair))

        assert [each.value for each in there] == pytest.approx([each.value for each in back])
        assert all(each.value >= -1e-12 for each in there)
        assert all(each.value <= 1 + 1e-9 for each in there if each.measure != "psi")


@given(floats, floats, st.integers(0, 3))
def test_shares_are_wrong_by_at_most_the_stated_error(
    values: list[float], points: list[float], listed: int
) -> None:
    own, at = distribution(numbers(values, listed=listed)), np.array([*values, *points])

    exact = np.searchsorted(np.sort(values), at, side="right") / len(values)

    assert own is not None
    # An interval of the histogram includes a number that is less than its edge by rounding.
    assert np.abs(own.up_to(at) - exact).max() <= own.error + 1 / len(values) + 1e-9


@given(floats, floats)
def test_ks_is_that_of_scipy_within_the_stated_error(one: list[float], other: list[float]) -> None:
    pair = numbers(one), numbers(other)
    error = sum(each.error for each in map(distribution, pair) if each is not None)
    at = np.sort([*one, *other])
    exact = np.abs(
        np.subtract(
            *(
                np.searchsorted(np.sort(each), at, side="right") / len(each)
                for each in (one, other)
            )
        )
    ).max()

    found = ks(*pair)

    assert found is not None
    assert abs(found.value - exact) <= error + 1 / len(one) + 1 / len(other) + 1e-9


@given(words, words)
def test_measures_of_texts_that_are_all_listed_are_those_of_scipy(
    one: list[str], other: list[str]
) -> None:
    known = sorted({*one, *other})
    counts = np.array([[values.count(each) for each in known] for values in (one, other)])
    pair = texts(one), texts(other)

    distance, test, size = js(*pair), chi_squared(*pair), cramers_v(*pair)

    assert distance is not None and test is not None and size is not None
    exact = jensenshannon(counts[0], counts[1], base=2)
    assert distance.value == pytest.approx(0.0 if np.isnan(exact) else exact, abs=1e-7)
    if len(known) > 1:
        expected = chi2_contingency(counts, correction=False)
        assert test.statistic == pytest.approx(expected.statistic, abs=1e-9)
        assert (test.freedom, test.p) == (expected.dof, pytest.approx(expected.pvalue, abs=1e-9))
        equal = counts / counts.sum(axis=1, keepdims=True) * 1000
        statistic = chi2_contingency(equal, correction=False).statistic
        assert size.value == pytest.approx((statistic / 2000) ** 0.5, abs=1e-6)


@pytest.mark.parametrize("rows", [700, 200_000, 2_000_000])
def test_a_difference_is_found_beside_any_number_of_earlier_values(rows: int) -> None:
    before, after = riders(rows, ebikes=0.35), riders(700, ebikes=0.8)

    size = cramers_v(before, after)

    assert size is not None
    assert size.value == pytest.approx((0.45**2 * (1 / 1.15 + 1 / 0.85) / 2) ** 0.5, abs=1e-6)
    assert size.chance < 0.1


def riders(rows: int, *, ebikes: float) -> ColumnProfile:
    count = round(rows * ebikes)
    top = sorted({"ebike": count, "classic": rows - count}.items(), key=lambda each: -each[1])
    return ColumnProfile("bike", type="String", rows=rows, nulls=0, top=tuple(top))


def test_large_samples_of_known_distributions_have_the_exact_distances() -> None:
    random = np.random.default_rng(7)
    one, other = random.normal(0, 1, 50_000), random.normal(0.5, 1.2, 50_000)
    pair = numbers(one.tolist()), numbers(other.tolist())
    limits = np.quantile(np.concatenate([one, other]), np.linspace(0.1, 0.9, 9))
    p, q = (
        np.diff(np.searchsorted(np.sort(each), limits), prepend=0, append=50_000) / 50_000
        for each in (one, other)
    )

    stability, distance, greatest = psi(*pair), js(*pair), ks(*pair)

    assert stability is not None and distance is not None and greatest is not None
    assert stability.value == pytest.approx(float(np.sum((p - q) * np.log(p / q))), rel=0.03)
    assert distance.value == pytest.approx(float(jensenshannon(p, q, base=2)), rel=0.02)
    assert greatest.value == pytest.approx(ks_2samp(one, other).statistic, abs=0.01)


def test_samples_of_the_same_rows_seldom_exceed_chance() -> None:
    random = np.random.default_rng(8)
    exceeded = Counter[str]()
    for _ in range(100):
        for pair in (
            [numbers(random.gamma(2, 3, size).tolist()) for size in (900, 400)],
            [texts(random.choice(list("abcde"), size).tolist()) for size in (900, 400)],
        ):
            exceeded.update(each.measure for each in distances(*pair) if each.value > each.chance)

    # One of 100 in the long run; psi and js count 200 comparisons.
    assert set(exceeded) <= {"psi", "js", "ks", "cramers_v"}
    assert all(count <= 8 for count in exceeded.values()), exceeded


def test_a_constant_that_falls_is_found() -> None:
    constant, lower = numbers([5.0] * 100, listed=9), numbers([5.0] * 60 + [3.0] * 40, listed=9)

    found = psi(constant, lower)

    assert found is not None
    exact = (1 - 0.6) * np.log(1 / 0.6) + (0.4 - 1e-4) * np.log(0.4 / 1e-4)
    assert found.value == pytest.approx(exact)


def test_a_profile_that_lists_numbers_equals_one_that_does_not() -> None:
    values = [float(each % 10) for each in range(500)]
    listed, quantiles = numbers(values, listed=50), numbers(values, shares=PERCENTILES)

    stability, distance = psi(listed, quantiles), js(listed, quantiles)

    assert stability is not None and distance is not None
    assert stability.value < 0.1
    assert distance.value < 0.15


def test_infinite_values_are_below_or_above_all_others() -> None:
    finite = numbers([1.0, 2.0, 3.0, 4.0, 5.0] * 20, listed=9)
    infinite = numbers([-np.inf] * 25 + [2.0, 3.0] * 25 + [np.inf] * 25, listed=9)

    found = ks(finite, infinite)

    assert found is not None
    assert found.value == pytest.approx(0.25)
    assert ks(infinite, infinite) == replace(found, value=0.0)


def test_a_value_that_becomes_frequent_is_found_among_many_others() -> None:
    many = [f"m{number}" for number in range(1000)]
    before, after = texts(many * 2, listed=10), texts(many + ["new"] * 1000, listed=10)

    shares = category_shares(before, after)
    found = psi(before, after)

    assert shares is not None and found is not None
    assert [each.sum() for each in shares] == pytest.approx([1.0, 1.0])
    assert found.value > 1


def test_a_column_without_values_has_only_a_share_of_nulls() -> None:
    found = distances(numbers([1.0, 2.0]), numbers([], absent=10))

    assert [(each.measure, each.value) for each in found] == [("nulls", 1.0)]
    assert nulls(numbers([]), numbers([1.0])) is None


def test_texts_without_a_list_have_only_a_share_of_nulls() -> None:
    personal = replace(texts(["a", "b"]), top=None)

    assert [each.measure for each in distances(personal, personal)] == ["nulls"]


def test_a_mixture_has_the_shares_of_all_values() -> None:
    parts = [distribution(numbers([float(n)] * 10)) for n in (1, 2)]

    both = mixture([part for part in parts if part], (0.5, 0.5))

    assert both.up_to(np.array([0.5, 1.0, 1.5, 2.0])).tolist() == [0.0, 0.5, 0.5, 1.0]
    assert both.values == 20


@pytest.mark.parametrize("freedom", [1, 2, 3, 8, 19])
def test_chance_is_the_percentile_of_chi_squared(freedom: int) -> None:
    counts = {f"v{number}": 100 for number in range(freedom + 1)}
    profile = texts([value for value, count in counts.items() for _ in range(count)])

    found = cramers_v(profile, profile)

    assert found is not None
    exact = (chi2.ppf(0.99, freedom) / (2 * profile.rows)) ** 0.5
    assert found.chance == pytest.approx(exact, rel=0.01)


def test_a_frequent_number_counts_once_in_every_width() -> None:
    random = np.random.default_rng(5)  # so few values that the sketch of quantiles keeps them all
    values = random.uniform(0, 1, 300)
    frequent = np.where(random.random(300) < 0.4, 0.7, random.uniform(0, 1, 300))
    found = []
    for dtype in (pa.float64(), pa.float32()):
        column = profiled("x", dtype)
        one, other = (
            summary(column, sketch_values(column, pa.chunked_array([pa.array(each, dtype)])))
            for each in (values, frequent)
        )
        found.append([each.value for each in distances(one, other)])

    assert found[1] == pytest.approx(found[0], abs=0.02)


@pytest.mark.parametrize(
    "dtype", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_texts_of_all_arrow_types_have_one_type(dtype: pa.DataType) -> None:
    assert profiled("x", dtype).type == "String"


def test_texts_and_numbers_have_only_a_share_of_nulls_in_both_orders() -> None:
    pair = numbers([1.0, 2.0], listed=2), texts(["1.0", "2.0"])

    for one, other in (pair, pair[::-1]):
        assert [each.measure for each in distances(one, other)] == ["nulls"]
