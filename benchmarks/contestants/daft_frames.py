"""Daft's join_asof for each view over plain Parquet, on its engine of one machine."""

from collections.abc import Callable

import daft
import pyarrow as pa

from benchmarks.contestants.task import Task, run


def asof(task: Task) -> Callable[[], pa.Table]:
    """Return one query that joins all views to the spine, one after the other."""

    def answer() -> pa.Table:
        keys = list(task.workload.join_keys)
        frame = daft.read_parquet(str(task.spine_file))
        for view, names in task.views.items():
            rows = daft.read_parquet(f"{task.folder / view}/*.parquet")
            frame = frame.join_asof(rows.select(*keys, "ts", *names), on="ts", by=keys)
        return frame.to_arrow()

    return answer


if __name__ == "__main__":
    run({"asof": asof})
