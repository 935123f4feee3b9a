"""The files that the command line writes are spines with the same values."""

from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import featurestore as fs
from featurestore.cli.files import write_file
from featurestore.client.spines.read import read_spine
from featurestore.store.columns import arrow_type

TYPES = {
    "text": fs.String,
    "integer": fs.Int64,
    "flag": fs.Boolean,
    "day": fs.Date,
    "at": fs.Timestamp,
    "price": fs.Decimal(10, 2),
    "x": fs.Float64,
    "bytes": fs.Binary,
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "integer": st.integers(-(2**63), 2**63 - 1),
    "flag": st.booleans(),
    "day": st.dates(),
    "at": st.datetimes(timezones=st.just(UTC)),
    "price": st.decimals(-(10**7), 10**7, places=2),
    "x": st.floats(),
    "bytes": st.binary(),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()}),
    min_size=1,
)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
@given(rows=ROWS)
def test_rows_that_are_written_come_back_equal(suffix: str, rows: list[dict[str, Any]]) -> None:
    schema = pa.schema([(name, arrow_type(dtype)) for name, dtype in TYPES.items()])
    table = pa.Table.from_pylist(rows, schema)
    with TemporaryDirectory() as folder:
        path = Path(folder, f"rows{suffix}")
        write_file(table, path)

        again = read_spine(path, TYPES)

    assert again.column_names == table.column_names
    assert repr(again.to_pylist()) == repr(table.to_pylist())


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_columns_that_no_view_declares_come_back_equal(suffix: str, tmp_path: Path) -> None:
    table = pa.table(
        {
            "count": [1, None, -3],
            "share": [0.1, None, 1e-05],
            "flag": [True, None, False],
            "zip": ["00501", None, "10115"],
        }
    )
    write_file(table, tmp_path / f"rows{suffix}")

    assert read_spine(tmp_path / f"rows{suffix}", {}).equals(table)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
@given(keys=st.lists(st.none() | TEXTS, min_size=1))
def test_a_file_of_one_column_keeps_its_nulls(suffix: str, keys: list[str | None]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, f"keys{suffix}")
        write_file(pa.table({"text": pa.array(keys, pa.string())}), path)

        assert read_spine(path, TYPES)["text"].to_pylist() == keys
