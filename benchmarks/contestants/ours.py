"""Featurestore's local engine: from the pinned Delta tables to an Arrow table."""

from collections.abc import Callable
from itertools import cycle

import pyarrow as pa
import pyarrow.parquet as pq

import featurestore as fs
from benchmarks import hundred_million
from benchmarks.contestants.task import Task, run


def historical(task: Task) -> Callable[[], pa.Table]:
    """The whole spine in one call, from reading it on, of a store that is open."""
    limits = {} if task.memory_limit is None else {"memory_limit": task.memory_limit}
    store = fs.FeatureStore(task.folder, **limits)
    return lambda: _historical(store, task, pq.read_table(task.spine_file))


def one_by_one(task: Task) -> Callable[[], pa.Table]:
    """One row of the spine a call, the next one each time, of a store that is open."""
    store = fs.FeatureStore(task.folder)
    spine = pq.read_table(task.spine_file)
    rows = cycle([spine.slice(place, 1) for place in range(spine.num_rows)])
    return lambda: _historical(store, task, next(rows))


def arithmetic(task: Task) -> Callable[[], pa.Table]:
    """What the answer to the hundred million must be, computed from how they were made."""
    return lambda: hundred_million.answers(task.workload, pq.read_table(task.spine_file))


def _historical(store: fs.FeatureStore, task: Task, spine: pa.Table) -> pa.Table:
    return store.get_historical_features(task.service, spine, timestamp_field="ts").to_arrow()


if __name__ == "__main__":
    run({"historical": historical, "one-by-one": one_by_one, "arithmetic": arithmetic})
