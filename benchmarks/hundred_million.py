"""A feature table that is larger than memory, with the layout of a materialized table.

Spark would need half an hour, so delta-rs writes the files, sorted by key and time, with row
groups of 50,000 rows. Each row is computed from its position. So the table is written in pieces,
in order, and the right answers are computed without reading it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import ColumnProperties, WriterProperties, write_deltalake

import featurestore as fs
from benchmarks.generate import MOMENT, spine_table
from benchmarks.workload import SPAN_US, START_US, Workload
from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.store.ledger.tables import TableRecord, Tables

NAME = "hundred_million"
PIECE = 500_000
ROW_GROUP = 50_000
TABLE_ID = "generated"


def write(workload: Workload, folder: Path) -> None:
    """Write the table, and record it in the ledger as the view's current table."""
    store = fs.FeatureStore(folder)
    store.apply(store.plan())
    rng = np.random.default_rng(workload.seed)
    pq.write_table(spine_table(rng, workload), folder / "spine.parquet")
    (view,) = store.applied().views
    write_deltalake(
        store.layout.features(view.name, TABLE_ID),
        pa.RecordBatchReader.from_batches(_piece(workload, 0, 0).schema, _pieces(workload)),
        target_file_size=20_000_000,
        writer_properties=WriterProperties(
            compression="SNAPPY",
            max_row_group_size=ROW_GROUP,
            default_column_properties=ColumnProperties(dictionary_enabled=False),
        ),
    )
    record = TableRecord(
        view.name,
        table_id=TABLE_ID,
        fingerprint=table_fingerprint(view),
        state="current",
        at=datetime.now(UTC),
    )
    Tables(store.layout).record(record)


def answers(workload: Workload, spine: pa.Table) -> pa.Table:
    """Return the spine with its right features, computed without the table."""
    step, per_key = _step(workload), _per_key(workload)
    ids = spine["id"].to_numpy()
    since = spine["ts"].cast(pa.int64()).to_numpy() - START_US
    # A key has one event in each step of time. The answer is the event of the moment's step if it
    # is not after the moment, else the event of the step before.
    nth = np.minimum(since // step, per_key - 1)
    nth -= since < nth * step + _offset(workload, ids, nth)
    exists = nth >= 0
    for number, name in enumerate(_features(workload)):
        values = _value(ids * per_key + nth, number + 1)
        spine = spine.append_column(name, pa.array(values, mask=~exists))
    return spine


def _pieces(workload: Workload) -> Iterator[pa.RecordBatch]:
    for start in range(0, workload.keys * _per_key(workload), PIECE):
        yield _piece(workload, start, min(start + PIECE, workload.keys * _per_key(workload)))


def _piece(workload: Workload, start: int, end: int) -> pa.RecordBatch:
    """Return the rows of the table from position ``start`` to ``end``, exclusive."""
    position = np.arange(start, end)
    ids, nth = position // _per_key(workload), position % _per_key(workload)
    times = START_US + nth * _step(workload) + _offset(workload, ids, nth)
    moments = pa.array(times, MOMENT)
    values = {
        name: pa.array(_value(position, number + 1))
        for number, name in enumerate(_features(workload))
    }
    return pa.record_batch(
        {
            "id": pa.array(ids),
            "event_timestamp": moments,
            "available_timestamp": moments,
            **values,
            "_row_hash": pa.array(_hash(position, 99).view(np.int64)),
        }
    )


def _features(workload: Workload) -> list[str]:
    (names,) = workload.view_features.values()
    return names


def _per_key(workload: Workload) -> int:
    return workload.rows // workload.keys


def _step(workload: Workload) -> int:
    return SPAN_US // _per_key(workload)


def _offset(workload: Workload, ids: np.ndarray, nth: np.ndarray) -> np.ndarray:
    """Return the time from the start of its step to a key's nth event, in microseconds."""
    position = ids * _per_key(workload) + nth
    return (_hash(position, 0) % np.uint64(_step(workload))).astype(np.int64)


def _value(position: np.ndarray, number: int) -> np.ndarray:
    """Return feature ``number`` of each row, between 0 and 1."""
    return (_hash(position, number) >> np.uint64(11)).astype(np.float64) / 2**53


def _hash(position: np.ndarray, salt: int) -> np.ndarray:
    """Return splitmix64 of each position: random enough, and the same on each machine."""
    mixed = position.astype(np.uint64) + np.uint64((salt + 1) * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
