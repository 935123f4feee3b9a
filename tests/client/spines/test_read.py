"""A spine is read from any frame or file, and its rows are unchanged."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.client.spines.read import read_rows, read_spine
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
    feather.write_feather(TABLE, tmp_path / "a.arrow")
    with ipc.new_stream(str(tmp_path / "b.arrow"), TABLE.schema) as stream:
        stream.write_table(TABLE)
    (tmp_path / "a.jsonl").write_text('{"id": 2}\n{"id": 1}\n')
    write_deltalake(str(tmp_path / "delta"), TABLE)

    assert read_spine(tmp_path / "a.parquet")["id"].to_pylist() == [2, 1, 2]
    assert read_spine(str(tmp_path / "a.csv"), {})["id"].to_pylist() == [2, 1, 2]
    assert read_spine(tmp_path / "a.arrow")["id"].to_pylist() == [2, 1, 2]
    assert read_spine(tmp_path / "b.arrow")["id"].to_pylist() == [2, 1, 2]
    assert read_spine(f"file://{tmp_path / 'a.jsonl'}")["id"].to_pylist() == [2, 1]
    assert read_spine(tmp_path / "delta")["id"].to_pylist() == [2, 1, 2]


def test_data_that_is_no_spine_is_an_error_that_lists_what_is_one(tmp_path: Path) -> None:
    (tmp_path / "a.xls").touch()
    with pytest.raises(SpineError) as data:
        read_spine(7)
    with pytest.raises(SpineError) as path:
        read_spine(tmp_path / "none.csv")
    with pytest.raises(SpineError) as suffix:
        read_spine(tmp_path / "a.xls")
    with pytest.raises(SpineError) as url:
        read_spine("s3://bucket/spine.parquet")
    with pytest.raises(SpineError) as folder:
        read_spine(tmp_path)

    assert "builtins.int" in data.value.found
    assert "Arrow table" in data.value.fix
    assert str(tmp_path / "none.csv") in path.value.call
    assert "'.xls'" in suffix.value.found
    assert ".parquet" in suffix.value.fix
    assert "s3://bucket/spine.parquet" in url.value.call
    assert "Copy" in url.value.fix
    assert str(tmp_path) in folder.value.call
    assert "Delta" in folder.value.found


@pytest.mark.parametrize(
    "frame", [list, lambda rows: pd.DataFrame({"at": [r["at"] for r in rows]}, dtype=object)]
)
def test_times_with_and_without_a_zone_in_one_column_are_an_error(frame) -> None:
    rows = [{"at": NOON}, {"at": NOON.replace(tzinfo=None)}]

    with pytest.raises(SpineError, match=r"'at'.*timezone="):
        read_spine(frame(rows))


class FrameOfSpark:
    """A frame as Spark's, with a column of a type that Arrow lacks."""

    def toArrow(self) -> pa.Table:  # noqa: N802 - the name of Spark
        raise TypeError("no such type")

    def collect(self) -> list: ...


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        ([], "columns"),
        ([1, 2], "dict"),
        (["view:feature"], "first argument"),
        ([{"id": 1}, None], "dict"),
        ([(1, NOON)], "dict"),
        ([{1: 2}], "texts"),
        ([{"\ud800": 2}], "name"),
        ({"id": 1}, "list"),
        (FrameOfSpark(), "column"),
        (iter([{"id": 1}]), "list("),
        (pd.Series([1]), "to_frame()"),
        (pl.Series([1]), "to_frame()"),
        (pl.LazyFrame({"id": [1]}), "collect()"),
        (pa.array([1]), "Arrow table"),
        (np.array([[1]]), "pandas"),
        (b"spine.csv", "path"),
        (duckdb.sql("SELECT CAST('x' AS INTEGER) AS id"), "Arrow table"),
        (pd.DataFrame([[1, 2]], columns=["id", "id"]), "Rename"),
        (pa.Table.from_arrays([[1], [2]], ["id", "id"]), "Rename"),
        (pd.DataFrame([[1]], columns=pd.Index(["\ud800"], dtype=object)), "name"),
    ],
)
def test_data_that_is_no_spine_is_refused_with_advice(data: Any, advice: str) -> None:
    with pytest.raises(SpineError) as refused:
        read_spine(data, {})

    assert refused.value.call == "read the spine"
    assert advice in refused.value.fix


def test_an_index_that_is_renamed_after_the_call_keeps_its_name_in_the_answer() -> None:
    frame = pd.DataFrame({"x": [1]}, index=pd.Index([7], name="before"))

    rows = read_rows(frame)
    frame.index.name = "after"

    assert rows.pandas.row_index().name == "before"


def test_a_key_in_the_index_of_a_frame_is_refused() -> None:
    frame = pd.DataFrame({"id": [1], "x": [2]}).set_index("id")

    with pytest.raises(SpineError) as refused:
        read_spine(frame, {"id": fs.Int64})

    assert "'id'" in refused.value.found
    assert "reset_index('id')" in refused.value.fix
    assert read_spine(frame, {"x": fs.Int64}).column_names == ["x"]


class OwnFrame(pd.DataFrame):
    """A subclass, as GeoPandas has one."""

    @property
    def _constructor(self) -> type:
        return OwnFrame


@pytest.mark.filterwarnings("ignore:Passing a BlockManager")  # of pandas 2.2 itself
def test_a_subclass_of_a_pandas_frame_is_one() -> None:
    rows = OwnFrame(pd.DataFrame(ROWS)).iloc[[2, 0, 1]]

    assert read_spine(rows).column_names == ["id", "at"]
    assert read_spine(rows)["id"].to_pylist() == [2, 2, 1]


@pytest.mark.parametrize("data", [[{}, {}], ({}, {}), pd.DataFrame(index=[7, 8])])
def test_rows_without_columns_are_rows(data: Any) -> None:
    assert (read_spine(data).num_rows, read_spine(data).column_names) == (2, [])


def test_columns_of_pandas_that_arrow_does_not_have_are_read_or_refused() -> None:
    frame = pd.DataFrame({"flag": pd.arrays.SparseArray([0, 1])})

    assert read_spine(frame)["flag"].to_pylist() == [0, 1]
    with pytest.raises(SpineError, match="'z'"):
        read_spine(pd.DataFrame({"z": [1j]}))
    with pytest.raises(SpineError, match="'z'"):
        read_spine(pd.DataFrame({"z": pd.Categorical(["a", 1])}))


def test_columns_of_polars_that_arrow_does_not_have_are_read_or_refused() -> None:
    wide = pl.DataFrame({"id": [2**100, None]}, schema={"id": pl.Int128})
    texts = pl.DataFrame({"id": ["a", None]}, schema={"id": pl.Object})
    objects = pl.DataFrame({"id": [object()]}, schema={"id": pl.Object})

    assert read_spine(wide)["id"].to_pylist() == [2**100, None]
    assert read_spine(texts)["id"].to_pylist() == ["a", None]
    with pytest.raises(SpineError, match="'id'"):
        read_spine(objects)


def test_an_index_that_pandas_wrote_into_a_file_is_no_column(tmp_path: Path) -> None:
    pd.DataFrame(ROWS).iloc[[2, 0]].to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"id": [1]}).set_index("id").to_parquet(tmp_path / "b.parquet")

    assert read_spine(tmp_path / "a.parquet").column_names == ["id", "at"]
    assert read_spine(tmp_path / "b.parquet").column_names == ["id"]


def test_the_folders_above_a_file_are_no_columns(tmp_path: Path) -> None:
    (tmp_path / "year=2026").mkdir()
    pq.write_table(TABLE, tmp_path / "year=2026" / "a.parquet")

    assert read_spine(tmp_path / "year=2026" / "a.parquet").column_names == ["id", "at"]


def test_times_in_96_bits_keep_their_microseconds(tmp_path: Path) -> None:
    near = pa.table({"at": pa.array([NOON.replace(tzinfo=None)], pa.timestamp("us"))})
    pq.write_table(near, tmp_path / "b.parquet", use_deprecated_int96_timestamps=True)

    assert read_spine(tmp_path / "b.parquet")["at"].type == pa.timestamp("us")
    assert read_spine(tmp_path / "b.parquet")["at"].to_pylist() == near["at"].to_pylist()


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.feather"])
@pytest.mark.parametrize("data", [b"", b"PAR1", b"no such form"])
def test_a_file_that_is_damaged_is_refused_with_its_name(
    tmp_path: Path, name: str, data: bytes
) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(SpineError) as refused:
        read_spine(tmp_path / name)

    assert str(tmp_path / name) in refused.value.call


def test_a_file_that_is_cut_is_refused_with_its_name(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[:-20])

    with pytest.raises(SpineError) as refused:
        read_spine(tmp_path / "a.parquet")

    assert str(tmp_path / "a.parquet") in refused.value.call


def test_a_path_with_a_mistake_is_refused_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "spine.csv").touch()

    with pytest.raises(SpineError) as refused:
        read_spine(tmp_path / "spines.csv")

    assert str(tmp_path / "spine.csv") in refused.value.fix


def test_a_delta_table_whose_file_is_gone_is_refused_with_its_folder(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), TABLE)
    for file in tmp_path.glob("*.parquet"):
        file.unlink()

    with pytest.raises(SpineError) as refused:
        read_spine(tmp_path)

    assert str(tmp_path) in refused.value.call


def test_a_delta_table_whose_newest_commit_is_empty_is_refused(tmp_path: Path) -> None:
    """Readers take it for none, and the spine would lack its rows."""
    table = tmp_path / "spine"
    for number in range(2):
        write_deltalake(table, pa.table({"id": [number]}), mode="append")
    lost = table / "_delta_log" / f"{1:020}.json"
    lost.write_bytes(b"")

    with pytest.raises(SpineError) as caught:
        read_spine(str(table))

    assert str(lost) in caught.value.found
