"""Preview, frames as Spark DataFrames, and `featurestore.testing`, all with Spark."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.client.frame.frame import FeatureFrame
from featurestore.client.plain_types import plain_column
from featurestore.client.spines.read import read_spine
from featurestore.testing import assert_features, feature_rows
from tests.client.frame.columns import COLUMNS, chunked
from tests.client.frame.test_library_types import in_utc
from tests.client.on_demand_shop import project

T = [datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in range(24)]

card = fs.Entity("card", join_keys=(fs.Field("card_id", fs.String),))
payments = fs.DeltaSource("payments", path="data/payments", timestamp_field="paid_at")
activity = fs.FeatureView(
    "activity",
    entities=(card,),
    source=payments,
    transform="SELECT card_id, paid_at, cents / 100.0D AS amount FROM {source} WHERE ok",
    schema=(fs.Field("amount", fs.Float64),),
    aggregations=(
        fs.Aggregation("amount", "sum", windows=("2h",)),
        fs.Aggregation("*", "count", windows=("2h",)),
    ),
)
PAYMENTS = [
    {"card_id": "a", "paid_at": T[1], "cents": 150, "ok": True},
    {"card_id": "a", "paid_at": T[2], "cents": 250, "ok": True},
    {"card_id": "a", "paid_at": T[2], "cents": 9900, "ok": False},
    {"card_id": "b", "paid_at": T[2], "cents": 700, "ok": True},
]


def test_a_definition_is_tested_with_source_rows_and_expected_features(spark):
    assert_features(
        activity,
        given=PAYMENTS,
        expect=[
            {"card_id": "a", "event_timestamp": T[2], "amount_sum_2h": 1.5, "count_2h": 1},
            {"card_id": "a", "event_timestamp": T[3], "amount_sum_2h": 4.0, "count_2h": 2},
            {"card_id": "z", "event_timestamp": T[3], "amount_sum_2h": None, "count_2h": 0},
        ],
        spark=spark,
    )


def test_a_wrong_expectation_fails_and_lists_each_difference(spark):
    with pytest.raises(AssertionError, match=r"row 0: amount_sum_2h is 4\.0\b.*\b5\.0"):
        assert_features(
            activity, given=PAYMENTS, expect=[{"card_id": "a", "amount_sum_2h": 5.0}], now=T[3],
            spark=spark,
        )  # fmt: skip


def test_a_view_without_keys_is_tested_in_the_same_way(spark):
    total = fs.FeatureView(
        "total", entities=(), source=payments, schema=(fs.Field("cents", fs.Int64),)
    )

    rows = feature_rows(total, given=PAYMENTS, rows=[{"event_timestamp": T[1]}], spark=spark)

    assert rows == [{"cents": 150}]


@pytest.fixture
def store(tmp_path: Path, spark) -> fs.FeatureStore:
    (tmp_path / "featurestore.toml").write_text('project = "shop"\n')
    write_deltalake(str(tmp_path / "data" / "payments"), read_spine(PAYMENTS))
    return fs.FeatureStore(tmp_path, spark=spark)


def test_a_preview_needs_no_applied_definition_and_writes_nothing(store, tmp_path):
    spine = [{"card_id": "a", "event_timestamp": T[3]}, {"card_id": None, "event_timestamp": T[3]}]
    before = sorted(tmp_path.rglob("*"))

    frame = store.preview(activity, spine)

    assert frame.to_arrow().select(["amount_sum_2h", "count_2h"]).to_pylist() == [
        {"amount_sum_2h": 4.0, "count_2h": 2},
        {"amount_sum_2h": None, "count_2h": None},
    ]
    assert frame.null_key_rows == {"activity": 1}
    assert sorted(tmp_path.rglob("*")) == before


def test_a_frame_becomes_a_spark_dataframe_with_the_same_moments(store):
    frame = store.preview(activity, [{"card_id": "b", "event_timestamp": T[3]}])

    row = frame.to_spark().selectExpr("*", "unix_micros(event_timestamp) AS micros").collect()[0]

    assert row["amount_sum_2h"] == 7.0
    assert row["micros"] == int(T[3].timestamp()) * 1_000_000


def test_spark_has_each_value_of_each_type_that_a_spine_may_have(spark):
    table = pa.table({f"x{index}": chunked(column) for index, column in enumerate(COLUMNS)})

    result = FeatureFrame(table, ()).to_spark(spark).toArrow()

    for index, column in enumerate(COLUMNS):
        plain = plain_column(pa.chunked_array([column]))
        assert in_utc(result[f"x{index}"].to_pylist()) == in_utc(plain.to_pylist()), column.type


def test_times_without_a_zone_stay_without_one_in_spark(spark):
    naive = [T[3].replace(tzinfo=None), None]

    [field] = FeatureFrame(pa.table({"at": naive}), ()).to_spark(spark).schema

    assert field.dataType.simpleString() == "timestamp_ntz"


def test_a_spark_dataframe_is_a_spine(store, spark):
    spine = spark.createDataFrame(read_spine([{"card_id": "b", "event_timestamp": T[3]}]))

    frame = store.preview(activity, spine)

    assert frame.to_arrow()["count_2h"].to_pylist() == [1]


TWICE = """
import featurestore as fs

given = fs.RequestSource("given", schema=(fs.Field("n", fs.Int64),))
twice = fs.OnDemandFeatureView(
    "twice", sources=(given,), schema=(fs.Field("m", fs.Int64),), transform={"m": "n * 2"}
)
"""


def test_each_column_of_a_spark_dataframe_comes_back_beside_its_features(spark, tmp_path):
    store = project(tmp_path, TWICE)
    store.apply(store.plan())
    columns = {f"x{index}": chunked(column) for index, column in enumerate(COLUMNS)}
    rows = pa.table({"n": [1, 2, None], "event_timestamp": [T[3]] * 3, **columns})
    spine = FeatureFrame(rows, ()).to_spark(spark)

    result = store.get_historical_features(["twice"], spine).to_arrow()

    assert result["m"].to_pylist() == [2, 4, None]
    for name, column in columns.items():
        plain = plain_column(column)
        assert in_utc(result[name].to_pylist()) == in_utc(plain.to_pylist()), column.type


TWO_VIEWS = """
import featurestore as fs

def view(name):
    source = fs.DeltaSource(f"source_of_{name}", path=f"data/{name}", timestamp_field="at")
    return fs.FeatureView(
        name, entities=(), source=source, schema=(fs.Field("x", fs.Int64),), latest=False
    )

whole, broken = view("whole"), view("broken")
"""


def test_materialize_raises_after_all_views_with_their_results(spark, tmp_path):
    (tmp_path / "featurestore.toml").write_text('project = "shop"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "views.py").write_text(TWO_VIEWS)
    write_deltalake(tmp_path / "data" / "whole", pa.table({"at": T[:2], "x": [1, 2]}))
    mine = fs.FeatureStore(tmp_path, spark=spark)
    mine.apply(mine.plan())

    with pytest.raises(fs.MaterializationError) as raised:
        mine.materialize(["broken", "whole"], progress=False)
    returned = mine.materialize(["broken", "whole"], progress=False, on_failure="return")

    first, second = (
        {run.view: (run.status, run.rows_out) for run in results}
        for results in (raised.value.results, returned)
    )
    assert first == {"broken": ("failed", 0), "whole": ("done", 2)}
    assert second == {"broken": ("failed", 0), "whole": ("nothing", 0)}
    assert isinstance(raised.value.results[0].error, fs.SourceError)
    assert raised.value.__cause__ is None
    assert isinstance(returned[0].error, fs.SourceError)
