"""Payments, which may arrive late, and chargebacks, which always arrive late."""

import featurestore as fs

transactions = fs.DeltaSource(
    "transactions",
    path="data/fraud/transactions",
    timestamp_field="event_timestamp",
    available_timestamp_field="ingested_at",
    description="One row for each payment; 2% arrive minutes to days after the payment",
    owner="payments@example.com",
    tags=("fraud",),
)

# The event is the payment, so windows count frauds by the time of the payment. The row is visible
# only after the cardholder has complained. A join without this second time uses the future.
chargebacks = fs.FileSource(
    "chargebacks",
    path="data/fraud/chargebacks",
    format="parquet",
    timestamp_field="event_timestamp",
    available_timestamp_field="reported_at",
    description="One row for each disputed payment, reported 1 to 30 days after the payment",
    owner="disputes@example.com",
    tags=("fraud", "label"),
)

# The terminal sends these values with each request; the on-demand features use them.
checkout = fs.RequestSource(
    "checkout",
    schema=(
        fs.Field("amount", fs.Float64),
        fs.Field("category", fs.String),
        fs.Field("online", fs.Boolean),
        fs.Field("latitude", fs.Float64),
        fs.Field("longitude", fs.Float64),
    ),
    description="The payment to decide on",
    owner="payments@example.com",
    tags=("fraud",),
)
