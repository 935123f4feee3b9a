"""Payments, which may reach us late, and chargebacks, which always do."""

import featurestore as fs

transactions = fs.DeltaSource(
    "transactions",
    path="data/fraud/transactions",
    timestamp_field="event_timestamp",
    available_timestamp_field="ingested_at",
    description="A row for each payment; 2% come minutes to days after it",
    owner="payments@example.com",
    tags=("fraud",),
)

# The event is the payment, so that windows count by when the fraud was done; it is known only when
# the cardholder has complained. A join that forgets the second time trains on the future.
chargebacks = fs.FileSource(
    "chargebacks",
    path="data/fraud/chargebacks",
    format="parquet",
    timestamp_field="event_timestamp",
    available_timestamp_field="reported_at",
    description="A row for each disputed payment, reported 1 to 30 days after it",
    owner="disputes@example.com",
    tags=("fraud", "label"),
)

# What the terminal sends with the question; the on-demand features use it.
checkout = fs.RequestSource(
    "checkout",
    schema=(
        fs.Field("amount", fs.Float64),
        fs.Field("category", fs.String),
        fs.Field("online", fs.Boolean),
        fs.Field("latitude", fs.Float64),
        fs.Field("longitude", fs.Float64),
    ),
    description="The payment that waits for an answer",
    owner="payments@example.com",
    tags=("fraud",),
)
