"""Rows of any Arrow types come back from a Delta table as they were."""

import math
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from featurestore.errors import RequestError
from featurestore.store.delta.records import read_table
from featurestore.store.training_sets.storage import (
    restored_rows,
    schema_of,
    schema_text,
    stored_names,
    stored_rows,
)
from tests.effort import examples


def integers(dtype: pa.DataType, bits: int, *, signed: bool) -> st.SearchStrategy[pa.Array]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return arrays(st.integers(low, high), dtype)


def arrays(values: st.SearchStrategy[Any], dtype: pa.DataType) -> st.SearchStrategy[pa.Array]:
    return st.lists(st.none() | values, min_size=3, max_size=3).map(
        lambda drawn: pa.array(drawn, dtype)
    )


text, blob = st.text("ab\0é☂", max_size=3), st.binary(max_size=3)
units = st.integers(0, 86_399)
FLAT = [
    *(integers(each, bits, signed=True) for each, bits in (
        (pa.int8(), 8), (pa.int16(), 16), (pa.int32(), 32), (pa.int64(), 64),
        (pa.timestamp("s"), 40), (pa.timestamp("us", "UTC"), 60), (pa.timestamp("us"), 60),
        (pa.timestamp("ms", "Europe/Paris"), 50), (pa.timestamp("ns", "+05:30"), 64),
        (pa.duration("s"), 64), (pa.duration("ns"), 64),
    )),
    *(integers(each, bits, signed=False) for each, bits in (
        (pa.uint8(), 8), (pa.uint16(), 16), (pa.uint32(), 32), (pa.uint64(), 64),
    )),
    *(arrays(units, each) for each in (pa.time32("s"), pa.time32("ms"), pa.time64("us"))),
    arrays(st.floats(width=16), pa.float16()),
    arrays(st.floats(width=32), pa.float32()),
    arrays(st.floats(), pa.float64()),
    arrays(st.booleans(), pa.bool_()),
    *(arrays(text, each) for each in (pa.string(), pa.large_string(), pa.string_view())),
    *(arrays(blob, each) for each in (pa.binary(), pa.large_binary(), pa.binary_view())),
    arrays(st.binary(min_size=2, max_size=2), pa.binary(2)),
    *(arrays(st.dates(), each) for each in (pa.date32(), pa.date64())),
    arrays(st.decimals(-99, 99, places=2), pa.decimal128(38, 2)),
    arrays(st.decimals(-99, 99, places=2), pa.decimal256(38, 2)),
    arrays(text, pa.string()).map(lambda each: each.dictionary_encode()),
    arrays(st.integers(0, 3), pa.int16()).map(
        lambda each: each.dictionary_encode().cast(pa.dictionary(pa.int8(), pa.int16()))
    ),
    arrays(text, pa.string()).map(
        lambda each: each.dictionary_encode().cast(pa.dictionary(pa.uint32(), pa.string_view()))
    ),
    st.just(pa.nulls(3)),
]  # fmt: skip
byte = st.integers(0, 255)
NESTED = [
    arrays(st.lists(st.none() | byte, max_size=2), pa.list_(pa.uint8())),
    arrays(st.lists(st.none() | text, max_size=2), pa.large_list(pa.large_string())),
    arrays(st.lists(byte, min_size=2, max_size=2), pa.list_(pa.uint8(), 2)),
    arrays(st.dictionaries(text, byte, max_size=2).map(lambda d: list(d.items())),
           pa.map_(pa.string(), pa.uint16())),
    arrays(st.fixed_dictionaries({"x": st.none() | byte, "y": st.lists(text, max_size=2)}),
           pa.struct({"x": pa.uint32(), "y": pa.list_(pa.string())})),
]  # fmt: skip
NAMES = st.lists(
    st.sampled_from(["id", "Id", "ID", "_row", "a b", "x.y", "é", "a`b", "_row_2", "0"]),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip


def plain(values: Any) -> Any:
    """Return values that compare equal if all of their bits do: NaN, and zeros with a sign."""
    if isinstance(values, list | tuple):
        return [plain(each) for each in values]
    if isinstance(values, dict):
        return {name: plain(each) for name, each in values.items()}
    if isinstance(values, float):
        return "nan" if math.isnan(values) else (values, math.copysign(1, values))
    return values


def round_trip(table: pa.Table, folder: Path) -> pa.Table:
    write_deltalake(str(folder), stored_rows(table, "save"), mode="overwrite",
                    schema_mode="overwrite")  # fmt: skip
    schema = schema_of(schema_text(table.schema))
    return restored_rows(read_table(DeltaTable(str(folder))), schema)


@given(st.data(), NAMES)
@examples(60)
def test_names_types_and_values_come_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, names: list[str]
) -> None:
    columns = [data.draw(st.one_of(*FLAT, *NESTED)) for _ in names]
    table = pa.table(columns, names=names)

    again = round_trip(table, tmp_path_factory.mktemp("delta"))

    assert again.schema.equals(table.schema, check_metadata=True)
    for before, after in zip(table.columns, again.columns, strict=True):
        if pa.types.is_timestamp(before.type) or pa.types.is_duration(before.type):
            before, after = before.cast(pa.int64()), after.cast(pa.int64())
        assert plain(after.to_pylist()) == plain(before.to_pylist())


def test_the_order_of_rows_comes_back(tmp_path: Path) -> None:
    table = pa.table({"id": list(range(1000, 0, -1))})

    stored = stored_rows(table, "save")
    mixed = stored.take([*range(500, 1000), *range(500)])

    assert restored_rows(mixed, table.schema) == table


def test_a_table_without_rows_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table({"n": pa.array([], pa.uint8()), "s": pa.array([], pa.large_string())})

    assert round_trip(table, tmp_path).schema == table.schema


def test_metadata_of_the_schema_comes_back(tmp_path: Path) -> None:
    table = pa.table({"id": [1]}).replace_schema_metadata({"pandas": "{}"})

    assert round_trip(table, tmp_path).schema.metadata == {b"pandas": b"{}"}


@pytest.mark.parametrize(
    "column",
    [
        pa.array([Decimal("1.5")], pa.decimal256(60, 2)),
        pa.array([pa.MonthDayNano([1, 2, 3])]),
        pa.DictionaryArray.from_arrays([0], ["low", "high"], ordered=True),
        pa.array([{}], pa.struct([])),
    ],
    ids=lambda each: str(each.type),
)
def test_a_type_that_delta_cannot_hold_is_an_error_that_names_the_column(column: pa.Array) -> None:
    with pytest.raises(RequestError) as caught:
        stored_rows(pa.table({"odd": column}), "save('x')")

    assert "'odd'" in caught.value.found
    assert str(column.type) in caught.value.found


@pytest.mark.parametrize(
    ("names", "stored"),
    [
        (["id", "n"], ["id", "n"]),
        (["id", "ID", "Id"], ["id", "ID_2", "Id_3"]),
        (["_row", "_ROW_2"], ["_row_2", "_ROW_2_2"]),
    ],
)
def test_no_two_stored_names_differ_in_case_alone(names: list[str], stored: list[str]) -> None:
    assert stored_names(names) == stored


def test_dates_far_away_and_long_durations_are_exact(tmp_path: Path) -> None:
    table = pa.table({"d": [date(1, 1, 1), date(9999, 12, 31)], "t": [timedelta(1), None]})

    assert round_trip(table, tmp_path) == table
