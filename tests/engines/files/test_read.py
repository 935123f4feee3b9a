"""A source's files as rows: types that fit all files, columns of folders, and files' problems."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from featurestore.definitions.model.source import FileSource
from featurestore.definitions.model.types import (
    Array,
    Date,
    Field,
    Float64,
    Int32,
    Int64,
    String,
    Timestamp,
)
from featurestore.engines.files.plan import plan_files, units
from featurestore.engines.files.read import read_units, result_schema
from featurestore.engines.files.task import SOURCE_FILE, UNREADABLE
from featurestore.errors import SourceError
from featurestore.store.columns import UTC_MICROS
from featurestore.store.source_files import list_files

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def source(tmp_path: Path) -> FileSource:
    return FileSource("s", path=str(tmp_path / "s"), timestamp_field="at")


def put(source: FileSource, name: str, **columns: object) -> None:
    """Write a Parquet file with one row, and the time unless there is another one."""
    path = Path(source.path, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    at = {"at": pa.array([NOON], UTC_MICROS)}
    pq.write_table(pa.table(at | columns), path)  # type: ignore[operator]  # columns of Arrow


def read(source: FileSource, used: Collection[str] | None = None) -> pa.Table:
    files = list_files(source.path)
    task = plan_files(source, files, None if used is None else dict.fromkeys(used))
    return pa.Table.from_batches(list(read_units(task, units(files, task))), result_schema(task))


def refusal(source: FileSource, used: Collection[str] | None = None) -> SourceError:
    with pytest.raises(SourceError) as refused:
        read(source, used)
    return refused.value


def test_undeclared_columns_have_a_type_that_fits_all_files(source: FileSource) -> None:
    put(source, "a.parquet", n=pa.array([1], pa.int32()), x=pa.nulls(1))
    put(source, "b.parquet", n=pa.array([2], pa.int64()), x=["b"])
    put(source, "c.parquet", n=pa.array([3.5]), x=pa.array(["c"]).dictionary_encode())

    rows = read(source, ["at", "n", "x"])

    assert rows["n"].to_pylist() == [1.0, 2.0, 3.5]
    assert rows["x"].to_pylist() == [None, "b", "c"]
    assert rows[SOURCE_FILE].to_pylist() == ["a.parquet", "b.parquet", "c.parquet"]


def test_a_views_fields_give_their_types_to_files_without_a_schema(source: FileSource) -> None:
    put(source, "shop=007/a.parquet", n=[1.0, None], x=pa.nulls(2), at=pa.array([NOON] * 2))
    fields = (Field("shop", Int64), Field("n", Int32), Field("x", Float64))
    used = {"at": None, **{field.name: field for field in fields}}
    files = list_files(source.path)

    task = plan_files(source, files, used)
    [batch] = read_units(task, units(files, task))

    assert {name: batch[name].to_pylist() for name in ("shop", "n", "x")} == {
        "shop": [7, 7],
        "n": [1, None],
        "x": [None, None],
    }
    assert [batch.schema.field(name).type for name in ("shop", "n", "x")] == [
        pa.int64(),
        pa.int32(),
        pa.float64(),
    ]


def test_rows_are_kept_where_no_column_of_them_can_be_read(source: FileSource) -> None:
    put(source, "a.parquet", at=pa.array([1], pa.int64()))
    put(source, "b.parquet", at=["x"])

    rows = read(source)

    assert rows.num_rows == 2
    assert rows["at"].to_pylist() == [None, None]
    assert [name for name, _ in rows[UNREADABLE][0].as_py()] == ["at"]


def test_columns_of_any_type_that_nothing_uses_stop_nothing(source: FileSource) -> None:
    put(
        source,
        "a.parquet",
        nanos=pa.array([1], pa.timestamp("ns")),
        clock=pa.array([time(1)]),
        length=pa.array([1], pa.duration("s")),
        nested=pa.array([{"a": [time(1)]}]),
        wide=pa.array([1], pa.uint64()),
    )

    rows = read(source)

    assert read(source, ["at"]).column_names == ["at", SOURCE_FILE]
    assert rows["wide"].to_pylist() == [1]
    assert {name for name, _ in rows[UNREADABLE][0].as_py()} == {
        "nanos",
        "clock",
        "length",
        "nested",
    }
    assert "'nanos'" in refusal(source, ["at", "nanos"]).found
    assert "'clock'" in refusal(source, ["at", "clock"]).found


def test_times_of_int96_are_moments(source: FileSource) -> None:
    Path(source.path).mkdir()
    table = pa.table({"at": pa.array([NOON, datetime(1, 1, 1, tzinfo=UTC)], UTC_MICROS)})
    file = Path(source.path, "a.parquet")
    pq.write_table(table, file, use_deprecated_int96_timestamps=True)

    assert read(source)["at"].to_pylist()[0] == NOON
    assert read(source).schema.field("at").type == UTC_MICROS


def test_times_of_int96_in_lists_are_moments(source: FileSource) -> None:
    Path(source.path).mkdir()
    seen = pa.array([[NOON, None], None], pa.list_(UTC_MICROS))
    table = pa.table({"at": pa.array([NOON] * 2, UTC_MICROS), "seen": seen})
    file = Path(source.path, "a.parquet")
    pq.write_table(table, file, use_deprecated_int96_timestamps=True)
    declared = replace(source, schema=(Field("at", Timestamp), Field("seen", Array(Timestamp))))

    assert read(source)["seen"].to_pylist() == [[NOON, None], None]
    assert read(declared)["seen"].to_pylist() == [[NOON, None], None]


def test_uuids_are_texts_where_they_are_declared_so(source: FileSource) -> None:
    key = UUID(int=7)
    put(source, "a.parquet", id=pa.array([key, None], pa.uuid()), at=pa.array([NOON] * 2))
    declared = replace(source, schema=(Field("id", String),))

    assert read(declared)["id"].to_pylist() == [str(key), None]
    assert read(source)["id"].to_pylist() == [key.bytes, None]


def test_local_times_in_lists_are_refused(source: FileSource) -> None:
    put(source, "a.parquet", seen=[[NOON.replace(tzinfo=None)]])
    declared = replace(source, schema=(Field("at", Timestamp), Field("seen", Array(Timestamp))))

    assert "'seen'" in refusal(declared).found


def test_names_of_folders_give_columns_their_text(source: FileSource) -> None:
    put(source, "shop=007/day=2026-01-31/a.parquet", n=pa.array([1]))
    typed = (Field("shop", Int32), Field("day", Date), Field("n", Int64))

    texts = read(source)
    values = read(replace(source, schema=typed)).to_pylist()

    assert (texts["shop"].to_pylist(), texts["day"].to_pylist()) == (["007"], ["2026-01-31"])
    assert (values[0]["shop"], str(values[0]["day"])) == (7, "2026-01-31")
    wrong = refusal(replace(source, schema=(Field("day", Int32),)))
    assert "'2026-01-31'" in wrong.found


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_files_whose_columns_are_all_in_folders_keep_their_rows(
    source: FileSource, kind: str
) -> None:
    folder = Path(source.path, "shop=007")
    folder.mkdir(parents=True)
    text = "other\n1\n2\n" if kind == "csv" else '{"other": 1}\n{"other": 2}\n'
    (folder / f"a.{kind}").write_text(text, encoding="utf-8")

    rows = read(replace(source, schema=(Field("shop", String),)))

    assert rows["shop"].to_pylist() == ["007", "007"]


def test_declared_columns_are_checked_in_each_file(source: FileSource) -> None:
    put(source, "a.parquet", x=[1.5], n=pa.array([1], pa.int64()))
    put(source, "b.parquet", n=pa.array([3_000_000_000], pa.int64()))
    declared = (Field("at", Timestamp), Field("n", Int64))

    fits = read(replace(source, schema=declared))
    lacks = refusal(replace(source, schema=(*declared, Field("x", Float64))))
    narrow = refusal(replace(source, schema=(Field("n", Int32),)))
    text = refusal(replace(source, schema=(Field("n", String),)))

    assert fits["n"].to_pylist() == [1, 3_000_000_000]
    assert ("'x'" in lacks.found, "b.parquet" in lacks.found) == (True, True)
    assert ("'3000000000'" in narrow.found, "b.parquet" in narrow.found) == (True, True)
    assert ("'n'" in text.found, "a.parquet" in text.found) == (True, True)


def test_a_file_that_cannot_be_read_is_named(source: FileSource) -> None:
    put(source, "a.parquet")
    Path(source.path, "b.parquet").write_bytes(b"PAR1 and no more PAR1")

    assert "b.parquet" in refusal(source).found


def test_times_with_and_without_a_zone_are_not_mixed(source: FileSource) -> None:
    put(source, "a.parquet")
    put(source, "b.parquet", at=pa.array([NOON], pa.timestamp("us")))

    found = refusal(replace(source, schema=(Field("at", Timestamp),))).found

    assert ("a.parquet" in found, "b.parquet" in found) == (True, True)


def test_the_format_needs_to_be_known(source: FileSource) -> None:
    put(source, "a.parquet")
    Path(source.path, "b.csv").write_text("at\n", encoding="utf-8")
    Path(source.path, "README").write_text("", encoding="utf-8")

    assert "format=" in refusal(source).fix
