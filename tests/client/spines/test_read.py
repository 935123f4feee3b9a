"""A spine is read from any frame or file, and its rows are unchanged."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from featurestore.client.spines.read import read_rows, read_spine
from featurestore.client.spines.spine import index_advice
from featurestore.errors import SpineError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLE = pa.table({"id": [2, 1, 2], "at": pa.array([NOON] * 3, pa.timestamp("us", tz="UTC"))})
ROWS = TABLE.to_pylist()


@pytest.mark.parametrize(
    "data",
    [
        TABLE,
        TABLE.to_batches()[0],
        ROWS,
        pd.DataFrame(ROWS),
        pl.DataFrame(ROWS),
        TABLE.to_reader(),
    ],
    ids=["arrow", "batch", "dicts", "pandas", "polars", "stream"],
)
def test_every_kind_of_frame_has_the_same_rows_in_order(data) -> None:
    table = read_spine(data)

    assert table.column_names == ["id", "at"]
    assert table["id"].to_pylist() == [2, 1, 2]
    assert [at.astimezone(UTC) for at in table["at"].to_pylist()] == [NOON] * 3


def test_a_pandas_index_is_no_column() -> None:
    frame = pd.DataFrame(ROWS, index=[10, 20, 30])

    assert read_spine(frame).column_names == ["id", "at"]


def test_files_and_delta_tables_are_read_by_path(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet")
    pacsv.write_csv(TABLE, tmp_path / "a.csv")
    (tmp_path / "a.jsonl").write_text('{"id": 2}\n{"id": 1}\n')
    write_deltalake(str(tmp_path / "delta"), TABLE)

    assert read_spine(tmp_path / "a.parquet")["id"].to_pylist() == [2, 1, 2]
    assert read_spine(str(tmp_path / "a.csv"))["id"].to_pylist() == [2, 1, 2]
    assert read_spine(tmp_path / "a.jsonl")["id"].to_pylist() == [2, 1]
    assert read_spine(tmp_path / "delta")["id"].to_pylist() == [2, 1, 2]


def test_data_that_is_no_spine_is_an_error_that_lists_what_is_one(tmp_path: Path) -> None:
    (tmp_path / "a.xls").touch()
    with pytest.raises(SpineError) as data:
        read_spine(7)
    with pytest.raises(SpineError) as path:
        read_spine(tmp_path / "none.csv")
    with pytest.raises(SpineError) as suffix:
        read_spine(tmp_path / "a.xls")
    with pytest.raises(SpineError) as folder:
        read_spine(tmp_path)

    assert "builtins.int" in data.value.found
    assert "Arrow table" in data.value.fix
    assert str(tmp_path / "none.csv") in path.value.call
    assert "'.xls'" in suffix.value.found
    assert ".parquet" in suffix.value.fix
    assert str(tmp_path) in folder.value.call
    assert "Delta" in folder.value.found


@pytest.mark.parametrize(
    "frame", [list, lambda rows: pd.DataFrame({"at": [r["at"] for r in rows]}, dtype=object)]
)
def test_times_with_and_without_a_zone_in_one_column_are_an_error(frame) -> None:
    rows = [{"at": NOON}, {"at": NOON.replace(tzinfo=None)}]

    with pytest.raises(SpineError, match=r"'at'.*timezone="):
        read_spine(frame(rows))


def test_no_rows_are_a_spine_without_columns() -> None:
    assert read_spine([]).num_rows == 0


def test_a_key_in_the_index_of_pandas_is_no_column_and_the_error_says_how_to_make_it_one() -> None:
    rows = read_rows(pd.DataFrame({"x": [1]}, index=pd.Index([7], name="card_id")))

    with pytest.raises(SpineError) as error, index_advice(rows):
        raise SpineError("ask", "the spine has no column 'card_id', the join key", "Other advice.")

    assert "reset_index('card_id')" in error.value.fix
    assert "no column 'card_id'" in error.value.found


def test_an_index_that_is_renamed_after_the_call_keeps_its_name_in_the_answer() -> None:
    frame = pd.DataFrame({"x": [1]}, index=pd.Index([7], name="before"))

    rows = read_rows(frame)
    frame.index.name = "after"

    assert rows.pandas.row_index().name == "before"
