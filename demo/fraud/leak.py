"""Features of a join by event time alone: the mistake that available times prevent."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from featurestore.client.frame.frame import FeatureFrame

_DAY = 86_400_000_000
# The features of chargebacks: their key, window in days, and the column of a sum.
_BY_CHARGEBACKS = {
    "merchant_chargebacks_30d": ("merchant_id", 30, None),
    "merchant_chargebacks_60d": ("merchant_id", 60, None),
    "merchant_charged_back_60d": ("merchant_id", 60, "amount"),
    "card_chargebacks_1d": ("card_id", 1, None),
    "card_chargebacks_60d": ("card_id", 60, None),
}

Integers = npt.NDArray[np.int64]


def replace_by_leaky(payments: FeatureFrame, chargebacks: pa.Table) -> FeatureFrame:
    """Return the payments with features that count chargebacks before they are reported."""
    table = payments.to_arrow()
    for name, (key, days, column) in _BY_CHARGEBACKS.items():
        weights = None if column is None else chargebacks[column].to_numpy()
        values = sum_by_event_time(table, chargebacks, key, days * _DAY, weights)
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return FeatureFrame(table, payments.features, label=payments.label)


def count_unseen(payments: FeatureFrame, transactions: pa.Table) -> int:
    """Return the number of payments for which a join by event time counts rows not arrived yet."""
    table = payments.to_arrow()
    by_event_time = sum_by_event_time(table, transactions, "card_id", _DAY)
    return int((by_event_time != table["payments_24h"].to_numpy()).sum())


def sum_by_event_time(
    spine: pa.Table,
    events: pa.Table,
    key: str,
    window: int,
    weights: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """Return for each spine row the number of its key's events in [t - W, t), or their sum.

    Args:
        spine: The spine.
        events: The events.
        key: The key column of both.
        window: The length W in microseconds.
        weights: The value of each event, for a sum. None to count events.

    Example:
        >>> at = pa.array([0, 60_000_000, 60_000_000], pa.timestamp("us", tz="UTC"))
        >>> rows = pa.table({"card_id": ["a", "a", "b"], "event_timestamp": at})
        >>> sum_by_event_time(rows, rows, "card_id", 3_600_000_000).tolist()
        [0.0, 1.0, 0.0]
    """
    names = {name: code for code, name in enumerate(events[key].unique().to_pylist())}
    event_codes, spine_codes = _codes(events[key], names), _codes(spine[key], names)
    event_times, spine_times = _micros(events), _micros(spine)
    first = min(int(event_times.min()), int(spine_times.min()))
    last = max(int(event_times.max()), int(spine_times.max()))
    # One number for key and time. The numbers of two keys are more than a window apart.
    step = last - first + window + 1
    composed = event_codes * step + event_times - first
    order = np.argsort(composed, kind="stable")
    ones = np.ones(len(order)) if weights is None else weights
    running = np.concatenate([[0.0], np.cumsum(ones[order])])
    moments = spine_codes * step + spine_times - first
    high = np.searchsorted(composed[order], moments)
    low = np.searchsorted(composed[order], moments - window)
    return np.where(spine_codes >= 0, running[high] - running[low], 0.0)


def _codes(column: pa.ChunkedArray, names: dict[str, int]) -> Integers:
    return np.array([names.get(name, -1) for name in column.to_pylist()], dtype=np.int64)


def _micros(table: pa.Table) -> Integers:
    return np.asarray(table["event_timestamp"].cast(pa.int64()).to_numpy())
