"""A program that runs the example domain and a project with Python code through Spark Connect.

`python -m tests.cluster.through_connect URL FRAUD WAITING` prints its findings as JSON. It is a
process of its own: PySpark's functions work for Spark Connect or for a session of the process.
"""

import json
import sys
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable
from pyspark.ml.functions import vector_to_array
from pyspark.sql import SparkSession

import featurestore as fs
from demo.fraud.data import read_chargebacks, read_transactions
from demo.fraud.simulator import START
from demo.fraud.spine import labelled_payments
from featurestore.integrations.mllib import FeatureLookup
from tests.cluster.project import in_order, spine


def main(url: str, fraud: str, waiting: str, now: str) -> None:
    """Run both projects, and print what was found."""
    spark = SparkSession.builder.remote(url).getOrCreate()
    found = {"fraud": run_fraud(spark, Path(fraud), datetime.fromisoformat(now))}
    found |= {"waiting": run_waiting(spark, Path(waiting))}
    sys.stdout.write(json.dumps(found))


def run_fraud(spark: SparkSession, project: Path, now: datetime) -> dict[str, object]:
    """Materialize all views, and make a training set with both engines."""
    store = fs.FeatureStore(project, spark=spark, clock=lambda: now)
    store.apply(store.plan())
    results = store.materialize()
    rows = labelled_payments(
        read_transactions(project), read_chargebacks(project), now, START
    ).drop_columns(["is_fraud"])
    local = store.get_historical_features("fraud_v1", rows)
    remote = store.get_historical_features("fraud_v1", rows, engine="spark")
    return {
        "results": {result.view: [result.status, result.rows_out] for result in results},
        "rows": rows.num_rows,
        "equal": local.to_arrow().equals(remote.to_arrow()),
        "to_spark": local.to_spark().count(),
    }


def run_waiting(spark: SparkSession, project: Path) -> dict[str, object]:
    """Materialize a view with a UDF twice, and write a training set with an on-demand feature."""
    store = fs.FeatureStore(project, spark=spark)
    store.apply(store.plan())
    (first,) = store.materialize()
    (second,) = store.materialize()
    frame = store.get_historical_features("all_of_it", spine(), engine="spark")
    frame.write(str(project / "written"))
    tables = {
        "features": store.layout.features("spending", first.table_id),
        "latest": store.layout.latest("spending"),
        "written": str(project / "written"),
    }
    written = pa.table(DeltaTable(tables["written"]).scan())
    local = store.get_historical_features("all_of_it", spine()).to_arrow()
    return {
        "statuses": [first.status, second.status],
        "rows": first.rows_out,
        "types": {name: texts_of(uri) for name, uri in tables.items()},
        "equal": in_order(written) == in_order(local),
        "vectors": vectors(store, spark) == whole_rows(local, frame.features),
        "refused": [refused_transform(spark, project, code) for code in REFUSED],
    }


def vectors(store: fs.FeatureStore, spark: SparkSession) -> list[list[float]]:
    """Return the vectors of a pipeline's stage, sorted; rows with a null feature have none."""
    lookup = FeatureLookup.from_store(store, "all_of_it", vector="features", nulls="skip")
    rows = lookup.transform(spark.createDataFrame(spine()))
    return sorted(row[0] for row in rows.select(vector_to_array("features")).collect())


def whole_rows(local: pa.Table, features: tuple[str, ...]) -> list[list[float]]:
    """Return the features of the rows without a null, sorted."""
    rows = zip(*(local[name].to_pylist() for name in features), strict=True)
    return sorted(list(row) for row in rows if None not in row)


def texts_of(uri: str) -> list[str]:
    """Return the types of a table's keys, as delta-rs reads them."""
    return [
        str(each.type.type) for each in DeltaTable(uri).schema().fields if each.name == "card_id"
    ]


REFUSED = (
    "rows.groupBy('card_id', 'at').agg(F.count('*').alias('cents'))",
    "rows.withColumn('cents', F.rand().cast('bigint'))",
)


def refused_transform(spark: SparkSession, project: Path, code: str) -> str:
    """Return the error of a view with another transform."""
    module = project / "card_definitions" / "__init__.py"
    before = module.read_text("utf-8")
    module.write_text(
        before.replace('rows.withColumn("cents", F.udf(in_cents, "bigint")("amount"))', code)
    )
    try:
        store = fs.FeatureStore(project, spark=spark)
        store.apply(store.plan())
        (result,) = store.materialize(on_failure="return")
        return "" if result.error is None else result.error.found
    finally:
        module.write_text(before)


if __name__ == "__main__":
    main(*sys.argv[1:])
