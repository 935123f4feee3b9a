"""Rows in Polars: each type that a spine may have is exact, or refused by the column's name."""

from datetime import UTC

import polars as pl
import pyarrow as pa
import pytest

from featurestore.client.frame.frame import FeatureFrame
from featurestore.client.frame.library_types import polars_table, spark_table
from featurestore.client.plain_types import plain_column
from featurestore.client.spines.read import read_spine
from featurestore.errors import RequestError
from tests.client.frame.columns import COLUMNS, chunked

BROKEN = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())
INTERVALS = pa.array([pa.MonthDayNano([1, 2, 3])])


def in_utc(value: object) -> object:
    """Return a value with its moments in UTC, and its maps as lists of pairs."""
    if isinstance(value, list | tuple):
        return [in_utc(each) for each in value]
    if isinstance(value, dict):
        return {key: in_utc(each) for key, each in value.items()}
    return value.astimezone(UTC) if getattr(value, "tzinfo", None) else value


def pairs(value) -> list[tuple[object, object]]:
    """Return a map's pairs, from the dictionary of Polars 2 or the list of Polars 1."""
    if isinstance(value, dict):
        return list(value.items())
    return [(pair["key"], pair["value"]) for pair in value]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: str(column.type))
def test_polars_has_each_value(column) -> None:
    frame = FeatureFrame(pa.table({"x": chunked(column)}), ())

    result = frame.to_polars()["x"].to_list()

    if pa.types.is_map(column.type):
        result = [None if each is None else pairs(each) for each in result]
    expected = plain_column(pa.chunked_array([column])).to_pylist()
    assert in_utc(result) == in_utc(expected)


@pytest.mark.parametrize(
    "column",
    [
        pl.Series(["b", None, "a"], dtype=pl.Enum(["a", "b", "c"])),
        pl.Series(["b", None, "a"], dtype=pl.Categorical),
        pl.Series([["b", None], None, []], dtype=pl.List(pl.Enum(["a", "b"]))),
        pl.Series([["b", "a"], None, ["a", None]], dtype=pl.Array(pl.Categorical, 2)),
        pl.Series(
            [{"a": "x", "b": [["y", None]]}, None, {"a": None, "b": None}],
            dtype=pl.Struct({"a": pl.Categorical, "b": pl.List(pl.Array(pl.Enum(["y"]), 2))}),
        ),
        pl.Series([[1, None], None, [3, 4]], dtype=pl.Array(pl.Int64, 2)),
        pl.Series([1, None, 3], dtype=pl.Datetime("ns", "Asia/Tokyo")),
        pl.Series([1, None, 3], dtype=pl.Duration("ns")),
        pl.Series([1, None, 3], dtype=pl.Time),
        pl.Series([2**64 - 1, None, 3], dtype=pl.UInt64),
        pl.Series(["1.5", None, "2"]).cast(pl.Decimal(38, 3)),
        pl.Series([{"a": 1, "b": [None]}, None, {"a": None, "b": None}]),
        pl.Series([b"a", None, b""]),
        pl.Series([None, None, None]),
    ],
    ids=lambda column: str(column.dtype),
)
def test_a_column_of_polars_comes_back_with_its_type(column) -> None:
    table = read_spine(pl.DataFrame({"x": column}))

    result = FeatureFrame(table, ()).to_polars()["x"]

    assert result.dtype == column.dtype
    assert result.to_list() == column.to_list()


@pytest.mark.parametrize(
    ("convert", "column"),
    [
        (polars_table, INTERVALS),
        (polars_table, BROKEN),
        (polars_table, pa.ListArray.from_arrays([0, 1], BROKEN)),
        (spark_table, BROKEN),
        (polars_table, pa.array([2**62], pa.duration("s"))),
        (polars_table, pa.array([2**62], pa.timestamp("s"))),
        (spark_table, INTERVALS),
        (spark_table, pa.array([1], pa.timestamp("ns", tz="UTC"))),
        (spark_table, pa.array([1], pa.duration("ns"))),
        (spark_table, pa.array([1], pa.time64("ns"))),
        (spark_table, pa.array([[1]], pa.list_(pa.timestamp("ns")))),
        (spark_table, pa.array([2**62], pa.timestamp("s"))),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value.type),
)
def test_a_value_that_a_library_cannot_hold_is_refused_by_the_name_of_its_column(
    convert, column
) -> None:
    with pytest.raises(RequestError) as error:
        convert(pa.table({"good": [1], "odd": column}))

    assert "'odd'" in error.value.found
    assert str(column.type) in error.value.found
    assert "to_arrow()" in error.value.fix
