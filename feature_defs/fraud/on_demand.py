"""On-demand features of a payment, from its request values and its card's features."""

import pyarrow as pa
import pyarrow.compute as pc

import featurestore as fs
from feature_defs.fraud.sources import checkout
from feature_defs.fraud.views import card_activity, card_whereabouts

KILOMETRES_PER_DEGREE_NORTH = 111.0
# At the latitude of the cities in the data.
KILOMETRES_PER_DEGREE_EAST = 75.0
MICROSECONDS_PER_HOUR = 3.6e9
# Added to the hours between two payments, so that two payments at once have a finite speed.
EXTRA_HOURS = 0.1

# By SQL: each feature is an expression over the features of `card_activity` and the request.
payment_shape = fs.OnDemandFeatureView(
    "payment_shape",
    sources=(
        card_activity[["amount_mean_lifetime", "amount_mean_30d", "amount_stddev_30d"]],
        checkout,
    ),
    schema=(
        fs.Field(
            "amount_by_mean",
            fs.Float64,
            description="The amount divided by the card's mean amount",
        ),
        fs.Field(
            "amount_above_mean",
            fs.Float64,
            description="The amount's distance from the mean, in standard deviations",
        ),
    ),
    transform={
        "amount_by_mean": "amount / nullif(amount_mean_lifetime, 0)",
        "amount_above_mean": "(amount - amount_mean_30d) / nullif(amount_stddev_30d, 0)",
    },
    description="The payment compared with the card's usual payments",
    owner="risk@example.com",
    tags=("fraud",),
)


def travel(inputs: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Return the distance and the speed of a card since its last use at a terminal.

    Args:
        inputs: One column for each input, and ``event_timestamp``, the moment of the payment.
    """
    north = pc.subtract(inputs["latitude"], inputs["last_latitude"])
    east = pc.subtract(inputs["longitude"], inputs["last_longitude"])
    squares = [
        pc.power(pc.multiply(north, KILOMETRES_PER_DEGREE_NORTH), 2),
        pc.power(pc.multiply(east, KILOMETRES_PER_DEGREE_EAST), 2),
    ]
    # The location of an online shop is not the location of the card.
    at_terminal = pc.invert(inputs["online"])
    kilometres = pc.if_else(at_terminal, pc.sqrt(pc.add(*squares)), None)
    micros = pc.subtract(inputs["event_timestamp"], inputs["last_at"]).cast(pa.int64())
    hours = pc.divide(micros.cast(pa.float64()), MICROSECONDS_PER_HOUR)
    return {
        "kilometres": kilometres,
        "speed": pc.divide(kilometres, pc.add(hours, EXTRA_HOURS)),
    }


# By a Python function over Arrow columns, for what SQL expresses badly.
card_travel = fs.OnDemandFeatureView(
    "card_travel",
    # The new payment is itself a row of this view, so the row before it is needed.
    sources=(card_whereabouts.strictly_before(), checkout),
    schema=(
        fs.Field(
            "kilometres", fs.Float64, description="The distance from the card's last terminal"
        ),
        fs.Field(
            "speed",
            fs.Float64,
            description="The speed from the card's last terminal, in kilometres an hour",
        ),
    ),
    transform=travel,
    description="The distance and the speed of a card since its last use at a terminal",
    owner="risk@example.com",
    tags=("fraud", "geography"),
)
