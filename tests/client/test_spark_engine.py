"""`engine="spark"`: the answers of Spark's tasks equal those of the engine in process."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

import featurestore as fs
from featurestore.client.spines.read import read_spine
from featurestore.engines.spark.retrieve.task import TASK_MEMORY
from featurestore.errors import RequestError, SpineError, StorageError
from tests.client.on_demand_shop import filled_shop
from tests.client.shop import HOUR, NOW, at, write_view
from tests.tables import feature_table

LABEL = fs.Label("activity", "*", "count", horizon="2h", maturity="1h", name="paid")
LAST = (NOW - timedelta(hours=3) - at(0)).total_seconds() / 3600
SPINE = pa.table(
    {
        "id": pa.array([1, 1, 2, 3, None, 1, 2], pa.int32()),
        "event_timestamp": [at(2.5), at(5), at(5), at(5), at(5), None, at(LAST + 1)],
        "price": [3.0, 7.0, 5.0, 1.0, None, 2.0, 1.5],
        "pieces": pa.array([1, 2, 3, 4, 5, 6, 7], pa.uint8()),
        "note": pa.array(["a", "b", None, "a", "ü", "", "z"], pa.string_view()),
        "y": [0, 1, 0, 1, 0, 1, 0],
    }
)


@pytest.fixture
def shop(tmp_path: Path, spark) -> fs.FeatureStore:
    filled_shop(tmp_path)
    return fs.FeatureStore(tmp_path, clock=lambda: NOW, spark=spark)


def by_position(table: pa.Table) -> list[dict]:
    return sorted(table.to_pylist(), key=lambda row: row["pieces"])


@pytest.mark.parametrize(("engine", "mode"), [("spark", "scan"), ("shuffle", "shuffle")])
def test_types_values_and_order_are_those_of_the_local_engine(shop, engine, mode):
    """Stored and on-demand features, of SQL and of a function; null keys and null times."""
    options = {"label": replace(LABEL, immature="flag"), "null_times": "keep"}

    frame = shop.get_training_set("everything", SPINE, engine=engine, **options)

    local = shop.get_training_set("everything", SPINE, **options)
    assert frame.to_arrow() == local.to_arrow()
    assert (frame.features, frame.label, frame.versions, frame.label_timing) == (
        local.features,
        local.label,
        local.versions,
        local.label_timing,
    )
    assert frame.plan().mode == mode
    assert frame.plan().to_dict()["spine_rows"] == len(SPINE)


def test_a_spark_dataframe_stays_distributed_and_executors_write_it(shop, spark, tmp_path):
    spine = SPINE.slice(0, 5).drop_columns("note")
    pq.write_table(spine, tmp_path / "spine.parquet")

    frame = shop.get_historical_features(
        "everything", spark.read.parquet(str(tmp_path / "spine.parquet")), engine="spark"
    )
    count = frame.write(str(tmp_path / "written"))

    local = shop.get_historical_features("everything", spine).to_arrow()
    assert count == 5
    assert by_position(read_spine(str(tmp_path / "written"))) == by_position(local)
    assert by_position(frame.to_spark().toArrow()) == by_position(local)
    with pytest.raises(RequestError):
        frame.write(str(tmp_path / "written"))


def test_a_local_frame_writes_the_table_that_executors_write(shop, spark, tmp_path):
    frames = {
        engine: shop.get_training_set("everything", SPINE.slice(0, 5), label="y", engine=engine)
        for engine in ("spark", "local")
    }

    counts = [frame.write(str(tmp_path / engine)) for engine, frame in frames.items()]

    by_spark, local = (spark.read.format("delta").load(str(tmp_path / name)) for name in frames)
    assert counts == [5, 5]
    assert local.schema == by_spark.schema
    assert by_position(local.toArrow()) == by_position(by_spark.toArrow())


def test_a_place_where_nothing_can_be_written_is_an_error_of_the_write(shop):
    frame = shop.get_historical_features(["activity"], SPINE.slice(0, 2), engine="spark")

    with pytest.raises(StorageError) as refused:
        frame.write("/proc/nope")

    assert refused.value.call == "write('/proc/nope')"
    assert "/proc/nope" in refused.value.found


def test_spark_reads_a_delta_table_at_the_version_that_it_has_at_the_call(shop, tmp_path):
    folder = str(tmp_path / "spine")
    write_deltalake(folder, SPINE.slice(0, 2))

    frame = shop.get_historical_features(["activity"], folder, engine="spark")
    write_deltalake(folder, SPINE.slice(2, 3), mode="append")

    local = shop.get_historical_features(["activity"], SPINE.slice(0, 2)).to_arrow()
    assert frame.plan().spine_rows == 2
    assert by_position(frame.to_arrow()) == by_position(local)


def test_a_saved_training_set_has_the_notes_and_rows_of_a_local_one(shop):
    times = SPINE["event_timestamp"]
    naive = times.cast(pa.int64()).cast(pa.timestamp("us"))
    spine = (
        SPINE.append_column("naive", naive)
        .append_column("seconds", naive.cast(pa.timestamp("s"), safe=False))
        .append_column("local", times.cast(pa.timestamp("ns", "Europe/Paris")))
        .append_column("day", naive.cast(pa.date32()).cast(pa.date64()))
        .append_column("big", pa.array([2**64 - 1] * 7, pa.uint64()))
        .append_column("none", pa.nulls(7))
        .slice(0, 5)
    )
    local = shop.get_training_set("everything", spine, label="y")
    kept = local.save("fraud")

    saved = shop.get_training_set("everything", spine, label="y", engine="spark").save("fraud")

    assert (kept.version, saved.version) == (0, 1)
    same = {"version": None, "spine_digest": "", "schema": "", "profile": ""}
    assert replace(saved, **same) == replace(kept, **same)
    assert shop.load_training_set("fraud").to_arrow() == local.to_arrow()
    assert shop.load_training_set("fraud", 0).to_arrow() == local.to_arrow()


def test_parts_of_a_frame_are_those_of_the_local_engine(shop):
    spine = SPINE.slice(0, 5)
    frame = shop.get_training_set(["activity"], spine, label="y", engine="spark")
    local = shop.get_training_set(["activity"], spine, label="y")

    train, test = (part.to_arrow() for part in frame.split_by_time(at(3)))
    _, held_out = (part.to_arrow() for part in frame.split_by_entity("id", test=0.5, seed=3))

    assert [train, test] == [part.to_arrow() for part in local.split_by_time(at(3))]
    assert held_out == local.split_by_entity("id", test=0.5, seed=3)[1].to_arrow()


def test_a_spine_that_changes_when_it_is_read_again_is_refused(shop, spark, tmp_path):
    def drawn(batches):
        yield from (pa.record_batch({"id": [random.getrandbits(60)]}) for _ in batches)

    drawn_again = spark.range(1).mapInArrow(drawn, "id long")
    changing = drawn_again.withColumn("event_timestamp", F.lit(at(5)))

    frame = shop.get_historical_features(["activity"], changing, engine="spark")
    with pytest.raises(SpineError) as refused:
        frame.save("changing")
    with pytest.raises(SpineError) as written:
        frame.write(str(tmp_path / "changing"))

    assert "write" in refused.value.fix
    assert shop.training_sets() == []
    assert written.value.call == f"write({str(tmp_path / 'changing')!r})"
    assert str(tmp_path / "changing") in written.value.found


def test_a_table_gets_its_rows_back_if_those_that_replace_them_are_wrong(shop, spark, tmp_path):
    folder = tmp_path / "a ${project}`s table"
    good = shop.get_historical_features(["activity"], SPINE.slice(0, 3), engine="spark")
    good.write(str(folder))
    kept = read_spine(str(folder))

    def drawn(batches):
        yield from (pa.record_batch({"id": [random.getrandbits(60)]}) for _ in batches)

    drawn_again = spark.range(1).mapInArrow(drawn, "id long")
    changing = drawn_again.withColumn("event_timestamp", F.lit(at(5))).withColumn("n", F.lit(1))
    wrong = shop.get_historical_features(["activity"], changing, engine="spark")
    with pytest.raises(SpineError) as refused:
        wrong.write(str(folder), overwrite=True)

    assert "version 0" in refused.value.found
    assert by_position(read_spine(str(folder))) == by_position(kept)
    assert DeltaTable(folder).version() == 2
    assert good.write(str(folder), overwrite=True) == 3


def test_maturity_and_plan_are_of_the_one_moment_of_the_call(shop, spark):
    moments = iter(NOW + timedelta(days=each) for each in range(100))
    store = fs.FeatureStore(shop.settings.folder, clock=lambda: next(moments), spark=spark)

    for engine in ("spark", "local"):
        before = next(moments)
        store.get_training_set(["activity"], SPINE.slice(0, 3), label=LABEL, engine=engine)
        assert next(moments) - before == timedelta(days=2)


def test_times_beyond_nanoseconds_are_saved_from_a_session_that_writes_int96(
    shop, spark, tmp_path
):
    setting = "spark.sql.parquet.outputTimestampType"
    theirs = spark.newSession()
    theirs.conf.set(setting, "INT96")
    store = fs.FeatureStore(shop.settings.folder, clock=lambda: NOW, spark=theirs)
    last = datetime(9999, 12, 31, tzinfo=UTC)
    spine = SPINE.slice(0, 2).append_column("valid_to", pa.array([last, last]))
    frame = store.get_training_set(["activity"], spine, label="y", engine="spark")

    frame.save("long")
    frame.write(str(tmp_path / "written"))

    assert store.load_training_set("long").to_arrow()["valid_to"].to_pylist() == [last, last]
    for folder in (Path(store.layout.training_set("long")), tmp_path / "written"):
        for file in folder.rglob("*.parquet"):
            assert "INT96" not in str(pq.ParquetFile(file).schema)
    assert theirs.conf.get(setting) == "INT96"


def test_errors_of_a_task_have_the_fields_of_the_local_ones(shop, spark):
    texts = spark.createDataFrame(
        [(1, "1970-01-01T05:00:00Z"), (1, "yesterday")], "id int, event_timestamp string"
    )

    with pytest.raises(SpineError) as refused:
        shop.get_historical_features(["activity"], texts, engine="spark").to_arrow()

    assert refused.value.call == "get_historical_features(['activity'])"
    assert "'yesterday'" in refused.value.found


def test_rows_beyond_the_memory_limit_are_not_collected(shop):
    small = fs.FeatureStore(shop.settings.folder, spark=shop._user_session, memory_limit="1kB")

    frame = small.get_historical_features(["activity"], SPINE.slice(0, 5), engine="spark")
    with pytest.raises(RequestError) as refused:
        replace(frame, memory_limit=100).to_arrow()

    assert "frame.write" in refused.value.fix


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("make_dt_interval(1)", "span"),
        ("parse_json('1')", "json"),
        ("1", "ID"),
        ("1", "Count_2h"),
    ],
)
def test_columns_that_spark_or_the_kernel_lacks_are_refused(shop, spark, column, name):
    spine = spark.range(1).select(
        F.lit(1).alias("id"), F.lit(at(5)).alias("event_timestamp"), F.expr(column).alias(name)
    )

    with pytest.raises(RequestError) as refused:
        shop.get_historical_features(["activity"], spine, engine="spark").save("refused")

    assert repr(name) in refused.value.found


def test_a_stream_is_no_spine(shop, spark):
    stream = spark.readStream.format("rate").load().withColumnRenamed("value", "id")

    with pytest.raises(SpineError) as refused:
        shop.get_historical_features(["activity"], stream, engine="spark")

    assert "foreachBatch" in refused.value.fix


def test_a_wrong_name_of_an_engine_is_refused_with_the_nearest(tmp_path):
    shop = filled_shop(tmp_path)

    with pytest.raises(RequestError) as refused:
        shop.get_historical_features(["activity"], SPINE, engine="sparc")

    assert "'spark'" in refused.value.fix


def test_many_tasks_divide_a_hot_key_by_time_and_return_each_row_once(shop, spark):
    """Half of the rows have one key; views have several key sets and none."""
    rows = 30_000
    spine = pa.table(
        {
            "id": [1 if number % 2 else number % 7 for number in range(rows)],
            "event_timestamp": [at(number % 97 / 8) for number in range(rows)],
            "number": range(rows),
        }
    )
    write_view(shop, "rate", feature_table({}, [1 * HOUR, 2 * HOUR], {"euro": [1.5, None]}))

    spark.conf.set(TASK_MEMORY, "30MB")
    try:
        frame = shop.get_historical_features(["activity", "rate"], spine, engine="scan")
    finally:
        spark.conf.unset(TASK_MEMORY)
    in_tasks = frame.to_spark().withColumn("task", F.spark_partition_id())

    hot = in_tasks.where("id = 1").groupBy("task").count().collect()
    assert frame.plan().tasks == len(hot) == 2
    assert frame.to_arrow() == shop.get_historical_features(["activity", "rate"], spine).to_arrow()


def test_a_frame_is_no_table_and_has_no_length_before_it_is_computed(shop, spark):
    frame = shop.get_historical_features(["activity"], SPINE.slice(0, 2), engine="scan")

    assert frame
    for use in (len, list, lambda frame: frame["id"]):
        with pytest.raises(RequestError):
            use(frame)
    with pytest.raises(AttributeError, match="to_spark"):
        frame.show()
