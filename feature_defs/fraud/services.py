"""The features of each fraud model."""

import featurestore as fs
from feature_defs.fraud.on_demand import card_travel, payment_shape
from feature_defs.fraud.views import (
    card_activity,
    card_chargebacks,
    card_whereabouts,
    merchant_activity,
    merchant_chargebacks,
)

fraud_v1 = fs.FeatureService(
    "fraud_v1",
    features=(
        card_activity,
        # The new payment is itself a row of this view, so the row before it is needed.
        card_whereabouts.strictly_before(),
        merchant_activity,
        merchant_chargebacks,
        card_chargebacks,
        payment_shape,
        card_travel,
    ),
    description="Whether a payment will be charged back",
    owner="risk@example.com",
    tags=("fraud", "scoring"),
)
