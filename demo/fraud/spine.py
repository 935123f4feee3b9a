"""Payments with their labels, as far as those are known: charged back, or not any more."""

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from demo.fraud.simulator import LONGEST_CHARGEBACK_DAYS

MATURITY = timedelta(days=LONGEST_CHARGEBACK_DAYS)


def labelled_payments(
    transactions: pa.Table, chargebacks: pa.Table, now: datetime, since: datetime
) -> pa.Table:
    """Return the payments from ``since`` on that are old enough for their label to be known.

    A chargeback may come for `MATURITY` after the payment: a younger payment that was not charged
    back is not honest yet, so it is left out, and so are its charged back neighbours.

    Returns:
        ``transaction_id``, keys, ``event_timestamp``, what the terminal sends (``amount``,
        ``category``, ``online``, ``latitude``, ``longitude``) and the label ``is_fraud``.
    """
    at = transactions["event_timestamp"]
    known = pc.less_equal(at, pa.scalar(now - MATURITY, at.type))
    recent = pc.greater_equal(at, pa.scalar(since, at.type))
    rows = transactions.filter(pc.and_(known, recent)).drop_columns("ingested_at")
    disputed = pc.is_in(rows["transaction_id"], value_set=chargebacks["transaction_id"])
    rows = rows.append_column("is_fraud", disputed.cast(pa.int64()))
    return rows.sort_by([("event_timestamp", "ascending"), ("transaction_id", "ascending")])
