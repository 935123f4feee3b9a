"""SQL opens the tables that it names, and reads sources as they are, or names what it cannot."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

import featurestore as fs
from featurestore.errors import RequestError, TableError
from tests.client.shop import write_view
from tests.tables import feature_table


@pytest.fixture
def source(tmp_path: Path) -> str:
    """Return where the shop's source `paid` is; there is no table yet."""
    return str(tmp_path / "data" / "paid")


def test_names_are_found_in_any_case_and_anywhere_in_the_text(
    filled: fs.FeatureStore, source: str
) -> None:
    write_deltalake(source, pa.table({"x": [1]}))

    rows = filled.sql(
        'WITH a AS (SELECT count(*) AS n FROM "Profile") '
        "SELECT n, (SELECT x FROM main.PAID) AS x FROM a WHERE EXISTS (FROM Rate) "
        "AND n IN (SELECT count(*) FROM profile p JOIN profile q USING (id, event_timestamp))"
    )

    assert rows.to_pydict() == {"n": [3], "x": [1]}


def test_a_table_that_cannot_be_read_stops_only_the_texts_that_name_it(
    filled: fs.FeatureStore, source: str
) -> None:
    write_deltalake(source, pa.table({"x": [1]}))
    Path(source, "_delta_log", f"{0:020}.json").write_text("damaged")
    for file in Path(filled.layout.features("rate", "rate-1")).glob("_delta_log/*"):
        file.write_text("damaged")

    assert filled.sql("SELECT count(*) AS n FROM profile")["n"].to_pylist() == [3]
    for name, place in {"paid": source, "rate": "rate-1"}.items():
        with pytest.raises(TableError) as caught:
            filled.sql(f"SELECT * FROM {name}")
        assert place in caught.value.call


@pytest.mark.parametrize("name", ["paid", "rate"])
def test_an_empty_newest_commit_is_an_error_and_not_an_older_table(
    filled: fs.FeatureStore, source: str, name: str
) -> None:
    write_deltalake(source, pa.table({"x": [1]}))
    table = {"paid": source, "rate": filled.layout.features("rate", "rate-1")}[name]
    log = Path(table, "_delta_log")
    lost = log / f"{len(list(log.glob('*.json'))):020}.json"
    lost.write_bytes(b"")

    with pytest.raises(TableError) as caught:
        filled.sql(f"SELECT * FROM {name}")

    assert str(lost) in caught.value.found


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_bytes(b"damaged")])
def test_a_damaged_file_is_named(
    filled: fs.FeatureStore, source: str, damage: Callable[[Path], object]
) -> None:
    write_deltalake(source, pa.table({"x": [1]}))
    [file] = Path(source).glob("*.parquet")
    damage(file)

    with pytest.raises(RequestError) as caught:
        filled.sql("SELECT * FROM paid")

    assert file.name in caught.value.found
    assert "damaged or missing" in caught.value.fix


def test_times_without_a_zone_are_read(filled: fs.FeatureStore, source: str) -> None:
    naive = pa.array([1_000_000], pa.timestamp("us"))
    write_deltalake(source, pa.table({"at": naive}))

    assert filled.sql("SELECT * FROM paid")["at"].combine_chunks() == naive


def test_deleted_rows_of_deletion_vectors_are_left_out(
    filled: fs.FeatureStore, source: str
) -> None:
    enabled = {"delta.enableDeletionVectors": "true"}
    write_deltalake(source, pa.table({"x": [1, 2, 3]}), configuration=enabled)
    DeltaTable(source).delete("x = 2")

    assert (
        filled.sql("SELECT sum(p.x) AS s FROM paid p JOIN paid q USING (x)")["s"][0].as_py() == 4
    )


def test_mapped_columns_have_their_names(filled: fs.FeatureStore, source: str) -> None:
    write_mapped(Path(source), pa.table({"col-1": [1, 2]}), {"x": "col-1"})

    assert filled.sql("SELECT x FROM paid").to_pydict() == {"x": [1, 2]}


def test_times_as_spark_3_wrote_them_are_exact(filled: fs.FeatureStore, source: str) -> None:
    times = [datetime(1500, 1, 1, tzinfo=UTC), datetime(2500, 1, 1, 1, 2, 3, 456789, tzinfo=UTC)]
    rows = pa.table({"t": pa.array(times, pa.timestamp("us", "UTC"))})
    write_deltalake(source, rows)
    [file] = Path(source).glob("*.parquet")
    before = file.stat().st_size
    pq.write_table(rows, file, use_deprecated_int96_timestamps=True)
    log = Path(source, "_delta_log", f"{0:020}.json")
    log.write_text(log.read_text().replace(f'"size":{before}', f'"size":{file.stat().st_size}'))

    found = filled.sql("SELECT t FROM paid WHERE t > TIMESTAMPTZ '2400-01-01 00:00:00Z'")

    assert found["t"].to_pylist() == times[1:]
    assert sorted(filled.sql("SELECT t FROM paid")["t"].to_pylist()) == times


@pytest.mark.parametrize("value", ["plain", "a b", "c=d", "e+f", "ä%2F/ö", "[1]*", "2026", None])
def test_partition_values_are_read_as_they_are(
    filled: fs.FeatureStore, source: str, value: str | None
) -> None:
    rows = {"x": [1], "p": pa.array([value], pa.string()), "d": [date(2026, 1, 2)]}
    write_deltalake(source, pa.table(rows), partition_by=["p", "d"])

    found = filled.sql("SELECT * FROM paid").to_pydict()

    assert found == {"x": [1], "p": [value], "d": [date(2026, 1, 2)]}


def test_a_column_that_came_later_is_null_before(filled: fs.FeatureStore, source: str) -> None:
    write_deltalake(source, pa.table({"x": [1]}))
    write_deltalake(source, pa.table({"x": [2], "y": ["b"]}), mode="append", schema_mode="merge")

    rows = filled.sql("SELECT x, y FROM paid ORDER BY x").to_pydict()

    assert rows == {"x": [1, 2], "y": [None, "b"]}


def test_a_shallow_clone_is_refused_by_its_name(filled: fs.FeatureStore, source: str) -> None:
    write_deltalake(source, pa.table({"x": [1]}))
    log = Path(source, "_delta_log", f"{0:020}.json")
    log.write_text(log.read_text().replace('"path":"part', '"path":"file:///other/part'))

    with pytest.raises(TableError) as caught:
        filled.sql("SELECT * FROM paid")

    assert caught.value.call == f"open table {source}"
    assert "CLONE" in caught.value.fix


@pytest.mark.parametrize(
    ("condition", "n"),
    [
        ("x > 1.5", 2),
        ("x = 'nan'", 1),
        ("x <> 2", 3),
        ("x BETWEEN 1 AND 'nan'", 3),
        ("x >= 'nan' OR x < 0", 1),
        ("NOT x > 1.5", 2),
        ("x IS NULL", 1),
    ],
)
def test_nan_is_greater_than_every_number_in_conditions(
    filled: fs.FeatureStore, source: str, condition: str, n: int
) -> None:
    write_deltalake(source, pa.table({"x": [1.0, 2.0, float("nan"), None, -0.0]}))

    assert filled.sql(f"SELECT count(*) AS n FROM paid WHERE {condition}")["n"][0].as_py() == n


def test_a_views_columns_keep_their_types(store: fs.FeatureStore) -> None:
    write_view(store, "profile", feature_table({"id": [7]}, [1], {"city": ["a"]}))

    rows = store.sql("SELECT id, event_timestamp, city FROM profile")

    assert rows.schema.types == [pa.int64(), pa.timestamp("us", "UTC"), pa.string()]
    assert rows["event_timestamp"][0].as_py() == datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)


def write_mapped(folder: Path, rows: pa.Table, names: dict[str, str]) -> None:
    """Write a Delta table with column mapping, of Int64 columns, as Spark would."""
    (folder / "_delta_log").mkdir(parents=True)
    pq.write_table(rows, folder / "rows.parquet")
    columns = [
        {
            "name": name,
            "type": "long",
            "nullable": True,
            "metadata": {
                "delta.columnMapping.id": number,
                "delta.columnMapping.physicalName": physical,
            },
        }
        for number, (name, physical) in enumerate(names.items(), 1)
    ]
    metadata = {
        "id": "mapped",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps({"type": "struct", "fields": columns}),
        "partitionColumns": [],
        "configuration": {
            "delta.columnMapping.mode": "name",
            "delta.columnMapping.maxColumnId": str(len(columns)),
        },
        "createdTime": 0,
    }
    file = {
        "path": "rows.parquet",
        "partitionValues": {},
        "size": (folder / "rows.parquet").stat().st_size,
        "modificationTime": 0,
        "dataChange": True,
    }
    actions = [
        {"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}},
        {"metaData": metadata},
        {"add": file},
    ]
    log = folder / "_delta_log" / f"{0:020}.json"
    log.write_text("\n".join(json.dumps(action) for action in actions))
