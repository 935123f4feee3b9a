"""The spine: payments with mature labels, so that a later chargeback is impossible."""

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from demo.fraud.simulator import LONGEST_CHARGEBACK_DAYS

MATURITY = timedelta(days=LONGEST_CHARGEBACK_DAYS)


def labelled_payments(
    transactions: pa.Table, chargebacks: pa.Table, now: datetime, since: datetime
) -> pa.Table:
    """Return the payments from ``since`` on whose labels are mature.

    A payment may be charged back until `MATURITY` after it. The label of a younger payment is not
    final, so no younger payment is returned, not even one that is charged back already: otherwise
    the share of frauds would be too large.

    Args:
        transactions: All payments.
        chargebacks: All chargebacks.
        now: The present moment.
        since: The earliest time of a returned payment.

    Returns:
        ``transaction_id``, keys, ``event_timestamp``, the request values (``amount``,
        ``category``, ``online``, ``latitude``, ``longitude``) and the label ``is_fraud``.
    """
    at = transactions["event_timestamp"]
    mature = pc.less_equal(at, pa.scalar(now - MATURITY, at.type))
    recent = pc.greater_equal(at, pa.scalar(since, at.type))
    rows = transactions.filter(pc.and_(mature, recent)).drop_columns("ingested_at")
    disputed = pc.is_in(rows["transaction_id"], value_set=chargebacks["transaction_id"])
    rows = rows.append_column("is_fraud", disputed.cast(pa.int64()))
    return rows.sort_by([("event_timestamp", "ascending"), ("transaction_id", "ascending")])
