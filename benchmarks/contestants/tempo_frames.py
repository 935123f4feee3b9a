"""dbl-tempo's asofJoin on Spark, one for each view."""

import re
from collections.abc import Callable

from pyspark.sql import DataFrame, SparkSession
from tempo import TSDF

from benchmarks.contestants.spark_task import run, spine_of
from benchmarks.contestants.task import Task

_PREFIXED = re.compile(r"of_v\d+_(v\d+_f\d+)")


def asof(task: Task, spark: SparkSession) -> Callable[[], DataFrame]:
    """Return one query that joins all views to the spine, one after the other."""

    def answer() -> DataFrame:
        keys = list(task.workload.join_keys)
        frame = spine_of(task, spark)
        for view in task.views:
            rows = spark.read.parquet(str(task.folder / view))
            left = TSDF(frame, ts_col="ts", partition_cols=keys)
            right = TSDF(rows, ts_col="ts", partition_cols=keys)
            # Else a null of the last row would be replaced by an earlier value.
            frame = left.asofJoin(right, right_prefix=f"of_{view}", skipNulls=False).df
        return frame.toDF(*(_PREFIXED.sub(r"\1", name) for name in frame.columns))

    return answer


if __name__ == "__main__":
    run({"asof": asof})
