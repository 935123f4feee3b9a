"""The fraud model's split, and the columns that are computed from one row."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from demo.fraud.model import split, with_columns
from demo.fraud.spine import MATURITY
from demo.fraud.world import CATEGORIES
from featurestore.client.frame.frame import FeatureFrame

NOW = datetime(2026, 7, 1, tzinfo=UTC)
UTC_MICROS = pa.timestamp("us", "UTC")
AT = datetime(2026, 5, 1, 15, tzinfo=UTC)


def test_the_baseline_and_the_chargeback_rate_are_computed_from_a_row() -> None:
    row = {
        "category": "grocery",
        "event_timestamp": AT,
        "merchant_chargebacks_60d": 3,
        "sales_30d": 14,
    }
    table = pa.table({name: [value] for name, value in row.items()})

    [columns] = with_columns(FeatureFrame(table, ())).to_arrow().to_pylist()

    assert columns["hour"] == 15
    assert columns["category_code"] == CATEGORIES.index("grocery")
    assert columns["chargeback_rate"] == pytest.approx(3 / 29)


def test_labels_of_training_rows_are_mature_when_the_test_month_begins() -> None:
    days = [NOW - timedelta(days=day) for day in range(30, 130)]
    payments = FeatureFrame(pa.table({"event_timestamp": pa.array(days, UTC_MICROS)}), ())

    train, test = split(payments, NOW)

    begin = min(test.to_arrow()["event_timestamp"].to_pylist())
    assert begin == NOW - timedelta(days=60)
    assert max(train.to_arrow()["event_timestamp"].to_pylist()) + MATURITY < begin
