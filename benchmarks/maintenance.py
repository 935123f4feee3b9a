"""The times of a run and of a look-up after 10 and after 1,000 small runs, with maintenance.

Runs 11 to 995 are simulated without Spark: each appends the same rows to the source and to the
feature table, with the notes and the records that a run writes, and joins small files as a run
does. All runs that are timed are real.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

import featurestore as fs
from benchmarks.spending import SUM_OF_WEEK, write_project
from featurestore.jobs.materialize.compaction import compact_after_run
from featurestore.store.columns import UTC_MICROS
from featurestore.store.commit import CommitNotes, newest_batch
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs
from featurestore.store.ledger.tables import Tables

FEW, MANY, TIMED, ROWS = 10, 1_000, 5, 200
CHECKPOINT_INTERVAL = 10
START = datetime(2026, 1, 1, tzinfo=UTC)


def measure(folder: Path) -> list[dict[str, object]]:
    """Return a row for each number of runs: the median times of a run and of a look-up."""
    project = folder / "thousand_runs"
    write_project(project, SUM_OF_WEEK)
    with fs.FeatureStore(project) as store:
        store.apply(store.plan())
        for number in range(FEW - TIMED):
            _pay(store, number)
            store.materialize()
        rows = [_row(store, FEW, FEW - TIMED)]
        for number in range(FEW, MANY - TIMED):
            _simulate(store, number)
        _pay(store, MANY - TIMED)
        store.materialize()  # takes up the source after the simulated runs
        rows.append(_row(store, MANY, MANY - TIMED + 1, "before maintain"))
        store.maintain()
        rows.append(_row(store, MANY + TIMED, MANY + 1, "after maintain"))
    return rows


def _row(store: fs.FeatureStore, runs: int, first: int, when: str = "") -> dict[str, object]:
    seconds, folder = [], store.settings.folder
    for number in range(first, first + TIMED):
        _pay(store, number)
        seconds.append(_seconds(store.materialize))
    return {
        "runs": f"{runs:,} {when}".strip(),
        "run, seconds": round(statistics.median(seconds), 2),
        "look-up, new store, ms": _milliseconds(lambda: _look_up(fs.FeatureStore(folder))),
        "look-up, open store, ms": _milliseconds(lambda: _look_up(store)),
        "status, ms": _milliseconds(store.status),
    }


def _look_up(store: fs.FeatureStore) -> None:
    store.get_latest_features("spending", [{"card_id": 7}])


def _milliseconds(call: Callable[[], object]) -> int:
    return round(1000 * min(_seconds(call) for _ in range(TIMED)))


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _rows(number: int) -> pa.Table:
    moments = [START + timedelta(minutes=15 * number)] * ROWS
    return pa.table(
        {
            "card_id": pa.array(range(ROWS), pa.int64()),
            "event_timestamp": pa.array(moments, UTC_MICROS),
            "amount": pa.array([float(number)] * ROWS, pa.float64()),
        }
    )


def _pay(store: fs.FeatureStore, number: int) -> None:
    payments = store.settings.folder / "payments"
    write_deltalake(payments, _rows(number), mode="append")
    _checkpoint(DeltaTable(payments))


def _checkpoint(table: DeltaTable) -> None:
    if table.version() % CHECKPOINT_INTERVAL == 0:  # as Spark does
        table.create_checkpoint()


def _simulate(store: fs.FeatureStore, number: int) -> None:
    """Write what a run leaves."""
    _pay(store, number)
    layout, table = store.layout, Tables(store.layout).current("spending")
    uri = layout.features("spending", table.table_id)
    before, source = newest_batch(uri).notes, DeltaTable(layout.source("payments"))
    offset = json.loads(before.source_offset) | {"reservoirVersion": source.version() + 1}
    notes = CommitNotes(
        f"{number:016x}simulated",
        view="spending",
        table_id=table.table_id,
        generation=before.generation,
        batch_id=before.batch_id + 1,
        source_offset=json.dumps(offset),
        rows_in=ROWS,
        rows_out=ROWS,
        null_rows=0,
        max_event_timestamp=None,
        started_at=START,
    )
    written = _append(uri, number, notes)
    begun = RunRecord(
        notes.run_id,
        view="spending",
        table_id=table.table_id,
        kind="run",
        status="running",
        started_at=START,
    )
    outcome = Outcome(written, 1, ROWS, ROWS, source_offset=notes.source_offset)
    Runs(layout).record(begun)
    Runs(layout).record(replace(begun, status="done", ended_at=START, outcome=outcome))
    compact_after_run(store.applied().view("spending"), uri, store.settings.compact_small_files)


def _append(uri: str, number: int, notes: CommitNotes) -> int:
    """Append the rows of a run to the feature table, and return the version of the commit."""
    rows = _rows(number)
    rows = rows.add_column(2, "available_timestamp", rows["event_timestamp"])
    hashes = pa.array(range(number * ROWS, (number + 1) * ROWS), pa.int64())
    write_deltalake(
        uri,
        rows.append_column("_row_hash", hashes),
        mode="append",
        commit_properties=CommitProperties(
            custom_metadata={"userMetadata": notes.to_json()},
            app_transactions=[Transaction(f"{notes.table_id}/{notes.generation}", notes.batch_id)],
        ),
    )
    written = DeltaTable(uri)
    _checkpoint(written)
    return written.version()


if __name__ == "__main__":
    import sys

    for each in measure(Path(sys.argv[1])):
        print(each)
