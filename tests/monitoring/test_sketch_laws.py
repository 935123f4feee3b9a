"""The sketch of a column is the merge of the sketches of its parts, within the stated errors."""

import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.monitoring.columns import profiled
from featurestore.monitoring.distinct import SIZE, DistinctValues
from featurestore.monitoring.rows import RowsSketch, merged_sketches, sketch_table
from featurestore.monitoring.sketch import ColumnSketch
from featurestore.monitoring.sketch_values import sketch_values
from featurestore.monitoring.summary import summary, table_summaries
from featurestore.monitoring.top_values import LIMIT, TopValues

FLOATS = st.one_of(st.none(), st.just(math.nan), st.floats(-1e9, 1e9, width=32))
TEXTS = st.one_of(st.none(), st.text("abc", max_size=2))
NUMBER, TEXT = profiled("x", pa.float64()), profiled("x", pa.string())
# Three times what the sketches state as the error of one standard deviation or of 99 %.
RANK_ERROR, DISTINCT_ERROR = 0.02, 0.066


def parts_of(values: list[object], cuts: list[int], dtype: pa.DataType) -> list[pa.ChunkedArray]:
    edges = [0, *sorted(cut % (len(values) + 1) for cut in cuts), len(values)]
    return [pa.chunked_array([pa.array(values[a:b], dtype)], dtype) for a, b in pairwise(edges)]


def merged(parts: list[ColumnSketch]) -> ColumnSketch:
    sketches = [RowsSketch(each.rows, {"x": each}) for each in parts]
    return merged_sketches(sketches).columns["x"]


@given(st.lists(FLOATS, max_size=60), st.lists(st.integers(0, 100), max_size=3))
def test_numbers_of_parts_are_those_of_the_whole(values: list[object], cuts: list[int]) -> None:
    whole = sketch_values(NUMBER, pa.chunked_array([values], pa.float64()))

    parts = parts_of(values, cuts, pa.float64())
    of_parts = merged([sketch_values(NUMBER, part) for part in parts])

    exact = ("rows", "nulls", "nans", "minimum", "maximum", "top", "distinct_values")
    for name in exact:
        assert getattr(of_parts, name) == getattr(whole, name), name
    one, other = summary(NUMBER, of_parts), summary(NUMBER, whole)
    scale = max(abs(float(end or 0)) for end in (whole.minimum, whole.maximum))
    for name in ("mean", "stddev"):
        own, expected = getattr(one, name), getattr(other, name)
        assert (own is None) == (expected is None)
        if own is not None:
            assert own == pytest.approx(expected, abs=1e-9 * scale)
    assert one.quantiles == other.quantiles  # so few values are all in the sketch
    assert one.histogram == other.histogram


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=300), st.lists(st.floats(0, 1)))
def test_quantiles_of_counted_values_are_those_of_a_sketch_of_all_values(
    values: list[float], shares: list[float]
) -> None:
    sketch = sketch_values(NUMBER, pa.chunked_array([values], pa.float64()))
    assert sketch.counted is not None
    edges = sorted({*values[:10], 0.5})

    assert sketch.counted.get_quantiles(shares).tolist() == [
        *sketch.quantile_sketch.get_quantiles(shares)
    ]
    for inclusive in (False, True):
        assert sketch.counted.get_pmf(edges, inclusive).tolist() == pytest.approx(
            [*sketch.quantile_sketch.get_pmf(edges, inclusive)], abs=1e-12
        )


def test_equal_rows_have_equal_statistics_and_exact_quantiles() -> None:
    chance = np.random.default_rng(3)
    rows = pa.table({"x": chance.lognormal(size=5_000), "n": chance.integers(0, 900, 5_000)})
    columns = [profiled(each.name, each.type) for each in rows.schema]

    first, again = table_summaries(columns, rows), table_summaries(columns, rows)

    assert first == again
    assert [each.counted is None for each in sketch_table(columns, rows).columns.values()] == [
        False, False,
    ]  # fmt: skip
    for name, own in zip(rows.column_names, first, strict=True):
        ordered = np.sort(rows[name].to_numpy())
        expected = {share: ordered[int(share * 5_000)] for share, _ in own.quantiles[1:-1]}
        assert dict(own.quantiles[1:-1]) == expected


def test_up_to_1000_different_numbers_have_exact_quantiles_after_a_merge_too() -> None:
    values = np.random.default_rng(3).permutation(np.arange(20_000) % 1_000 / 8)
    column = profiled("x", pa.float32())
    parts = [pa.chunked_array([each], pa.float32()) for each in np.split(values, 4)]

    stored = RowsSketch.from_text(
        merged_sketches(RowsSketch(5_000, {"x": sketch_values(column, each)}) for each in parts)
        .to_text()
    )  # fmt: skip

    own = summary(column, stored.columns["x"])
    assert own.quantiles == summary(column, sketch_values(column, pa.chunked_array(
        [values], pa.float32()))).quantiles  # fmt: skip
    assert dict(own.quantiles)[0.25] == 31.25


@given(st.lists(TEXTS, max_size=60), st.lists(st.integers(0, 100), max_size=3))
def test_texts_of_parts_are_those_of_the_whole(values: list[object], cuts: list[int]) -> None:
    whole = sketch_values(TEXT, pa.chunked_array([values], pa.string()))

    of_parts = merged([sketch_values(TEXT, part) for part in parts_of(values, cuts, pa.string())])

    assert summary(TEXT, of_parts) == summary(TEXT, whole)


@given(
    st.lists(st.integers(0, 10**9), max_size=4, unique=True),
    st.integers(0, 4_000),
    st.integers(0, 4_000),
)
def test_the_different_values_of_parts_are_those_of_the_whole(
    far: list[int], end: int, start: int
) -> None:
    one, other = np.arange(end), np.union1d(np.arange(start, 4_000), np.array(far, int))
    both = np.union1d(one, other)

    found = DistinctValues.of_numbers(one).merged(DistinctValues.of_numbers(other))

    assert found == DistinctValues.of_numbers(both)
    assert found.estimate == pytest.approx(
        len(both), abs=0 if len(both) < SIZE else DISTINCT_ERROR * len(both)
    )


@pytest.mark.parametrize("kind", ["int64", "int32", "float64", "float32"])
def test_the_number_of_different_numbers_of_each_type_is_near(kind: str) -> None:
    values = np.arange(-1_000, 50_000).astype(kind)

    estimate = DistinctValues.of_numbers(values).estimate

    assert estimate == pytest.approx(len(values), rel=DISTINCT_ERROR)


def test_numbers_of_each_width_have_the_same_hashes() -> None:
    wide = [np.array([1, 2, 100], kind) for kind in ("int64", "float64")]
    narrow = ("int8", "uint16", "int32", "uint64"), ("float16", "float32")

    for own, kinds in zip(wide, narrow, strict=True):
        hashes = DistinctValues.of_numbers(own)
        assert {DistinctValues.of_numbers(own.astype(kind)) for kind in kinds} == {hashes}
        assert hashes.estimate == 3


def test_values_with_the_same_hash_count_once() -> None:
    """Somebody who writes texts can make such ones."""
    texts = pa.array(['lhow9bdc/"62[">_', "lyqszs6s5-3QJ/d/"], pa.large_string())

    both = DistinctValues.of_texts(texts)

    both.require_whole()
    assert both.estimate == 1


def test_a_number_of_different_values_that_may_be_an_estimate_is_no_smaller() -> None:
    for first in range(0, 100_000, 1_000):
        values = np.arange(first, first + SIZE)
        assert DistinctValues.of_numbers(values).estimate >= SIZE
        assert DistinctValues.of_numbers(values[1:]).estimate == SIZE - 1


@pytest.mark.parametrize("form", ["{}", "customer-{:08}", "{:0300}", "é{}ü"])
def test_the_number_of_different_texts_of_each_length_is_near(form: str) -> None:
    values = pa.array([form.format(number) for number in range(50_000)], pa.large_string())

    estimate = DistinctValues.of_texts(values).estimate

    assert estimate == pytest.approx(len(values), rel=DISTINCT_ERROR)


@given(st.lists(st.text(st.sampled_from("a\0é"), max_size=20), unique=True), st.data())
def test_the_hash_of_a_text_depends_on_no_other_text(
    texts: list[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(texts)))
    values = pa.array(texts, pa.large_string())

    own, *others = (
        DistinctValues.of_texts(each) for each in (values, values[:start], values[start:])
    )

    assert own.estimate == len(texts)
    assert others[0].merged(others[1]) == own


def test_a_stored_hash_means_the_same_in_each_release() -> None:
    """Sketches that were stored by another release are merged with new ones."""
    texts = pa.array(
        ["", "EUR", *("x" * length for length in (8, 9, 256, 257))], pa.large_string()
    )
    numbers = (np.array([0, -1, 2**60]), np.array([0.5, 1e300]))
    found = [*map(DistinctValues.of_numbers, numbers), DistinctValues.of_texts(texts)]

    stored = [np.frombuffer(each.hashes, "<u8").tolist() for each in found]

    assert stored == [
        [10427778489764412663, 16294208416658607535, 16490336266968443936],
        [17606427253252083309, 18400163445926009254],
        [
            8557773044231383636,
            10257133855397062584,
            13159573577307189021,
            14305246970654700786,
            16294208416658607535,
            17406174826837567364,
        ],
    ]


@pytest.mark.parametrize("damage", [b"1234567", bytes(8 * (SIZE + 1)), bytes(16)])
def test_damaged_hashes_are_refused(damage: bytes) -> None:
    with pytest.raises(ValueError, match=r"hash|buffer"):
        DistinctValues(damage).require_whole()


@pytest.mark.parametrize("draw", ["normal", "lognormal", "few_values"])
def test_sketches_of_many_rows_are_within_their_errors(draw: str) -> None:
    chance = np.random.default_rng(7)
    values = {
        "normal": chance.normal(size=100_000),
        "lognormal": chance.lognormal(2, 2, size=100_000),
        "few_values": chance.integers(0, 30, size=100_000).astype(float),
    }[draw]
    parts = [sketch_values(NUMBER, pa.chunked_array([part])) for part in np.split(values, 10)]

    profile = summary(NUMBER, merged(parts))

    ordered = np.sort(values)
    for share, value in profile.quantiles[1:-1]:
        below = np.searchsorted(ordered, value, "left") / len(values)
        up_to = np.searchsorted(ordered, value, "right") / len(values)
        assert below - RANK_ERROR <= share <= up_to + RANK_ERROR
    assert profile.distinct == pytest.approx(len(np.unique(values)), rel=DISTINCT_ERROR)
    assert profile.mean == pytest.approx(values.mean(), rel=1e-12, abs=1e-12)
    assert profile.stddev == pytest.approx(values.std(ddof=1), rel=1e-12)
    histogram = profile.histogram
    assert histogram is not None
    assert sum(histogram.counts) == len(values)
    expected, _ = np.histogram(values, histogram.edges)
    assert np.abs(expected - histogram.counts).max() <= 2 * RANK_ERROR * len(values)


@given(st.lists(st.integers(0, 3 * LIMIT), max_size=4), st.integers(0, 5))
def test_counts_of_frequent_values_are_at_most_the_error_too_small(
    sizes: list[int], repeats: int
) -> None:
    counts = [{str(n % (size + 1)): 1 + n % (repeats + 1) for n in range(size)} for size in sizes]
    true: dict[str, int] = {}
    top = TopValues()
    for each in counts:
        top = top.merged(TopValues.of(each))
        for value, count in each.items():
            true[value] = true.get(value, 0) + count

    assert len(top.counts) <= LIMIT
    for value, count in true.items():
        assert count - top.error <= top.counts.get(value, 0) <= count


def test_a_text_holds_all_of_a_sketch() -> None:
    rows = pa.table({"x": [1.0, None, math.nan, 2.5], "y": ["a", "a", None, "ü"]})
    sketch = sketch_table([profiled("x", pa.float64()), profiled("y", pa.string())], rows)

    copy = RowsSketch.from_text(sketch.to_text())

    assert copy == sketch


@pytest.mark.parametrize("text", ["", "{", "[]", '{"form": "other/1"}', '{"form": 3, "rows": 1}'])
def test_a_damaged_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        RowsSketch.from_text(text)
