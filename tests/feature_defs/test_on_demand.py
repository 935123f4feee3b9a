"""The example on-demand features, tested with inputs and expected features."""

from datetime import UTC, datetime, timedelta
from inspect import currentframe
from typing import Any

import pyarrow as pa
import pytest

from feature_defs.fraud.on_demand import card_travel, payment_shape
from featurestore import Field, Int64, OnDemandFeatureView, RequestSource
from featurestore.errors import OnDemandError
from featurestore.testing import on_demand_rows

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT_TERMINAL = {
    "online": False,
    "latitude": 48.0,
    "longitude": 2.0,
    "event_timestamp": NOON,
    "last_latitude": 47.0,
    "last_longitude": 2.0,
    "last_at": NOON - timedelta(minutes=54),
}


def travel(**changes: Any) -> dict[str, Any]:
    [features] = on_demand_rows(card_travel, given=[{**AT_TERMINAL, **changes}])
    return features


def test_a_payment_is_compared_with_the_cards_usual_payments() -> None:
    usual = {"amount": 30.0, "amount_mean_lifetime": 20.0, "amount_mean_30d": 20.0}

    features = on_demand_rows(
        payment_shape,
        given=[
            {**usual, "amount_stddev_30d": 5.0},
            {**usual, "amount_stddev_30d": 0.0},
            {"amount": 30.0},
        ],
    )

    assert features == [
        {"amount_by_mean": 1.5, "amount_above_mean": 2.0},
        {"amount_by_mean": 1.5, "amount_above_mean": None},
        {"amount_by_mean": None, "amount_above_mean": None},
    ]


def test_an_error_names_the_function_and_the_line_of_the_definition() -> None:
    def too_few_values(inputs: pa.Table) -> dict[str, list[int]]:
        return {"n": []}

    source = RequestSource("request", schema=(Field("n", Int64),))
    line = currentframe().f_lineno + 1
    view = OnDemandFeatureView(
        "few", sources=(source,), schema=(Field("n", Int64),), transform=too_few_values
    )

    with pytest.raises(OnDemandError) as error:
        on_demand_rows(view, given=[{"n": 1, "event_timestamp": NOON}])
    assert error.value.call == (
        f"compute on-demand view 'few' ({__file__}:{line}) by too_few_values()"
    )


def test_the_speed_is_the_distance_by_the_time() -> None:
    assert travel() == {"kilometres": 111.0, "speed": pytest.approx(111.0)}


@pytest.mark.parametrize(
    "changes", [{"online": True}, {"last_latitude": None, "last_longitude": None, "last_at": None}]
)
def test_an_online_payment_and_a_new_card_have_no_speed(changes: dict[str, Any]) -> None:
    assert travel(**changes) == {"kilometres": None, "speed": None}
