"""The columns of the ledgers' tables."""

import pyarrow as pa

from featurestore.store.columns import UTC_MICROS

TABLES = pa.schema(
    [
        ("view", pa.string()),
        ("table_id", pa.string()),
        ("fingerprint", pa.string()),
        ("state", pa.string()),
        ("generation", pa.int64()),
        ("start", UTC_MICROS),
        ("at", UTC_MICROS),
        ("sequence", pa.int64()),
        ("upstream", pa.string()),
    ]
)
RUNS = pa.schema(
    [
        ("run_id", pa.string()),
        ("view", pa.string()),
        ("table_id", pa.string()),
        ("kind", pa.string()),
        ("status", pa.string()),
        ("started_at", UTC_MICROS),
        ("ended_at", UTC_MICROS),
        ("version", pa.int64()),
        ("batches", pa.int64()),
        ("rows_in", pa.int64()),
        ("rows_out", pa.int64()),
        ("null_rows", pa.int64()),
        ("null_unique_rows", pa.int64()),
        ("rows_quarantined", pa.int64()),
        ("failures", pa.string()),
        ("max_event_timestamp", UTC_MICROS),
        ("source_offset", pa.string()),
        ("range_start", UTC_MICROS),
        ("range_end", UTC_MICROS),
        ("error", pa.string()),
        ("sequence", pa.int64()),
        ("runs", pa.int64()),
        ("longest_pause", pa.float64()),
    ]
)
MODELS = pa.schema(
    [
        ("name", pa.string()),
        ("version", pa.int64()),
        ("training_set", pa.string()),
        ("training_set_version", pa.int64()),
        ("uri", pa.string()),
        ("features", pa.list_(pa.string())),
        ("description", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("recorded_at", UTC_MICROS),
        ("recorded_by", pa.string()),
    ]
)
FILES = pa.schema(
    [
        ("view", pa.string()),
        ("table_id", pa.string()),
        ("path", pa.string()),
        ("size", pa.int64()),
        ("modified_at", pa.int64()),
        ("run_id", pa.string()),
        ("digest", pa.string()),
    ]
)
PROFILES = pa.schema(
    [
        ("view", pa.string()),
        ("run_id", pa.string()),
        ("table_id", pa.string()),
        ("kind", pa.string()),
        ("at", UTC_MICROS),
        ("columns", pa.string()),
        ("sequence", pa.int64()),
    ]
)
