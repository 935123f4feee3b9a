"""A Feast repository of a taxi company, with most kinds of Feast's definitions."""

from datetime import timedelta

import pandas as pd
from feast import (
    BatchFeatureView,
    Entity,
    FeatureService,
    FeatureView,
    Field,
    FileSource,
    LabelView,
    Project,
    PushSource,
    RequestSource,
    ValueType,
)
from feast.aggregation import Aggregation
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Array, Decimal, Float32, Float64, Int64, Json, Map, String

project = Project(name="rides")

driver = Entity(name="driver", join_keys=["driver_id"], owner="fleet team", tags={"pii": "no"})
zone = Entity(name="zone", join_keys=["zone"], value_type=ValueType.STRING)

trips = FileSource(
    name="trips",
    path="data/trips.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
    field_mapping={"conv": "conv_rate"},
    description="One row for each hour of a driver.",
)
prices = FileSource(path="data/zone prices.parquet", timestamp_field="day")

driver_stats = FeatureView(
    name="driver_stats",
    entities=[driver],
    ttl=timedelta(days=2),
    schema=[
        Field(name="conv_rate", dtype=Float32, description="The share of accepted rides."),
        Field(name="trips-today", dtype=Int64),
        Field(name="device", dtype=Json),
        Field(name="labels", dtype=Map),
        Field(name="bonus", dtype=Decimal),
        Field(name="last_zones", dtype=Array(String)),
    ],
    source=trips,
    tags={"team": "fleet"},
    owner="ann@example.org",
)
driver_forever = FeatureView(
    name="driver_forever",
    entities=[driver],
    schema=[Field(name="trips-today", dtype=Int64), Field(name="conv_rate", dtype=Float32)],
    source=PushSource(name="trips_push", batch_source=trips),
)
zone_prices = FeatureView(
    name="zone_prices", entities=[zone], ttl=timedelta(days=3), source=prices
)
driver_sums = BatchFeatureView(
    name="driver_sums",
    entities=[driver],
    schema=[Field(name="sum_conv_86400s", dtype=Float64)],
    source=trips,
    aggregations=[
        Aggregation(column="conv", function="sum", time_window=timedelta(days=1)),
        Aggregation(column="conv", function="entropy", time_window=timedelta(days=1)),
        Aggregation(column="conv", function="max", name="best"),
    ],
)
complaints = LabelView(
    name="complaints",
    entities=[driver],
    schema=[Field(name="complained", dtype=Int64)],
    source=FileSource(
        name="complaints", path="data/complaints.parquet", timestamp_field="event_timestamp"
    ),
)

ride = RequestSource(name="ride", schema=[Field(name="km", dtype=Float64)])


@on_demand_feature_view(
    sources=[zone_prices, ride],
    schema=[Field(name="fare", dtype=Float64), Field(name="is_long", dtype=Int64)],
    description="The price of one ride.",
)
def fare(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    # A comment stays.
    df["fare"] = inputs["price"] * inputs["km"].clip(lower=0.5)
    df["is_long"] = (inputs["km"] > 10).astype("int64")
    return df


@on_demand_feature_view(
    sources=[driver_stats[["conv_rate"]]],
    schema=[Field(name="log_rate", dtype=Float64)],
    mode="python",
)
def rates(inputs: dict) -> dict:
    import math  # noqa: PLC0415 - Feast runs the function without its module

    return {
        "log_rate": [
            None if rate is None or rate != rate else math.log1p(rate)
            for rate in inputs["conv_rate"]
        ]
    }


@on_demand_feature_view(
    sources=[driver_stats],
    schema=[Field(name="has_labels", dtype=Int64)],
)
def label_count(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["has_labels"] = inputs["labels"].notna().astype("int64")
    return df


pricing_v1 = FeatureService(
    name="pricing_v1",
    features=[driver_stats[["conv_rate", "device"]], zone_prices, fare, rates],
    tags={"model": "pricing"},
)
routes_v1 = FeatureService(
    name="routes_v1",
    features=[
        zone_prices.with_name("origin").with_join_key_map({"zone": "from_zone"}),
        zone_prices.with_name("target").with_join_key_map({"zone": "to_zone"}),
    ],
    description="Prices at both ends of a route.",
)
