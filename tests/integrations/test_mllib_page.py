"""The examples of the page on MLlib run, in order."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

import featurestore as fs
from tests.client.shop import HOUR, NOW, at, write_view
from tests.tables import feature_table

PAGE = (Path(__file__).parents[2] / "docs" / "mllib.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
DEFINITIONS = """
import featurestore as fs

customer = fs.Entity("customer", join_keys=(fs.Field("id", fs.Int64),))
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at")
orders = fs.FeatureView(
    "orders", entities=(customer,), source=paid, schema=(fs.Field("amount", fs.Float64),),
    aggregations=(fs.Aggregation("amount", "mean", windows=("2h", "lifetime")),),
)
returns_v1 = fs.FeatureService(
    "returns_v1", features=(orders.with_join_keys({"id": "customer_id"}),)
)
"""


@pytest.fixture
def store(tmp_path: Path, spark) -> fs.FeatureStore:
    (tmp_path / "featurestore.toml").write_text('project = "page"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "shop.py").write_text(DEFINITIONS)
    store = fs.FeatureStore(tmp_path, clock=lambda: NOW, spark=spark)
    store.apply(store.plan())
    rows = feature_table({"id": [1, 2, 3]}, [HOUR] * 3, {"amount": [1.0, 5.0, 9.0]})
    write_view(store, "orders", rows)
    return store


def test_the_examples_run_and_the_loaded_model_scores_each_row(store, spark, tmp_path):
    rows = [
        {"customer_id": key % 3 + 1, "event_timestamp": at(2 + key / 9), "returned": key % 3 // 2}
        for key in range(18)
    ]
    spine = spark.createDataFrame(pa.Table.from_pylist(rows))
    names = {"store": store, "spine": spine, "folder": str(tmp_path / "model")}
    *examples, moved = EXAMPLES

    for example in examples:
        exec(example, names | {"new_rows": spine.drop("returned")}, names)

    scored = names["scored"].toArrow().to_pylist()
    expected = [row["returned"] for row in sorted(rows, key=lambda row: row["customer_id"])]
    found = sorted(scored, key=lambda row: row["customer_id"])
    assert [row["prediction"] for row in found] == expected
    assert "use_project" in moved
