"""Feature tables made without Spark, as Spark writes them: sorted by keys and event time."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from deltalake import WriterProperties, write_deltalake

from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME, ROW_HASH, UTC_MICROS
from featurestore.store.delta.snapshot import Snapshot, open_snapshot


def feature_table(
    keys: dict[str, list[object]],
    events: Sequence[int],
    values: dict[str, list[object]],
    available: Sequence[int | None] | None = None,
) -> pa.Table:
    """Return stored rows; times in microseconds, the row hash is the row's number."""
    return pa.table(
        {
            **{name: pa.array(column) for name, column in keys.items()},
            EVENT_TIME: pa.array(events, UTC_MICROS),
            AVAILABLE_TIME: pa.array(available or events, UTC_MICROS),
            **{name: pa.array(column) for name, column in values.items()},
            ROW_HASH: pa.array(range(len(events)), pa.int64()),
        }
    )


def write_runs(folder: Path | str, runs: Sequence[pa.Table], row_group: int = 50_000) -> Snapshot:
    """Append each run as a commit of its own, sorted, and return the newest snapshot."""
    for run in runs:
        order = [
            (name, "ascending") for name in run.column_names if name == "id" or name == EVENT_TIME
        ]
        write_deltalake(
            str(folder),
            run.sort_by(order),
            mode="append",
            writer_properties=WriterProperties(max_row_group_size=row_group),
        )
    return open_snapshot(str(folder))
