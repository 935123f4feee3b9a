"""A feature table too big to hold in memory, in the layout that materialization gives it.

Spark would take half an hour; delta-rs writes the same files, sorted by key and time, in row
groups of 50,000. Every row follows from its place by arithmetic, so that pieces can be made in
order, and the right answers be told without reading anything.
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
    """Write the table, and tell the project's ledger that it is the view's current one."""
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
    """Return the spine with the features that it should get."""
    step, per_key = _step(workload), _per_key(workload)
    ids = spine["id"].to_numpy()
    since = spine["ts"].cast(pa.int64()).to_numpy() - START_US
    # A key has one event a step, somewhere within it: that one, if it is over, or the one before.
    nth = np.minimum(since // step, per_key - 1)
    nth -= since < nth * step + _offset(workload, ids, nth)
    found = nth >= 0
    for number, name in enumerate(_features(workload)):
        values = _value(ids * per_key + nth, number + 1)
        spine = spine.append_column(name, pa.array(values, mask=~found))
    return spine


def _pieces(workload: Workload) -> Iterator[pa.RecordBatch]:
    for start in range(0, workload.keys * _per_key(workload), PIECE):
        yield _piece(workload, start, min(start + PIECE, workload.keys * _per_key(workload)))


def _piece(workload: Workload, start: int, end: int) -> pa.RecordBatch:
    """Rows start..end of the table, in its order."""
    place = np.arange(start, end)
    ids, nth = place // _per_key(workload), place % _per_key(workload)
    times = START_US + nth * _step(workload) + _offset(workload, ids, nth)
    moments = pa.array(times, MOMENT)
    values = {
        name: pa.array(_value(place, number + 1))
        for number, name in enumerate(_features(workload))
    }
    return pa.record_batch(
        {
            "id": pa.array(ids),
            "event_timestamp": moments,
            "available_timestamp": moments,
            **values,
            "_row_hash": pa.array(_hash(place, 99).view(np.int64)),
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
    """How long after its step's start a key's nth event happens."""
    place = ids * _per_key(workload) + nth
    return (_hash(place, 0) % np.uint64(_step(workload))).astype(np.int64)


def _value(place: np.ndarray, number: int) -> np.ndarray:
    """Feature ``number`` of a row: anything in [0, 1)."""
    return (_hash(place, number) >> np.uint64(11)).astype(np.float64) / 2**53


def _hash(place: np.ndarray, salt: int) -> np.ndarray:
    """Splitmix64: as random as these need to be, and the same wherever it is computed."""
    mixed = place.astype(np.uint64) + np.uint64((salt + 1) * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
