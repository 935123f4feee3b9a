"""Payments have a label only when a chargeback is no longer possible."""

from datetime import UTC, datetime

import pyarrow as pa

from demo.fraud.spine import labelled_payments


def day(number: int) -> datetime:
    return datetime(2026, 3, number, tzinfo=UTC)


def payments(*days: int) -> pa.Table:
    times = pa.array([day(number) for number in days], pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "transaction_id": [f"t{number}" for number in days],
            "amount": [1.0 * number for number in days],
            "event_timestamp": times,
            "ingested_at": times,
        }
    )


def test_a_payment_has_a_label_after_thirty_days() -> None:
    chargebacks = pa.table({"transaction_id": ["t2", "t4"]})
    now = datetime(2026, 4, 2, tzinfo=UTC)

    spine = labelled_payments(payments(1, 2, 3, 4), chargebacks, now, since=day(1))

    assert spine["transaction_id"].to_pylist() == ["t1", "t2", "t3"]
    assert spine["is_fraud"].to_pylist() == [0, 1, 0]


def test_payments_of_the_warm_up_are_excluded() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)

    spine = labelled_payments(payments(1, 2), pa.table({"transaction_id": [""]}), now, day(2))

    assert spine["transaction_id"].to_pylist() == ["t2"]


def test_the_spine_has_no_arrival_time() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)

    spine = labelled_payments(payments(1), pa.table({"transaction_id": ["t1"]}), now, day(1))

    assert spine.column_names == ["transaction_id", "amount", "event_timestamp", "is_fraud"]
