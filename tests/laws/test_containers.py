"""A spine comes back equal through each way out, and its features do not depend on its container.

Spines have columns of any type, chunks and encodings. They come as Arrow, pandas with any index,
Polars, DuckDB and each kind of file.
"""

import csv
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import featurestore as fs
from featurestore.cli.files import write_file
from featurestore.client.frame.frame import FeatureFrame
from featurestore.client.frame.library_types import polars_table, spark_table
from featurestore.client.frame.pandas_frame import pandas_frame
from featurestore.client.plain_types import plain_column, plain_type
from tests.client.on_demand_shop import project
from tests.client.shop import DEFINITIONS, HOUR, at, write_view
from tests.effort import examples
from tests.tables import feature_table

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
MICROS = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001 - naive ones too
UTC_MICROS = MICROS.map(lambda each: each.replace(tzinfo=UTC))
KEYS = st.sampled_from([1, 2, 3, None])
MOMENTS = st.integers(0, 28).map(lambda quarters: at(quarters / 4))
SMALL_DECIMALS = st.decimals(-999, 999, places=2)


def _integers(kind: pa.DataType) -> st.SearchStrategy[int]:
    signed = pa.types.is_signed_integer(kind)
    bits = kind.bit_width - signed
    return st.integers(-(2**bits) if signed else 0, 2**bits - 1)


SCALARS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    *(
        (kind, _integers(kind))
        for kind in (pa.int8(), pa.int32(), pa.int64(), pa.uint8(), pa.uint32(), pa.uint64())
    ),
    (pa.float64(), st.floats()),
    (pa.float32(), st.floats(width=32)),
    (pa.bool_(), st.booleans()),
    (pa.string(), TEXT),
    (pa.large_string(), TEXT),
    (pa.string_view(), TEXT),
    (pa.binary(), st.binary(max_size=3)),
    (pa.decimal128(10, 2), SMALL_DECIMALS),
    (pa.date32(), st.dates()),
    (pa.time64("us"), st.times()),
    (pa.duration("us"), st.timedeltas(timedelta(-9999), timedelta(9999))),
    (pa.timestamp("us"), MICROS),
    (pa.timestamp("us", tz="UTC"), UTC_MICROS),
    (pa.timestamp("us", tz="America/New_York"), UTC_MICROS),
    (pa.null(), st.none()),
]
NESTED: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.list_(pa.int64()), st.lists(st.none() | _integers(pa.int64()), max_size=3)),
    (pa.list_(pa.uint64()), st.lists(st.none() | _integers(pa.uint64()), max_size=3)),
    (pa.large_list(pa.bool_()), st.lists(st.none() | st.booleans(), max_size=3)),
    (pa.list_(pa.string_view()), st.lists(st.none() | TEXT, max_size=3)),
    (pa.list_(pa.float64()), st.lists(st.floats(allow_nan=False), max_size=3)),
    (
        pa.struct([("a", pa.int64()), ("b", pa.string())]),
        st.fixed_dictionaries({"a": st.none() | _integers(pa.int64()), "b": st.none() | TEXT}),
    ),
]
CATEGORIES = pa.dictionary(pa.int8(), pa.string())
NESTED += [
    (pa.list_(CATEGORIES), st.lists(st.none() | TEXT, max_size=3)),
    (pa.list_(CATEGORIES, 2), st.lists(st.none() | TEXT, min_size=2, max_size=2)),
]
ENCODINGS: list[Callable[[pa.Array], pa.Array]] = [
    lambda values: values,
    lambda values: values,
    lambda values: values.dictionary_encode(),
    lambda values: values.dictionary_encode("encode"),
    lambda values: pa.RunEndEncodedArray.from_arrays(
        pa.array(range(1, len(values) + 1), pa.int32()), values
    ),
]


@st.composite
def columns(draw: st.DrawFn, rows: int, *, flat: bool) -> pa.ChunkedArray:
    """Return a column of any type, in any encoding and chunks."""
    kind, values = draw(st.sampled_from(SCALARS if flat else [*SCALARS, *NESTED]))
    array = pa.array(draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), kind)
    if not pa.types.is_nested(kind) and kind not in (pa.string_view(), pa.null()):
        array = draw(st.sampled_from(ENCODINGS))(array)
    cuts = sorted(draw(st.sets(st.integers(1, rows), max_size=2)))
    edges = [0, *cuts, rows]
    return pa.chunked_array(
        [array.slice(low, high - low) for low, high in pairwise(edges)],
        array.type,
    )


@st.composite
def spines(draw: st.DrawFn, *, flat: bool = False) -> pa.Table:
    """Return a spine: a request value, a key, a time, and columns of any type."""
    rows = draw(st.integers(1, 5))
    numbers = st.none() | st.integers(-(2**40), 2**40)
    named = {f"x{at}": draw(columns(rows, flat=flat)) for at in range(draw(st.integers(1, 3)))}
    return pa.table(
        {
            "n": pa.array(draw(st.lists(numbers, min_size=rows, max_size=rows)), pa.int64()),
            "id": pa.array(draw(st.lists(KEYS, min_size=rows, max_size=rows)), pa.int64()),
            "event_timestamp": pa.array(
                draw(st.lists(MOMENTS, min_size=rows, max_size=rows)), pa.timestamp("us", tz="UTC")
            ),
            **named,
        }
    )


INDEXES = st.sampled_from(
    [
        lambda rows: pd.RangeIndex(rows),
        lambda rows: pd.RangeIndex(3, 3 + 2 * rows, 2, name="row"),
        lambda rows: pd.Index(range(rows)[::-1]),
        lambda rows: pd.Index([7] * rows, name="x9"),
        lambda rows: pd.Index([None, *"abcd"][:rows]),
        lambda rows: pd.MultiIndex.from_arrays([range(rows), ["u"] * rows], names=["a", None]),
        lambda rows: pd.date_range("2026-03-29", periods=rows, tz="Europe/Paris", freq="h"),
        lambda rows: pd.CategoricalIndex(["v", "u", "v", "u", "v"][:rows], ordered=True),
    ]
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> fs.FeatureStore:
    """A store with a stored feature, a city, and an on-demand feature, twice a request value."""
    made = project(tmp_path_factory.mktemp("containers"), DEFINITIONS + TWICE)
    made.apply(made.plan())
    hours = [each * HOUR for each, _, _ in CITIES]
    keys, cities = {"id": [key for _, key, _ in CITIES]}, {"city": [c for _, _, c in CITIES]}
    write_view(made, "profile", feature_table(keys, hours, cities))
    return made


CITIES = [(1, 1, "a"), (2, 1, "b"), (3, 2, None)]
"""The hour, the key and the city of each stored row."""
TWICE = """
source = fs.RequestSource("source", schema=(fs.Field("n", fs.Int64),))
twice = fs.OnDemandFeatureView(
    "twice", sources=(source,), schema=(fs.Field("m", fs.Int64),), transform={"m": "n * 2"}
)
"""


def city_of(key: int | None, moment: datetime) -> str | None:
    """Return the city of a key at a moment; the view's ttl is 4 hours."""
    known = [(at(hour), city) for hour, each, city in CITIES if each == key and at(hour) <= moment]
    return known[-1][1] if known and moment - known[-1][0] <= timedelta(hours=4) else None


def answered(store: fs.FeatureStore, spine: Any, rows: pa.Table) -> FeatureFrame:
    """Return the answer for a spine, whose features are those of the rows."""
    frame: FeatureFrame = store.get_historical_features(["twice", "profile:city"], spine)
    moments = zip(rows["id"].to_pylist(), rows["event_timestamp"].to_pylist(), strict=True)
    assert frame.to_arrow()["city"].to_pylist() == [city_of(*each) for each in moments]
    twice = [None if each is None else 2 * each for each in rows["n"].to_pylist()]
    assert frame.to_arrow()["m"].to_pylist() == twice
    assert frame.to_pandas()["m"].tolist() == [pd.NA if each is None else each for each in twice]
    assert frame.to_polars()["m"].to_list() == twice
    return frame


def plain(value: Any) -> Any:
    """Return a value as Python has it: moments in UTC, and one text for each NaN."""
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, datetime | timedelta):
        value = value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
        value = value.to_pytimedelta() if isinstance(value, pd.Timedelta) else value
        is_moment = isinstance(value, datetime) and value.tzinfo
        return value.astimezone(UTC) if is_moment else value
    return value


def values_of(table: pa.Table, name: str) -> list[Any]:
    return [plain(each) for each in plain_column(table[name]).to_pylist()]


@examples(60)
@given(spines())
def test_each_column_of_arrow_comes_back_through_each_way_out(store, tmp_path_factory, spine):
    frame = answered(store, spine, spine)

    arrow, polars, pandas = frame.to_arrow(), frame.to_polars(), frame.to_pandas()
    write_file(arrow, path := tmp_path_factory.mktemp("out") / "rows.parquet")
    file = pq.read_table(path)
    for name in spine.column_names:
        expected = values_of(spine, name)
        assert arrow[name].type == spine[name].type
        assert values_of(arrow, name) == expected
        assert [plain(each) for each in polars[name].to_list()] == expected
        assert values_of(file, name) == expected
        # In pandas and NumPy, a float that is null is NaN.
        is_missing = [each in (None, "NaN") for each in expected]
        in_pandas = [plain(each) for each in pandas[name].astype(object).tolist()]
        label = FeatureFrame(arrow, (), label=name).to_numpy()[1]
        assert [each in (None, "NaN") for each in in_pandas] == is_missing
        assert [plain(each) in (None, "NaN") for each in label] == is_missing
        for one, other, missing in zip(in_pandas, expected, is_missing, strict=True):
            assert missing or one == other


@examples(60)
@given(spines(), INDEXES)
def test_a_frame_of_pandas_comes_back_with_its_types_and_index(store, rows, index):
    spine = pandas_frame(rows).set_axis(index(rows.num_rows))
    before = spine.copy(deep=True)

    frame = answered(store, spine, rows)

    assert frame.to_arrow().column_names == [*rows.column_names, "m", "city"]
    pd.testing.assert_frame_equal(frame.to_pandas()[rows.column_names], before)
    pd.testing.assert_frame_equal(spine, before)
    parts = [part.to_pandas().index for part in frame.split_by_entity("n", test=0.5)]
    assert sorted(str(each) for part in parts for each in part) == sorted(map(str, before.index))


@examples(60)
@given(spines())
def test_a_frame_of_polars_comes_back_with_its_types(store, rows):
    spine = pl.from_arrow(polars_table(rows))

    result = answered(store, spine, rows).to_polars().drop("m", "city")

    assert result.schema == spine.schema
    assert result.equals(spine)


LETTERS = st.sampled_from(["x", "y", "z"])
ENUM = pl.Enum(["z", "x", "y"])


@st.composite
def polars_columns(draw: st.DrawFn) -> pl.Series:
    """Return a column of Polars with categories in lists and structs, at some depth."""
    dtype: Any = draw(st.sampled_from([pl.Categorical, ENUM]))
    values: st.SearchStrategy[Any] = st.none() | LETTERS
    for kind in draw(st.lists(st.sampled_from(["list", "array", "struct"]), max_size=3)):
        if kind == "list":
            dtype, values = pl.List(dtype), st.none() | st.lists(values, max_size=3)
        elif kind == "array":
            dtype, values = pl.Array(dtype, 2), st.lists(values, min_size=2, max_size=2)
        else:
            dtype = pl.Struct({"a": dtype, "b": pl.Int64})
            values = st.fixed_dictionaries({"a": values, "b": st.integers(0, 9)})
    return pl.Series("c", draw(st.lists(values, min_size=5, max_size=5)), dtype)


@examples(60)
@given(polars_columns(), st.integers(0, 3), st.integers(1, 5))
def test_categories_of_polars_come_back_in_lists_and_structs(
    store, tmp_path_factory, column, begin, size
):
    moments = pl.Series("event_timestamp", [at(1)] * 5, pl.Datetime("us", "UTC"))
    whole = pl.DataFrame({"n": pl.Series([1] * 5), "id": pl.Series([1] * 5)})
    spine = whole.with_columns(moments, column).slice(begin, size)

    frame = store.get_historical_features(["twice", "profile:city"], spine)

    result = frame.to_polars().select(spine.columns)
    assert result.schema == spine.schema
    assert result.equals(spine)
    expected = [plain(each) for each in spine["c"].to_list()]
    assert values_of(frame.to_arrow(), "c") == expected
    in_pandas = [plain(each) for each in frame.to_pandas()["c"].tolist()]
    assert [None if each == "NaN" else each for each in in_pandas] == expected
    write_file(frame.to_arrow(), path := tmp_path_factory.mktemp("out") / "rows.parquet")
    assert values_of(pq.read_table(path), "c") == expected


@examples(40)
@given(spines())
def test_a_relation_of_duckdb_comes_back_with_its_types(store, rows):
    # DuckDB makes calendar intervals of durations, which only Arrow and pandas have.
    durations = [each.name for each in rows.schema if plain_type(each.type) == pa.duration("us")]
    rows = rows.drop_columns(durations)
    relation = duckdb.from_arrow(spark_table(rows))
    spine = relation.to_arrow_table()

    result = answered(store, relation, rows).to_arrow()

    for name in rows.column_names:
        assert result[name].type == spine[name].type
        assert values_of(result, name) == values_of(spine, name)


@examples(40)
@given(spines())
def test_a_file_of_parquet_comes_back_with_its_types(store, tmp_path_factory, rows):
    write_file(rows, path := tmp_path_factory.mktemp("in") / "rows.parquet")
    file = pq.read_table(path)

    result = answered(store, path, rows).to_arrow()

    for name in rows.column_names:
        assert result[name].type == file[name].type
        assert values_of(result, name) == values_of(file, name)


@examples(40)
@given(spines(flat=True))
def test_a_file_of_csv_that_the_store_wrote_is_read_and_written_alike(
    store, tmp_path_factory, rows
):
    folder: Path = tmp_path_factory.mktemp("csv")
    write_file(rows, folder / "in.csv")

    write_file(answered(store, folder / "in.csv", rows).to_arrow(), folder / "out.csv")

    assert _cells(folder / "out.csv", rows) == _cells(folder / "in.csv", rows)


def _cells(path: Path, rows: pa.Table) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [[row[name] for name in rows.column_names] for row in csv.DictReader(file)]


@examples(40)
@given(spines())
def test_json_lines_that_the_store_wrote_are_read_and_written_alike(store, tmp_path_factory, rows):
    folder: Path = tmp_path_factory.mktemp("json")
    write_file(rows, folder / "in.jsonl")

    write_file(answered(store, folder / "in.jsonl", rows).to_arrow(), folder / "out.jsonl")

    assert _objects(folder / "out.jsonl", rows) == _objects(folder / "in.jsonl", rows)


def _objects(path: Path, rows: pa.Table) -> list[list[Any]]:
    lines = path.read_text("utf-8").split("\n")[:-1]
    return [[json.loads(line)[name] for name in rows.column_names] for line in lines]
