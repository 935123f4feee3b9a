"""The workloads of the benchmarks on Spark: the plain one, doubled, and with a hot key."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.generate import spine_table
from benchmarks.workload import WORKLOADS, Workload

PLAIN = WORKLOADS["plain"]
SPARK_WORKLOADS = {
    workload.name: workload
    for workload in (
        PLAIN,
        replace(PLAIN, name="twice_the_rows", rows=2 * PLAIN.rows),
        replace(PLAIN, name="twice_the_views", views=2 * PLAIN.views),
        WORKLOADS["hot_key"],
    )
}
# Further spines of a workload's tables. So a table is built once for several cases.
SPINES: dict[str, Callable[[Workload], Workload]] = {
    "spine_a_fifth": lambda it: replace(it, spine=it.spine // 5),
    "spine_twice": lambda it: replace(it, spine=2 * it.spine),
    "spine_hot": lambda it: replace(it, hot=0.5),
    "spine_uniform": lambda it: replace(it, hot=0.0),
}


def write_spine(name: str, workload: Workload, folder: Path) -> None:
    """Write a spine of `SPINES` beside the workload's tables, unless it is there."""
    file = folder / f"{name}.parquet"
    if name in SPINES and not file.exists():
        pq.write_table(_spine(SPINES[name](workload)), file)


def _spine(workload: Workload) -> pa.Table:
    return spine_table(np.random.default_rng(workload.seed + 3), workload)
