"""Rows in quarantine, written without Spark."""

from datetime import UTC, datetime

import pyarrow as pa
from deltalake import write_deltalake

from featurestore.store.columns import UTC_MICROS

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROWS = pa.struct(
    [("card_id", pa.string()), ("event_timestamp", UTC_MICROS), ("amount", pa.float64())]
)

QuarantineRow = tuple[str, int, int, float]
"""An id, a generation, a batch and an amount."""


def put_rows(uri: str, *rows: QuarantineRow) -> None:
    """Append rows that failed a check of their amount, as a run would."""
    times = pa.array([NOON] * len(rows), UTC_MICROS)
    row = [{"card_id": "a", "event_timestamp": NOON, "amount": each[3]} for each in rows]
    data = pa.table(
        {
            "quarantine_id": [each[0] for each in rows],
            "run_id": [f"run of {each[0]}" for each in rows],
            "generation": pa.array([each[1] for each in rows], pa.int32()),
            "batch_id": [each[2] for each in rows],
            "reasons": [["amount:in_range"]] * len(rows),
            "quarantined_at": times,
            "released_at": pa.nulls(len(rows), UTC_MICROS),
            "release_id": pa.nulls(len(rows), pa.string()),
            "row": pa.array(row, ROWS),
        }
    )
    write_deltalake(uri, data, mode="append")
