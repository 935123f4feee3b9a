"""The fraud model's split, and the columns that follow from a row by itself."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from demo.fraud.model import split, with_columns
from demo.fraud.spine import MATURITY
from featurestore.client.frame import FeatureFrame

NOW = datetime(2026, 7, 1, tzinfo=UTC)
UTC_MICROS = pa.timestamp("us", "UTC")
AT = datetime(2026, 5, 1, 15, tzinfo=UTC)


def frame(**columns: object) -> FeatureFrame:
    row = {
        "amount": 30.0,
        "category": "grocery",
        "online": False,
        "latitude": 48.0,
        "longitude": 2.0,
        "event_timestamp": AT,
        "amount_mean_lifetime": 20.0,
        "amount_mean_30d": 20.0,
        "amount_stddev_30d": 5.0,
        "merchant_chargebacks_60d": 3,
        "sales_30d": 14,
        "last_latitude": 47.0,
        "last_longitude": 2.0,
        "last_at": AT - timedelta(minutes=54),
    } | columns
    table = pa.table({name: [value] for name, value in row.items()})
    for name in ("event_timestamp", "last_at"):
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].cast(UTC_MICROS))
    return FeatureFrame(table, ("last_at",))


def values(**columns: object) -> dict[str, object]:
    return with_columns(frame(**columns)).to_arrow().to_pylist()[0]


def test_a_payment_is_set_against_what_the_store_knows() -> None:
    found = values()

    assert found["hour"] == 15
    assert found["amount_by_mean"] == 1.5
    assert found["amount_above_mean"] == 2.0
    assert found["chargeback_rate"] == pytest.approx(3 / 29)
    assert found["kilometres"] == 111.0
    assert found["speed"] == pytest.approx(111.0)


def test_an_online_payment_is_nowhere() -> None:
    found = values(online=True)

    assert found["kilometres"] != found["kilometres"]


def test_a_card_that_was_never_seen_has_no_speed() -> None:
    found = values(last_latitude=None, last_longitude=None, last_at=None)

    assert found["speed"] != found["speed"]


def test_labels_of_the_training_rows_were_known_when_the_test_month_begins() -> None:
    days = [NOW - timedelta(days=day) for day in range(30, 130)]
    payments = FeatureFrame(pa.table({"event_timestamp": pa.array(days, UTC_MICROS)}), ())

    train, test = split(payments, NOW)

    begin = min(test.to_arrow()["event_timestamp"].to_pylist())
    assert begin == NOW - timedelta(days=60)
    assert max(train.to_arrow()["event_timestamp"].to_pylist()) + MATURITY < begin
