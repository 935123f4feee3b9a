"""The entities of the fraud domain: cards and merchants."""

import featurestore as fs

card = fs.Entity(
    "card",
    join_keys=(fs.Field("card_id", fs.String),),
    description="A payment card",
    owner="risk@example.com",
    tags=("fraud",),
)

merchant = fs.Entity(
    "merchant",
    join_keys=(fs.Field("merchant_id", fs.String),),
    description="A shop that accepts payments",
    owner="risk@example.com",
    tags=("fraud",),
)
