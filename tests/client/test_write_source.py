"""Rows of a notebook become rows of a source, exactly, or are refused with nothing written."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

import featurestore as fs
from featurestore.errors import NotFoundError, RequestError

DEFINITIONS = """
import featurestore as fs
card = fs.Entity("card", join_keys=(fs.Field("card_id", fs.String),))
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at")
visits = fs.FileSource("visits", path="data/visits", format="parquet", timestamp_field="at",
    schema=(fs.Field("card_id", fs.String), fs.Field("at", fs.Timestamp), fs.Field("n", fs.Int32)))
notes = fs.FileSource("notes", path="data/notes", format="csv", timestamp_field="at",
    schema=(fs.Field("card_id", fs.String), fs.Field("at", fs.Timestamp),
            fs.Field("text", fs.String)))
spending = fs.FeatureView("spending", entities=(card,), source=paid,
    schema=(fs.Field("amount", fs.Float64),))
visit = fs.FeatureView("visit", entities=(card,), source=visits, schema=(fs.Field("n", fs.Int32),))
moves = fs.DeltaSource("moves", path="data/moves", timestamp_field="at", timezone="UTC")
move = fs.FeatureView("move", entities=(card,), source=moves,
    schema=(fs.Field("left_at", fs.Timestamp),))
note = fs.FeatureView("note", entities=(card,), source=notes,
    schema=(fs.Field("text", fs.String),))
"""
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> fs.FeatureStore:
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "all.py").write_text(DEFINITIONS, encoding="utf-8")
    (tmp_path / "featurestore.toml").write_text('project = "p"\n', encoding="utf-8")
    return fs.FeatureStore(tmp_path)


def test_frames_are_appended_to_a_delta_table_that_is_made_first(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"card_id": ["a"], "at": pd.to_datetime([NOON]), "amount": [1.0]})
    frame.index = [7]

    counts = [
        store.write_source("paid", frame),
        store.write_source("paid", [{"card_id": "b", "at": NOON, "amount": 2}]),
    ]

    rows = pa.table(DeltaTable(tmp_path / "data" / "paid").scan())
    assert counts == [1, 1]
    assert sorted(rows.to_pylist(), key=lambda row: row["card_id"]) == [
        {"card_id": "a", "at": NOON, "amount": 1.0},
        {"card_id": "b", "at": NOON, "amount": 2.0},
    ]
    assert rows.schema.field("at").type == pa.timestamp("us", "UTC")


def test_each_call_writes_a_parquet_file_of_the_declared_types(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    for card in ("a", "b"):
        store.write_source("visits", pa.table({"card_id": [card], "at": [NOON], "n": [1]}))

    files = sorted((tmp_path / "data" / "visits").iterdir())
    assert [pq.read_schema(file).field("n").type for file in files] == [pa.int32()] * 2
    assert sorted(pq.read_table(files)["card_id"].to_pylist()) == ["a", "b"]


def test_encoded_columns_become_their_values(store: fs.FeatureStore, tmp_path: Path) -> None:
    frame = pl.DataFrame({"card_id": ["a", "b"], "at": [NOON, NOON], "amount": [1.0, None]})
    category = pl.Series("card_id", ["a", "b"], dtype=pl.Enum(["b", "a"]))
    runs = pa.RunEndEncodedArray.from_arrays([2], [1.0])

    store.write_source("paid", frame.with_columns(category))
    store.write_source("paid", pa.table(frame).set_column(2, "amount", runs))

    rows = pa.table(DeltaTable(tmp_path / "data" / "paid").scan())
    assert sorted(rows["card_id"].to_pylist()) == ["a", "a", "b", "b"]
    assert rows["amount"].to_pylist().count(1.0) == 3


def test_a_local_time_is_refused_where_timezone_does_not_count(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    local = NOON.replace(tzinfo=None)

    with pytest.raises(RequestError, match="'left_at'") as error:
        store.write_source("moves", [{"card_id": "a", "at": local, "left_at": local}])

    assert "timezone=" not in error.value.fix
    assert not (tmp_path / "data" / "moves").exists()
    assert store.write_source("moves", [{"card_id": "a", "at": local, "left_at": NOON}]) == 1


@pytest.mark.parametrize(
    ("name", "rows", "part"),
    [
        ("visits", [{"card_id": "a", "at": NOON, "n": 3_000_000_000}], "'3000000000'"),
        ("visits", [{"card_id": "a", "at": NOON, "n": "1"}], "string"),
        ("visits", [{"card_id": "a", "at": NOON}], "'n'"),
        ("notes", [{"card_id": "a", "at": NOON, "text": ""}], "data/notes"),
        ("paid", [{"card_id": "a", "at": NOON, "amount": pd.Timedelta(1)}], "amount"),
        ("paid", [{"card_id": "a", "when": NOON, "amount": 1.0}], "'at'"),
        ("paid", [{"card_id": 7, "at": NOON, "amount": 1.0}], "card_id"),
        ("paid", [{"card_id": "a", "at": NOON.replace(tzinfo=None), "amount": 1.0}], "'at'"),
    ],
)
def test_rows_that_do_not_fit_are_refused_and_nothing_is_written(
    store: fs.FeatureStore, tmp_path: Path, name: str, rows: list[dict[str, object]], part: str
) -> None:
    with pytest.raises(RequestError) as refused:
        store.write_source(name, rows)

    assert name in refused.value.call
    assert part in refused.value.found
    assert not (tmp_path / "data").exists()


def test_the_first_rows_give_the_table_the_declared_types(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    store.write_source("paid", [{"card_id": "a", "at": NOON, "amount": 1, "note": 7}])
    store.write_source("paid", [{"card_id": "b", "at": NOON, "amount": 1.5, "note": 8}])

    rows = pa.table(DeltaTable(tmp_path / "data" / "paid").scan())
    assert rows.schema.field("amount").type == pa.float64()
    assert sorted(rows["amount"].to_pylist()) == [1.0, 1.5]


def test_a_column_of_nulls_only_gets_a_type_that_spark_reads(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    row = {"card_id": "a", "at": NOON, "amount": None, "note": None}
    store.write_source("paid", [row])
    store.write_source("paid", [row | {"amount": 1.5, "note": "x"}])

    schema = pa.schema(DeltaTable(tmp_path / "data" / "paid").schema().to_arrow())
    assert [schema.field(name).type for name in ("amount", "note")] == [pa.float64(), pa.string()]


def test_rows_without_a_column_of_the_table_are_refused(store: fs.FeatureStore) -> None:
    store.write_source("paid", [{"card_id": "a", "at": NOON, "amount": 1.0}])

    with pytest.raises(RequestError) as refused:
        store.write_source("paid", [{"card_id": "a", "at": NOON}])

    assert "'amount'" in refused.value.found


def test_swapped_arguments_are_named(store: fs.FeatureStore) -> None:
    with pytest.raises(RequestError) as refused:
        store.write_source(pd.DataFrame({"card_id": ["a"]}), "paid")  # type: ignore[arg-type]

    assert "DataFrame" in refused.value.found


def test_a_column_that_the_table_lacks_is_refused(store: fs.FeatureStore) -> None:
    store.write_source("paid", [{"card_id": "a", "at": NOON, "amount": 1.0}])

    with pytest.raises(RequestError) as refused:
        store.write_source("paid", [{"card_id": "a", "at": NOON, "amuont": 1.0}])

    assert "'amuont'" in refused.value.found
    assert "'amount'" in refused.value.fix


@pytest.mark.parametrize(
    "changed",
    [{"card_id": 7}, {"at": NOON.replace(tzinfo=None)}, {"amount": "007"}, {"tags": [7]}],
)
def test_values_of_another_kind_than_the_table_has_are_refused_not_converted(
    store: fs.FeatureStore, tmp_path: Path, changed: dict[str, object]
) -> None:
    row = {"card_id": "a", "at": NOON, "amount": 1.0, "tags": ["x"]}
    store.write_source("paid", [row])
    store.write_source("paid", [row | {"amount": None, "tags": []}, row | {"amount": 2}])

    with pytest.raises(RequestError, match=str(next(iter(changed)))):
        store.write_source("paid", [row | changed])

    assert pa.table(DeltaTable(tmp_path / "data" / "paid").scan()).num_rows == 3


def test_a_source_that_is_not_declared_is_named(store: fs.FeatureStore) -> None:
    with pytest.raises(NotFoundError) as refused:
        store.write_source("payd", [{"card_id": "a"}])

    assert "'paid'" in refused.value.fix


@pytest.mark.parametrize(
    ("path", "is_written"),
    [
        *(("data.v1", True), ("data/visits", True), ("data/[x]", True)),
        *(("data/[ab]", False), ("data/visits-*", False), ("data/{a,b}", False)),
        *(("data/visits.parquet", False), ("data/visits.csv", False), ("data/only.pq", False)),
    ],
)
def test_rows_become_a_file_of_a_folder_of_any_name_but_of_no_file_or_pattern(
    store: fs.FeatureStore, tmp_path: Path, path: str, is_written: bool
) -> None:
    (tmp_path / "data" / "[x]").mkdir(parents=True)
    for name in ("data/[x]/a.pq", "data/only.pq"):
        pq.write_table(pa.table({"card_id": ["a"], "at": [NOON], "n": [1]}), tmp_path / name)
    definitions = tmp_path / "feature_defs" / "all.py"
    text = DEFINITIONS.replace('path="data/visits", format="parquet"', f'path="{path}"')
    definitions.write_text(text, encoding="utf-8")
    rows = [{"card_id": "a", "at": NOON, "n": 1}]

    if is_written:
        assert store.write_source("visits", rows) == 1
        [file] = (tmp_path / path).glob("*.parquet")
        assert pq.read_table(file)["n"].to_pylist() == [1]
    else:
        with pytest.raises(RequestError, match="visits"):
            store.write_source("visits", rows)


@pytest.mark.parametrize("has_plain_view", [True, False])
def test_a_transform_may_give_times_their_zone(
    store: fs.FeatureStore, tmp_path: Path, has_plain_view: bool
) -> None:
    definitions = tmp_path / "feature_defs" / "all.py"
    select = 'source=paid, transform="SELECT * FROM {source}"'
    text = DEFINITIONS if has_plain_view else DEFINITIONS.replace("source=paid", select)
    definitions.write_text(text, encoding="utf-8")
    rows = [{"card_id": "a", "at": NOON.replace(tzinfo=None), "amount": 1.0}]

    if has_plain_view:
        with pytest.raises(RequestError, match="'at'"):
            store.write_source("paid", rows)
    else:
        assert store.write_source("paid", rows) == 1
