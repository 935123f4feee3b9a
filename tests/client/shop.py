"""A small applied project, and a way to fill its tables without Spark."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

import featurestore as fs
from featurestore.client.frame.frame import FeatureFrame
from featurestore.client.frame.spark_frame import SparkFrame
from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.store.ledger.tables import TableRecord, Tables
from tests.tables import write_runs

HOUR = 3_600_000_000
NOW = datetime(1970, 1, 1, 12, tzinfo=UTC)

DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),))
paid = fs.DeltaSource(
    "paid", path="data/paid", timestamp_field="at", available_timestamp_field="known_at"
)
profile = fs.FeatureView(
    "profile", entities=(card,), source=paid, schema=(fs.Field("city", fs.String),), ttl="4h"
)
activity = fs.FeatureView(
    "activity", entities=(card,), source=paid, schema=(fs.Field("amount", fs.Float64),),
    aggregations=(
        fs.Aggregation("amount", "sum", windows=("2h", "lifetime")),
        fs.Aggregation("*", "count", windows=("2h",)),
    ),
)
rate = fs.FeatureView("rate", entities=(), source=paid, schema=(fs.Field("euro", fs.Float64),))
fraud = fs.FeatureService("fraud", features=(profile, activity, rate.with_prefix("spot_")))
"""


def at(hours: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hours)


def write_view(
    store: fs.FeatureStore, view: str, *runs: pa.Table, table_id: str | None = None
) -> None:
    """Write a view's feature table as a materialization would."""
    definition = store.applied().view(view)
    record = TableRecord(
        view,
        table_id=table_id or f"{view}-1",
        fingerprint=table_fingerprint(definition),
        state="current",
        at=NOW,
    )
    write_runs(store.layout.features(view, record.table_id), runs)
    Tables(store.layout).record(record)


def in_process(frame: FeatureFrame | SparkFrame) -> FeatureFrame:
    """Return a frame of any engine with its rows in this process."""
    return frame.collect() if isinstance(frame, SparkFrame) else frame
