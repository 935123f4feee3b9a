"""The task of each contestant on Spark: an answer is a DataFrame, of which Spark sums all columns.

The sums are a part of the timed work. So no contestant can leave out a column, and no answer is
collected. The session is started before, with the same settings for all.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sf

from benchmarks.contestants.processes import Usage
from benchmarks.contestants.task import Task, task_of_arguments
from benchmarks.workload import Workload

Prepare = Callable[[Task, SparkSession], Callable[[], DataFrame]]
"""A function that prepares a task and returns the function that is timed. It returns a frame."""

SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.host": "localhost",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "8",
}


def run(ways: Mapping[str, Prepare], settings: Mapping[str, str] | None = None) -> None:
    """Run the task of the command line, and print its times and the sums of its answer.

    Args:
        ways: The ways by their names.
        settings: Further settings of the session.
    """
    way, repeats, task = task_of_arguments(ways)
    with tempfile.TemporaryDirectory(prefix="spark-") as name:
        folder = Path(name)
        spark = start(folder, settings or {}, task.memory_limit or "6g")
        answer = ways[way](task, spark)
        calls = [_call(answer, task.workload) for _ in range(repeats or 2)]
        last = calls[-1]
        measured = {**last.used, "spine_bytes": task.spine_file.stat().st_size}
        if task.measures:
            measured |= _written(answer(), folder)
            measured |= {"seconds_without_rows": _seconds_without_rows(spark)}
        spark.stop()
        if task.measures:  # the event log is complete when the session has stopped
            measured |= _tasks(folder, last)
    print(
        json.dumps(
            {
                "seconds": [each.seconds for each in calls],
                "peak_bytes": last.used["executor_peak_bytes"],
                "answer": last.sums,
                "measured": measured,
            }
        )
    )


class _Call(NamedTuple):
    """A timed call: its seconds, its answer's sums, what it used, and when it began and ended."""

    seconds: float
    sums: dict[str, list[float]]
    used: dict[str, float]
    began: float
    ended: float


def _call(answer: Callable[[], DataFrame], workload: Workload) -> _Call:
    usage, began, clock = Usage(), time.time(), time.perf_counter()
    sums = summary(answer(), workload)
    seconds = time.perf_counter() - clock
    return _Call(seconds, sums, usage.measured(), began, time.time())


def start(folder: Path, settings: Mapping[str, str], memory: str) -> SparkSession:
    """Return a warm session, whose event log and files are in the folder."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    (folder / "events").mkdir()
    builder = SparkSession.builder
    ours = {
        "spark.driver.memory": memory,
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": (folder / "events").as_uri(),
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
    }
    for name, value in (SETTINGS | ours | dict(settings)).items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.range(10).count()
    return spark


def spine_of(task: Task, spark: SparkSession) -> DataFrame:
    """Return the spine as a frame that Spark reads."""
    return spark.read.parquet(str(task.spine_file))


def summary(frame: DataFrame, workload: Workload) -> dict[str, list[float]]:
    """Return for each feature the count of its values, their sum, and the sum weighted by row."""
    features = [name for names in workload.view_features.values() for name in names]
    names = [name for name in features if name in frame.columns]
    row = frame.agg(*(total for name in names for total in _totals(name))).collect()[0]
    totals = [float(value or 0.0) for value in row]
    return {name: totals[3 * at : 3 * at + 3] for at, name in enumerate(names)}


def _totals(name: str) -> tuple[Column, ...]:
    value = sf.col(name)
    totals = (sf.count(value), sf.sum(value), sf.sum(value * sf.col("row")))
    return tuple(each.alias(f"{name}_{at}") for at, each in enumerate(totals))


def _written(frame: DataFrame, folder: Path) -> dict[str, float]:
    """Return the bytes of the answer as Parquet files, written by the executors."""
    frame.write.parquet(str(folder / "answer"))
    return {"written_bytes": sum(each.stat().st_size for each in (folder / "answer").iterdir())}


def _seconds_without_rows(spark: SparkSession) -> float:
    """Return the seconds of a core for a task in Python that has one row."""
    tasks = 40
    rows = spark.range(0, tasks, 1, tasks).mapInArrow(lambda batches: batches, "id long")
    rows.count()
    began = time.perf_counter()
    rows.count()
    return (time.perf_counter() - began) * spark.sparkContext.defaultParallelism / tasks


def _tasks(folder: Path, call: _Call) -> dict[str, float]:
    """Return what the tasks of a call did, from Spark's event log."""
    totals = dict.fromkeys(("tasks", "task_seconds", "shuffle_bytes"), 0.0)
    (log,) = (folder / "events").iterdir()
    for line in log.read_text("utf-8").splitlines():
        event = json.loads(line)
        if event["Event"] == "SparkListenerTaskEnd" and _is_of(call, event):
            metrics = event["Task Metrics"]
            totals["tasks"] += 1
            totals["task_seconds"] += metrics["Executor Run Time"] / 1000
            totals["shuffle_bytes"] += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
    return totals


def _is_of(call: _Call, event: Mapping[str, Any]) -> bool:
    return bool(1000 * call.began <= event["Task Info"]["Launch Time"] <= 1000 * call.ended)
