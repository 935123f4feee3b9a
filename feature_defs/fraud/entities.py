"""Whose features these are."""

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
    description="Somebody who takes payments",
    owner="risk@example.com",
    tags=("fraud",),
)
