"""Spark alone: spine and views in one union, one exchange by key, one window."""

from collections.abc import Callable, Iterator
from functools import reduce

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as sf

from benchmarks.contestants.spark_task import run, spine_of
from benchmarks.contestants.task import Task

_SPINE = "spine"


def union(task: Task, spark: SparkSession) -> Callable[[], DataFrame]:
    """Return the query that takes, for each spine row, the last row of each view before it."""
    return lambda: _answer(task, spark)


def _answer(task: Task, spark: SparkSession) -> DataFrame:
    keys = list(task.workload.join_keys)
    rows = reduce(DataFrame.union, _parts(task, spark, keys))
    # A spine row comes after the views' rows of the same moment.
    order = Window.partitionBy(*keys).orderBy("ts", _SPINE)
    before = order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    last = [sf.last(view, ignorenulls=True).over(before).alias(view) for view in task.views]
    answers = rows.select(*keys, "ts", "row", _SPINE, *last).where(_SPINE)
    return answers.select(*keys, "ts", "row", *(f"{view}.*" for view in task.views))


def _parts(task: Task, spark: SparkSession, keys: list[str]) -> Iterator[DataFrame]:
    nothing = {view: sf.lit(None).cast(_struct(names)) for view, names in task.views.items()}
    spine = [nothing[view].alias(view) for view in task.views]
    yield spine_of(task, spark).select(*keys, "ts", "row", sf.lit(True).alias(_SPINE), *spine)
    for view, names in task.views.items():
        values = nothing | {view: sf.struct(*names)}
        columns = [value.alias(name) for name, value in values.items()]
        row = sf.lit(None).cast("long").alias("row")
        frame = spark.read.parquet(str(task.folder / view))
        yield frame.select(*keys, "ts", row, sf.lit(False).alias(_SPINE), *columns)


def _struct(names: list[str]) -> str:
    return f"struct<{','.join(f'{name}:double' for name in names)}>"


if __name__ == "__main__":
    run({"union": union})
