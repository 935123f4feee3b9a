"""One grammar of texts: spines and files of sources read the same texts as the same values."""

import io
import string
from datetime import UTC
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import featurestore as fs
from featurestore.cli.files import write_file
from featurestore.client.spines.read import read_spine
from featurestore.definitions.model.types import DataType
from featurestore.engines.files.csv_rows import csv_rows
from featurestore.engines.files.json_rows import json_rows
from featurestore.engines.files.problem import FileProblemError
from featurestore.engines.files.task import FileTask
from featurestore.engines.spine_times import parse_times
from featurestore.errors import SpineError
from featurestore.store.columns import arrow_type

VALUES: dict[DataType, st.SearchStrategy[object]] = {
    fs.Int32: st.integers(-(2**31), 2**31 - 1),
    fs.Int64: st.integers(-(2**63), 2**63 - 1),
    fs.Float32: st.floats(width=32),
    fs.Float64: st.floats(),
    fs.Decimal(20, 10): st.decimals(-(10**9), 10**9, places=10),
    fs.Boolean: st.booleans(),
    fs.String: st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")),
    fs.Binary: st.binary(max_size=4),
    fs.Date: st.dates(),
    fs.Timestamp: st.datetimes(timezones=st.just(UTC)),
}
TEXTS = st.one_of(
    st.sampled_from(
        [
            *("7", "007", "+7", "-0", "1.0", "1e3", "1E-2", "2147483648", "9223372036854775808"),
            *("0.1", ".5", "5.", "1,5", "1_000", "0x10", "1e400", "1e-400", "16777217", "1.105"),
            *("NaN", "-inf", "Infinity", "nan", "NA", "null", "true", "FALSE", "0", "1", "yes"),
            *("", " ", " 7 ", "\t1.5", "\u00a07", "00ff", "0F", "0", "abc", "AAEC", "\\x00"),
            *("2026-01-31", "2026-1-5", "2026-02-30", "31.12.2025", "12/31/2025", "20260131"),
            *("2026-01-31 09:30", "2026-1-1 9:30", "2026-01-31T09:30:00Z", "2026-1-1 9:30 UTC"),
            *("2026-01-31 09:30:00 +0100", "2026-01-31 09:30:00+1", "2026-01-31 24:00"),
            *("2026-01-31T09:30:00.123456000+01", "2026-01-31T09:30:00.1234567Z", "0000-01-01"),
        ]
    ),
    st.text(string.digits + "+-.eE :TZ", max_size=12),
    st.text(string.printable, max_size=5),
    *(values.map(str) for values in VALUES.values()),
)


def by_source(data: bytes, name: str, dtype: DataType) -> list[object]:
    """Return the values that a source's file has in its column ``v``."""
    field = fs.Field("v", dtype)
    read = csv_rows if name.endswith(".csv") else json_rows
    task = FileTask(
        "read",
        format="csv" if read is csv_rows else "json",
        fields=(field,),
        schema=pa.schema([]),
    )
    blocks = [rows.columns["v"] for rows in read(io.BytesIO(data), task)]
    column = pa.chunked_array(blocks)
    return plain(parse_times("", "v", column) if dtype == fs.Timestamp else column)


def by_spine(path: Path, dtype: DataType) -> list[object]:
    """Return the values that a spine's file has in its column ``v``."""
    return plain(read_spine(path, {"v": dtype})["v"])


def plain(column: pa.ChunkedArray) -> list[object]:
    """Return values as Python's; times as microseconds, since Python lacks the year 0."""
    is_time = pa.types.is_timestamp(column.type)
    return (column.cast(pa.int64()) if is_time else column).to_pylist()


@pytest.mark.parametrize("dtype", VALUES, ids=str)
@given(text=TEXTS)
def test_a_text_is_the_same_value_in_a_source_and_in_a_spine_or_refused_by_both(
    tmp_path_factory: pytest.TempPathFactory, dtype: DataType, text: str
) -> None:
    quoted = text.replace('"', '""')
    data = f'v,w\n"{quoted}",1\n'.encode()
    path = tmp_path_factory.mktemp("texts") / "rows.csv"
    path.write_bytes(data)

    try:
        values: object = by_source(data, "rows.csv", dtype)
    except (FileProblemError, SpineError):
        values = None
    try:
        spine: object = by_spine(path, dtype)
    except SpineError:
        spine = None

    assert repr(spine) == repr(values)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize("dtype", VALUES, ids=str)
@given(data=st.data())
def test_what_the_store_writes_is_read_by_sources_and_spines(
    tmp_path_factory: pytest.TempPathFactory, dtype: DataType, suffix: str, data: st.DataObject
) -> None:
    values = data.draw(st.lists(VALUES[dtype] | st.none(), min_size=1))
    path = tmp_path_factory.mktemp("out") / f"rows.{suffix}"
    column = pa.array(values, arrow_type(dtype))
    write_file(pa.table({"v": column, "w": pa.array(range(len(values)))}), path)

    expected = repr(plain(column))

    assert repr(by_spine(path, dtype)) == expected
    assert repr(by_source(path.read_bytes(), path.name, dtype)) == expected
