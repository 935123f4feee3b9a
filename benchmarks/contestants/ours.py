"""Featurestore's local engine: from the pinned Delta tables to an Arrow table."""

from collections.abc import Callable
from itertools import cycle

import pyarrow as pa
import pyarrow.parquet as pq

import featurestore as fs
from benchmarks import hundred_million
from benchmarks.contestants.task import Task, run


def historical(task: Task) -> Callable[[], pa.Table]:
    """Return one call of an open store with the whole spine, which is read in the call."""
    limits = {} if task.memory_limit is None else {"memory_limit": task.memory_limit}
    store = fs.FeatureStore(task.folder, **limits)
    return lambda: _historical(store, task, pq.read_table(task.spine_file))


def one_by_one(task: Task) -> Callable[[], pa.Table]:
    """Return calls of an open store with one row of the spine, each with the next row."""
    store = fs.FeatureStore(task.folder)
    spine = pq.read_table(task.spine_file)
    rows = cycle([spine.slice(number, 1) for number in range(spine.num_rows)])
    return lambda: _historical(store, task, next(rows))


def arithmetic(task: Task) -> Callable[[], pa.Table]:
    """Return the right answer of the hundred million rows, computed without reading them."""
    return lambda: hundred_million.answers(task.workload, pq.read_table(task.spine_file))


def _historical(store: fs.FeatureStore, task: Task, spine: pa.Table) -> pa.Table:
    return store.get_historical_features(task.service, spine, timestamp_field="ts").to_arrow()


if __name__ == "__main__":
    run({"historical": historical, "one-by-one": one_by_one, "arithmetic": arithmetic})
