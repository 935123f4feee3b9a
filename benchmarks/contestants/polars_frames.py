"""Polars' join_asof over bare Parquet, one a view, by the streaming engine."""

from collections.abc import Callable

import polars as pl
import pyarrow as pa

from benchmarks.contestants.task import Task, run


def asof(task: Task) -> Callable[[], pa.Table]:
    """All views joined to the spine one after the other, collected once."""

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
