"""The path of a project in an object store, in a process with a Spark session of its own.

`python -m tests.object_store.spark_program FOLDER`: apply, materialize twice, and print what the
store answers, as JSON.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

import featurestore as fs

DAY = datetime(2026, 1, 1, tzinfo=UTC)
DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("card_id", fs.String),))
payments = fs.DeltaSource("payments", path="{raw}/payments", timestamp_field="paid_at")
activity = fs.FeatureView(
    "activity", entities=(card,), source=payments, schema=(fs.Field("amount", fs.Float64),),
    transform="SELECT card_id, paid_at, amount * 2 AS amount FROM {{source}}",
    aggregations=(fs.Aggregation("amount", "sum", windows=("7d",)),),
    latest=True,
)
fraud = fs.FeatureService("fraud", features=(activity,))
"""
CONF = """\
spark.master local[2]
spark.driver.memory 1g
spark.sql.shuffle.partitions 2
spark.databricks.delta.snapshotPartitions 1
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""


def write_project(folder: Path) -> None:
    """Write a project whose sources and tables are below the address of a variable."""
    settings = 'project = "shop"\nroot = "${env:EXAMPLE_ROOT}/store"\nspark_conf = "spark.conf"\n'
    (folder / "featurestore.toml").write_text(settings)
    (folder / "spark.conf").write_text(CONF)
    (folder / "feature_defs").mkdir()
    text = DEFINITIONS.format(raw="${env:EXAMPLE_ROOT}/raw")
    (folder / "feature_defs" / "shop.py").write_text(text)


def payments(day: int, amounts: list[float]) -> list[dict[str, object]]:
    """Return rows of the source: a payment each hour of a day, by two cards in turn."""
    return [
        {
            "card_id": f"c{number % 2}",
            "paid_at": DAY + timedelta(days=day, hours=number),
            "amount": amount,
        }
        for number, amount in enumerate(amounts)
    ]


def answers(store: fs.FeatureStore, engine: str) -> list[float | None]:
    """Return the features of three rows, of which the last one has no payments."""
    spine = pa.table(
        {
            "card_id": ["c0", "c1", "c9"],
            "event_timestamp": [DAY + timedelta(days=3)] * 3,
        }
    )
    frame = store.get_historical_features("fraud", spine, engine=engine)
    table = frame.to_arrow().sort_by("card_id")
    return table["amount_sum_7d"].to_pylist()


def main(folder: str) -> None:
    """Run the path, and print the answers."""
    with fs.FeatureStore(folder) as store:
        store.write_source("payments", payments(0, [1.0, 2.0, 3.0]))
        store.apply(store.plan())
        first = store.materialize()
        store.write_source("payments", payments(1, [10.0, 20.0]))
        second = store.materialize()
        third = store.materialize()
        found = {
            "runs": [[run.status for run in runs] for runs in (first, second, third)],
            "states": [(each.state, each.rows) for each in store.status()],
            "findings": [str(each) for each in store.doctor()],
            "local": answers(store, "local"),
            "spark": answers(store, "scan"),
            "shuffle": answers(store, "shuffle"),
        }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
