"""A frame's rows in pandas: at their places, with the spine's index and with exact integers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from featurestore.client.frame.frame import FeatureFrame
from featurestore.client.frame.library_types import spark_table
from featurestore.client.frame.pandas_frame import pandas_frame
from featurestore.client.spines.read import read_rows, read_spine
from featurestore.errors import RequestError

LARGE = 2**53 + 1
NAMED = pd.MultiIndex.from_tuples([(1, "x"), (2, "y"), (2, "z"), (3, "y")], names=["a", None])
INDEXES = [
    pd.RangeIndex(4),
    pd.RangeIndex(3, 11, 2, name="row"),
    pd.Index([3, 0, 2, 1]),
    pd.Index([7, 7, 7, 8], name="id"),
    pd.Index(["b", None, "a", "a"], name="y"),
    pd.date_range("2026-01-01", periods=4, tz="Europe/Paris", name="at"),
    pd.period_range("2026-01", periods=4, freq="M"),
    pd.CategoricalIndex(["u", "v", "u", "w"], categories=["w", "v", "u"], ordered=True),
    pd.Index([1.5, np.nan, 2.5, 3.5]),
    pd.Index([1, "mixed", None, (2, 3)], dtype=object),
    pd.interval_range(0, 4),
    NAMED,
]


def answered(spine: pd.DataFrame) -> FeatureFrame:
    """Return what a retrieval returns for a spine: its columns, and two features with nulls."""
    rows = read_rows(spine)
    features = pa.table({"n": pa.array([1, None, 3, 4]), "b": pa.array([True, None, None, False])})
    table = pa.table(
        [*rows.table.columns, *features.columns], [*rows.table.column_names, "n", "b"]
    )
    return FeatureFrame(table, ("n", "b"), _pandas=rows.pandas)


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_the_index_comes_back_and_every_value_stays_in_its_row(index) -> None:
    spine = pd.DataFrame({"y": [5, 6, 7, 8]}, index=index)

    result = answered(spine).to_pandas()

    pd.testing.assert_index_equal(result.index, index, exact=True)
    assert result["y"].tolist() == [5, 6, 7, 8]
    assert result["n"].tolist() == [1, pd.NA, 3, 4]
    assert result["b"].tolist() == [True, pd.NA, pd.NA, False]
    assert list(result.columns) == ["y", "n", "b"]


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_the_parts_of_a_split_have_the_index_of_their_rows(index) -> None:
    times = pd.to_datetime(["2026-01-01", "2026-01-03", "2026-01-01", "2026-01-03"], utc=True)
    spine = pd.DataFrame({"event_timestamp": times, "y": [5, 6, 7, 8]}).set_axis(index)

    early, late = (part.to_pandas() for part in answered(spine).split_by_time("2026-01-02"))

    pd.testing.assert_index_equal(early.index, index.take([0, 2]), exact=True)
    pd.testing.assert_index_equal(late.index, index.take([1, 3]), exact=True)
    assert (early["y"].tolist(), late["y"].tolist()) == ([5, 7], [6, 8])
    assert (early["n"].tolist(), late["n"].tolist()) == ([1, 3], [pd.NA, 4])


@pytest.mark.parametrize("index", INDEXES[:6], ids=lambda index: type(index).__name__)
def test_an_index_that_pandas_wrote_into_arrow_is_no_column(index) -> None:
    arrow = pa.Table.from_pandas(pd.DataFrame({"y": [5, 6, 7, 8]}, index=index.rename(None)))

    rows = read_rows(arrow)

    assert rows.table.column_names == ["y"]
    assert rows.table.schema.metadata is None
    result = pandas_frame(rows.table, rows.pandas)
    assert result.index.equals(index.rename(None))


def test_a_named_level_that_pandas_wrote_into_arrow_stays_a_column() -> None:
    arrow = pa.Table.from_pandas(pd.DataFrame({"y": [5, 6]}, index=pd.Index([7, 8], name="id")))

    result = pandas_frame(read_spine(arrow), read_rows(arrow).pandas)

    assert result[["y", "id"]].to_dict("list") == {"y": [5, 6], "id": [7, 8]}
    assert result.index.equals(pd.RangeIndex(2))


class Subclass(pd.DataFrame):
    """A frame such as those of geopandas."""

    @property
    def _constructor(self) -> type["Subclass"]:
        return Subclass


def test_a_subclass_of_a_frame_is_read_as_a_frame() -> None:
    rows = Subclass({"id": [1, 2, 3]}).iloc[[2, 0]]

    assert read_spine(rows).column_names == ["id"]
    assert pandas_frame(read_spine(rows), read_rows(rows).pandas).index.tolist() == [2, 0]


@pytest.mark.parametrize(
    "values",
    [
        pd.array([1, None], dtype="Int64"),
        pd.array([1, 2], dtype="Int64"),
        pd.array([2**64 - 1, None], dtype="UInt64"),
        pd.array([1, None], dtype="Int8"),
        pd.array([True, None], dtype="boolean"),
        pd.array([1.5, None], dtype="Float32"),
        pd.array(["a", None], dtype="string"),
        np.array([1, 2], dtype=np.uint8),
        np.array(["a", None], dtype=object),
        np.array([True, None], dtype=object),
        np.array([LARGE, None], dtype=object),
        pd.Categorical(["b", None], categories=["c", "b"], ordered=True),
        pd.Categorical([2, 1], categories=[2, 1, 0]),
        pd.period_range("2026-01-01", periods=2, freq="D"),
        pd.interval_range(0, 2),
        pd.cut([5, 1], [0, 2, 6]),
        pd.Categorical(pd.period_range("2026-01", periods=2, freq="M")),
        pd.Categorical(pd.to_datetime(["2026-01-01", None], utc=True)),
        pd.array([1, None], dtype=pd.ArrowDtype(pa.int64())),
        pd.array([[LARGE, None], None], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
        pd.array(["a", None], dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
        pd.arrays.SparseArray([0, 5]),
        pd.arrays.SparseArray([np.nan, 1.5]),
        np.array([1.5, None], dtype=object),
        np.array([datetime(2026, 1, 1, tzinfo=UTC), None], dtype=object),
        np.array([timedelta(1), None], dtype=object),
        np.array([Decimal("1.10"), None], dtype=object),
        pd.to_timedelta([1, None], unit="s"),
        pd.to_datetime(["2026-01-01 12:00:00.000000001", None]).tz_localize("America/New_York"),
    ],
    ids=lambda values: str(values.dtype),
)
def test_a_column_comes_back_with_its_data_type(values) -> None:
    spine = pd.DataFrame({"x": values}, index=[5, 3])

    rows = read_rows(spine)

    pd.testing.assert_frame_equal(pandas_frame(rows.table, rows.pandas), spine)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pd.cut([5, 1, 9], [0, 2, 6]), ["(2, 6]", "(0, 2]", None]),
        (
            pd.arrays.IntervalArray.from_tuples([(0, 1), (2, 3)], closed="left"),
            ["[0, 1)", "[2, 3)"],
        ),
        (pd.PeriodIndex(["2026-01", None], freq="M"), ["2026-01", None]),
    ],
)
def test_other_libraries_have_the_texts_of_periods_and_intervals(values, texts) -> None:
    table = read_spine(pd.DataFrame({"x": values}))

    assert FeatureFrame(table, ()).to_polars()["x"].to_list() == texts
    assert spark_table(table)["x"].to_pylist() == texts
    assert FeatureFrame(table, (), label="x").to_numpy()[1].tolist() == texts


def test_a_list_of_large_unsigned_integers_is_a_spine_again() -> None:
    lists = pa.array([[2**64 - 1, None], None], pa.list_(pa.uint64()))

    assert read_spine(pandas_frame(pa.table({"x": lists})))["x"].combine_chunks() == lists


def test_labels_that_are_no_text_come_back() -> None:
    spine = pd.DataFrame([[1, 2]], columns=[7, ("a", "b")])

    rows = read_rows(spine)

    assert pandas_frame(rows.table, rows.pandas).columns.tolist() == [7, ("a", "b")]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([2**64 - 1, None], pa.uint64()), [2**64 - 1, pd.NA]),
        (pa.array([[LARGE, None], [7]]), [[LARGE, None], [7]]),
        (pa.array([[LARGE], None]), [[LARGE], None]),
        (pa.array([[LARGE, None], None], pa.list_(pa.int64(), 2)), [[LARGE, None], None]),
        (pa.array([[[LARGE, None]], []]), [[[LARGE, None]], []]),
        (pa.array([{"a": LARGE}, {"a": None}]), [{"a": LARGE}, {"a": None}]),
        (pa.array([[("a", LARGE), ("b", None)], []], pa.map_(pa.string(), pa.int64())),
         [[("a", LARGE), ("b", None)], []]),
        (pa.array([[1], []], pa.list_view(pa.int64())), [[1], []]),
        (pa.RunEndEncodedArray.from_arrays([1, 2], [LARGE, None]), [LARGE, pd.NA]),
        (pa.array([[Decimal("1.10"), None], []]), [[Decimal("1.10"), None], []]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else None,
)  # fmt: skip
def test_integers_stay_integers(column, values) -> None:
    chunks = pa.chunked_array([column.slice(0, 1), column.slice(1)])

    result = pandas_frame(pa.table({"x": chunks}))["x"]

    plain = [
        value.tolist() if isinstance(value, np.ndarray) else value for value in result.tolist()
    ]
    assert plain == values
    assert all(type(one) is type(other) for one, other in zip(plain, values, strict=True))


@pytest.mark.parametrize(
    ("words", "codes", "values"),
    [
        (["a", None], [0, 1, None], ["a", None, None]),
        (["a", "a"], [0, 1, None], ["a", "a", None]),
        ([1.5, float("nan")], [0, 1, None], [1.5, None, None]),
    ],
)
def test_categories_that_are_null_or_repeat_are_read(words, codes, values) -> None:
    column = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array(words))

    result = pandas_frame(pa.table({"x": column}))["x"]

    assert isinstance(result.dtype, pd.CategoricalDtype)
    assert result.astype(object).where(result.notna(), None).tolist() == values


def test_a_column_that_pandas_cannot_hold_is_named() -> None:
    with pytest.raises(RequestError) as error:
        pandas_frame(pa.table({"at": pa.array([1], pa.time64("ns"))}))

    assert error.value.call == "to_pandas()"
    assert "'at'" in error.value.found
