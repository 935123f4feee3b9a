"""`engine="auto"` and `"shuffle"`: which engine answers, why, and that the answers are equal."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.client.distributed.engines import stays_in_spark
from featurestore.engines.choose import Machine
from featurestore.errors import SpineError, TableError
from tests.client.shop import HOUR, at

VIEWS = ["profile", "activity", "rate"]
ROWS = [
    {"id": [1, 2, None, 7][number % 4], "event_timestamp": at(number % 6), "y": number}
    for number in range(40)
]
UTC_MICROS = pa.timestamp("us", "UTC")


@pytest.fixture
def spark_store(filled, spark) -> fs.FeatureStore:
    return fs.FeatureStore(filled.settings.folder, clock=filled._clock, spark=spark)


def test_a_small_call_is_answered_in_process_without_spark(filled):
    frame = filled.get_training_set(VIEWS, ROWS, label="y", engine="auto")

    plan = frame.plan()
    assert (plan.mode, plan.spine_rows, plan.facts["stored_rows"]) == ("local", 40, 8)
    assert plan.views["activity"].rows == 4
    assert not filled._used_spark
    local = filled.get_training_set(VIEWS, ROWS, label="y")
    assert frame.to_arrow() == local.to_arrow()
    assert local.plan().mode == "local"


def test_a_folder_of_parquet_files_is_left_to_spark(spark_store, tmp_path):
    """The engine in process reads single files and Delta tables."""
    folder = tmp_path / "spine"
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(ROWS[:4]), folder / "part.parquet")

    frame = spark_store.get_historical_features(VIEWS, str(folder), engine="auto")

    assert (frame.plan().mode, frame.plan().spine_rows) == ("scan", 4)


@pytest.mark.parametrize("engine", ["scan", "shuffle"])
def test_rows_of_a_parquet_file_come_back_in_its_order(spark_store, tmp_path, engine):
    path = str(tmp_path / "spine.parquet")
    spine = pa.Table.from_pylist(ROWS).append_column("_metadata", pa.array(range(40)))
    pq.write_table(spine, path, row_group_size=7)

    frame = spark_store.get_historical_features(VIEWS, path, engine=engine)

    assert frame.to_arrow() == spark_store.get_historical_features(VIEWS, path).to_arrow()
    assert frame.to_spark().columns == frame.to_arrow().column_names


@pytest.mark.parametrize("engine", ["auto", "scan"])
def test_files_that_nobody_reads_at_a_url_are_refused_alike(filled, engine):
    with pytest.raises(SpineError) as refused:
        filled.get_historical_features(VIEWS, "s3://bucket/spine.csv", engine=engine)

    assert "URLs" in refused.value.found
    assert not filled._used_spark


@pytest.mark.parametrize("form", ["delta", "parquet"])
def test_a_spine_whose_files_do_not_fit_the_memory_is_not_read_here(tmp_path, form):
    """Without a limit, what the machine has left counts."""
    path = tmp_path / f"spine.{form}"
    if form == "delta":
        write_deltalake(path, pa.Table.from_pylist(ROWS))
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)

    machines = [Machine(2, available=size) for size in (100, 10**6, None)]
    assert [stays_in_spark(path, machine) for machine in machines] == [True, False, False]
    assert stays_in_spark(path, Machine(2, 100, available=10**6))
    assert not stays_in_spark(ROWS, Machine(2, 1))


def test_the_plan_of_a_shuffle_has_an_exchange_for_each_key_set(spark_store):
    count = fs.Label("activity", "*", "count", horizon="1h", maturity="1h")

    frame = spark_store.get_training_set(VIEWS, ROWS, label=count, engine="shuffle")

    exchanges = frame.plan().facts["exchanges"]
    assert [(each["keys"], each["views"], each["spine_rows"]) for each in exchanges] == [
        (["id"], ["profile", "activity", "activity"], 30),
        ([], ["rate"], 40),
    ]
    assert frame.plan().tasks == max(each["tasks"] for each in exchanges) == 1


def test_a_later_moment_than_the_plan_knows_is_refused_in_to_spark_too(
    spark_store, spark, tmp_path
):
    """The stored rows after the planned moments stay out of the exchange."""
    late = str(tmp_path / "late")

    def rows(batches):
        hours = [5, 6] if Path(late).exists() else [5]
        yield from (
            pa.record_batch({"id": [1] * len(hours), "hour": pa.array(hours)}) for _ in batches
        )

    hours = spark.range(0, 1, 1, 1).mapInArrow(rows, "id long, hour long")
    spine = hours.selectExpr("id", "timestamp_seconds(hour * 3600) AS event_timestamp")

    frame = spark_store.get_historical_features(["activity"], spine, engine="shuffle")
    assert frame.to_spark().count() == 1
    Path(late).touch()
    with pytest.raises(Exception, match="SpineError"):
        frame.to_spark().collect()
    with pytest.raises(SpineError) as refused:
        frame.write(str(tmp_path / "written"))

    assert "'event_timestamp'" in refused.value.found


def test_a_spine_in_spark_is_scanned_if_the_executors_can_read_the_tables(spark_store, spark):
    spine = spark.createDataFrame(pa.Table.from_pylist(ROWS))

    frame = spark_store.get_historical_features(VIEWS, spine, engine="auto")

    assert (frame.plan().mode, frame.plan().facts["unreadable"]) == ("scan", [])


def test_a_view_without_a_table_is_computed_from_its_source(store, spark):
    spark_store = fs.FeatureStore(store.settings.folder, clock=store._clock, spark=spark)
    source = pa.table(
        {
            "at": pa.array([HOUR, 2 * HOUR], UTC_MICROS),
            "known_at": pa.array([HOUR, 3 * HOUR], UTC_MICROS),
            "id": [1, 1],
            "city": ["a", "b"],
        }
    )
    write_deltalake(store.settings.folder / "data" / "paid", source)
    spine = [{"id": 1, "event_timestamp": at(hour)} for hour in (0, 1, 2, 3)]

    frame = spark_store.get_historical_features("profile", spine, engine="auto")

    assert frame.plan().mode == "shuffle"
    assert frame.plan().facts["without_table"] == ("profile",)
    assert frame.plan().computed == ("profile",)
    assert frame.plan().tasks == 1  # its rows are counted, and they are few
    assert frame.to_arrow()["city"].to_pylist() == [None, "a", "a", "b"]
    assert frame.versions == {}


def test_a_view_that_neither_has_a_table_nor_a_source_is_refused(store, spark):
    spark_store = fs.FeatureStore(store.settings.folder, clock=store._clock, spark=spark)

    for engine in ("scan", "local"):
        with pytest.raises(TableError) as refused:
            spark_store.get_historical_features("profile", ROWS, engine=engine)
        assert "materialize profile" in refused.value.fix
    with pytest.raises(fs.errors.FeatureStoreError) as missing:
        spark_store.get_historical_features("profile", ROWS, engine="shuffle")
    assert "data/paid" in str(missing.value)


def test_a_key_of_another_type_is_refused_before_spark_reads_a_table(spark_store):
    rows = [row | {"id": str(row["id"])} for row in ROWS]

    with pytest.raises(SpineError) as refused:
        spark_store.get_historical_features(VIEWS, rows, engine="shuffle")

    assert "'id'" in refused.value.found
