"""Payments of cards and merchants, the last location of a card, and chargebacks."""

from typing import Any

import featurestore as fs
from feature_defs.fraud.entities import card, merchant
from feature_defs.fraud.sources import chargebacks, transactions

# A field that several views have.
amount = fs.Field("amount", fs.Float64, description="Amount of the payment")


def payment_checks() -> Any:
    """Return what each payment must be. It is a function, so that readers need no pandera."""
    import pandera.pandas as pa  # noqa: PLC0415 - see above

    return pa.DataFrameSchema({"amount": pa.Column(float, pa.Check.gt(0))})


card_activity = fs.FeatureView(
    "card_activity",
    entities=(card,),
    source=transactions,
    schema=(amount, fs.Field("merchant_id", fs.String, description="The merchant of the payment")),
    # Each aggregation has a feature for each window, such as payments_10m and amount_sum_1h.
    # A window ends just before the moment, so the payment to decide on is not in it.
    aggregations=(
        fs.Aggregation("*", "count", windows=("10m", "1h", "24h", "7d", "30d"), name="payments"),
        fs.Aggregation("amount", "sum", windows=("1h", "24h")),
        fs.Aggregation("amount", "mean", windows=("30d", "lifetime")),
        fs.Aggregation("amount", "stddev", windows=("30d",)),
        fs.Aggregation("amount", "max", windows=("30d",)),
        fs.Aggregation("amount", "min", windows=("1h",)),
        fs.Aggregation("merchant_id", "count_distinct", windows=("1h", "24h")),
    ),
    # A row that fails goes to the quarantine. A run with more than 5 % of such rows fails.
    expectations=fs.Expectations(payment_checks, max_bad_share=0.05),
    schedule="0 * * * *",  # due each hour: `featurestore materialize --due`
    # `featurestore monitor` says when the values move away from those of the run before.
    drift=(
        fs.Drift("amount_sum_1h", psi=0.25, nulls=0.1),
        fs.Drift("amount", psi=0.25, nulls=0.01),
    ),
    description="A card's payments before this one",
    owner="risk@example.com",
    tags=("fraud", "velocity"),
)

# The transform keeps the key, the source's times, and the columns of the schema.
AT_TERMINALS = """
    SELECT card_id, event_timestamp, ingested_at,
           latitude AS last_latitude, longitude AS last_longitude, event_timestamp AS last_at
    FROM {source}
    WHERE NOT online
"""

card_whereabouts = fs.FeatureView(
    "card_whereabouts",
    entities=(card,),
    source=transactions,
    transform=AT_TERMINALS,
    schema=(
        fs.Field("last_latitude", fs.Float64, description="Location of the card's last use"),
        fs.Field("last_longitude", fs.Float64, description="Location of the card's last use"),
        fs.Field("last_at", fs.Timestamp, description="The time of the last use"),
    ),
    ttl="14d",  # a use that is older than 14 days gives null
    schedule="0 * * * *",
    description="The last use of a card at a terminal",
    owner="risk@example.com",
    tags=("fraud", "geography"),
)

merchant_activity = fs.FeatureView(
    "merchant_activity",
    entities=(merchant,),
    source=transactions,
    schema=(amount, fs.Field("card_id", fs.String, description="The card of the payment")),
    aggregations=(
        fs.Aggregation("*", "count", windows=("1h", "24h", "30d"), name="sales"),
        fs.Aggregation("amount", "mean", windows=("30d",), name="sale_mean"),
        fs.Aggregation("card_id", "count_distinct", windows=("24h",)),
    ),
    schedule="0 * * * *",
    description="A merchant's sales before this one",
    owner="risk@example.com",
    tags=("fraud", "velocity"),
)

merchant_chargebacks = fs.FeatureView(
    "merchant_chargebacks",
    entities=(merchant,),
    source=chargebacks,
    schema=(amount,),
    aggregations=(
        fs.Aggregation("*", "count", windows=("30d", "60d"), name="merchant_chargebacks"),
        fs.Aggregation("amount", "sum", windows=("60d",), name="merchant_charged_back"),
    ),
    schedule="0 6 * * *",
    description="A merchant's disputed payments, as far as reported",
    owner="disputes@example.com",
    tags=("fraud", "label"),
)

card_chargebacks = fs.FeatureView(
    "card_chargebacks",
    entities=(card,),
    source=chargebacks,
    schema=(amount,),
    aggregations=(fs.Aggregation("*", "count", windows=("1d", "60d"), name="card_chargebacks"),),
    schedule="0 6 * * *",
    description="A card's disputed payments, as far as reported",
    owner="disputes@example.com",
    tags=("fraud", "label"),
)
