"""`FeatureFrame.write`: the Delta table that Spark would write, or nothing and a refusal."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from featurestore.client.frame.frame import FeatureFrame
from featurestore.errors import FeatureStoreError, RequestError, StorageError, TableError
from tests.client.frame.columns import COLUMNS, chunked

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = FeatureFrame(
    pa.table(
        {
            "event_timestamp": pa.array([NOON, NOON], pa.timestamp("us", "UTC")),
            "count": pa.array([1, None], pa.uint8()),
        }
    ),
    ("count",),
)


def rows_of(folder: Path) -> list[dict]:
    return DeltaTable(folder).to_pyarrow_table().to_pylist()


def test_the_rows_are_a_delta_table_in_a_new_folder(tmp_path):
    folder = tmp_path / "new" / "a ${table}"

    count = ROWS.write(str(folder))

    assert count == 2
    assert rows_of(folder) == [
        {"event_timestamp": NOON, "count": 1},
        {"event_timestamp": NOON, "count": None},
    ]


def test_a_table_that_is_there_is_replaced_only_if_that_is_wanted(tmp_path):
    write_deltalake(tmp_path / "rows", pa.table({"id": [1, 2], "p": [1, 2]}), partition_by="p")

    with pytest.raises(RequestError) as refused:
        ROWS.write(str(tmp_path / "rows"))
    ROWS.write(f"file://{tmp_path}/rows", overwrite=True)

    assert refused.value.call == f"write({str(tmp_path / 'rows')!r})"
    assert "overwrite=True" in refused.value.fix
    assert rows_of(tmp_path / "rows") == ROWS.table.to_pylist()
    assert DeltaTable(tmp_path / "rows").metadata().partition_columns == []


@pytest.mark.parametrize(
    ("column", "name"),
    [
        (pa.array([1], pa.duration("us")), "span"),
        (pa.array([[None]]), "list"),
        (pa.array([1], pa.timestamp("ns")), "nanoseconds"),
        (pa.array([1]), "a b"),
        (pa.array([{"a,b": 1}]), "part"),
        (pa.array([1]), "ID"),
    ],
)
def test_columns_that_a_delta_table_cannot_hold_are_refused_before_anything_is_written(
    tmp_path, column, name
):
    frame = FeatureFrame(pa.table({"id": [1], name: column}), ())

    with pytest.raises(RequestError) as refused:
        frame.write(str(tmp_path / "rows"))

    assert name in refused.value.found
    assert refused.value.call == f"write({str(tmp_path / 'rows')!r})"
    assert not (tmp_path / "rows").exists()


def test_a_place_where_nothing_can_be_written_is_an_error_of_the_call(tmp_path):
    (tmp_path / "file").write_text("no folder")

    for path in ("/proc/nope", str(tmp_path / "file")):
        with pytest.raises(StorageError) as refused:
            ROWS.write(path)
        assert refused.value.call == f"write({path!r})"
        assert path in str(refused.value)


def test_a_folder_whose_name_delta_rs_does_not_take_is_refused(tmp_path):
    with pytest.raises(RequestError) as refused:
        ROWS.write(str(tmp_path / "a[1]"))

    assert "'['" in refused.value.found
    assert list(tmp_path.iterdir()) == []


def test_a_table_whose_rows_only_others_replace_is_refused(tmp_path):
    folder = tmp_path / "rows"
    write_deltalake(folder, ROWS.table.slice(0, 1), configuration={"delta.appendOnly": "true"})

    with pytest.raises(TableError) as refused:
        ROWS.write(str(folder), overwrite=True)

    assert "to_spark" in refused.value.fix
    assert len(rows_of(folder)) == 1


def test_types_and_values_are_those_that_spark_writes(spark, tmp_path):
    """A column of each type of a spine: what Spark refuses is refused here too."""
    columns = {f"x{number}": chunked(each) for number, each in enumerate(COLUMNS)}
    held = {name: each for name, each in columns.items() if is_held(name, each, tmp_path)}
    frame = FeatureFrame(pa.table({"row": range(3)} | held), ())

    frame.write(str(tmp_path / "here"))
    frame.to_spark(spark).write.format("delta").save(str(tmp_path / "by_spark"))

    here, by_spark = (
        spark.read.format("delta").load(str(tmp_path / name)).orderBy("row")
        for name in ("here", "by_spark")
    )
    assert here.schema == by_spark.schema
    assert repr(here.collect()) == repr(by_spark.collect())
    refused = [each for name, each in columns.items() if name not in held]
    assert {str(each.type).partition("[")[0] for each in refused if not is_nested(each)} == {
        "time32", "time64", "duration",
    }  # fmt: skip


def is_held(name: str, column: pa.ChunkedArray, folder: Path) -> bool:
    try:
        FeatureFrame(pa.table({name: column}), ()).write(str(folder / name))
    except FeatureStoreError:
        return False
    return True


def is_nested(column: pa.ChunkedArray) -> bool:
    return pa.types.is_nested(column.type) or pa.types.is_dictionary(column.type)
