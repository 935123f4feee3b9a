"""Polars' join_asof for each view over plain Parquet, with the streaming engine."""

from collections.abc import Callable

import polars as pl
import pyarrow as pa

from benchmarks.contestants.task import Task, run


def asof(task: Task) -> Callable[[], pa.Table]:
    """Return one query that joins all views to the spine, one after the other."""

    def answer() -> pa.Table:
        frame = pl.scan_parquet(task.spine_file).sort("ts")
        for view in task.views:
            rows = pl.scan_parquet(task.folder / view / "*.parquet").sort("ts")
            frame = frame.join_asof(
                rows, on="ts", by=list(task.workload.join_keys), check_sortedness=False
            )
        return frame.collect(engine="streaming").to_arrow()

    return answer


if __name__ == "__main__":
    run({"asof": asof})
