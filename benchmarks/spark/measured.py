"""`Measured`: what one row costs on Spark, from the results of the benchmark."""

from dataclasses import dataclass
from typing import Any

from benchmarks.results import read_results
from benchmarks.spark.workloads import PLAIN, SPARK_WORKLOADS, SPINES

INPUT_CASES = ("scan", "scan_twice_the_rows", "scan_twice_the_spine")
# Local sessions have two cores, each with one Python worker.
WORKERS = 2


class NotMeasuredError(Exception):
    """The results of a case are missing."""


@dataclass(frozen=True)
class Measured:
    """What a row costs in a scan by two cores, from local files.

    Args:
        feature_read_bytes: Bytes that a task reads for each feature row.
        spine_bytes: Bytes of the spine's file for each of its rows.
        exchange_bytes: Bytes that Spark exchanges for each spine row.
        written_bytes: Bytes of Parquet that the answer needs for each spine row.
        feature_seconds: Seconds of one core for each feature row.
        spine_seconds: Seconds of one core for each spine row and view.
        task_seconds: Seconds of one core for each task, beside its rows.
        worker_bytes: The peak memory of one Python worker.
    """

    feature_read_bytes: float
    spine_bytes: float
    exchange_bytes: float
    written_bytes: float
    feature_seconds: float
    spine_seconds: float
    task_seconds: float
    worker_bytes: float


def read_measured() -> Measured:
    """Return what was measured in the newest run of `make bench-spark`.

    The seconds of a row are the difference of two cases, of which one has twice the rows. Those of
    a task are measured with tasks of one row.

    Raises:
        NotMeasuredError: The results of a case are missing.
    """
    plain, rows, spine = (_of_scan(name) for name in INPUT_CASES)
    more_rows = (SPARK_WORKLOADS["twice_the_rows"].rows - PLAIN.rows) * PLAIN.views
    more_spine = SPINES["spine_twice"](PLAIN).spine - PLAIN.spine
    feature_s = max(0.0, rows["task_seconds"] - plain["task_seconds"]) / more_rows
    spine_s = max(0.0, spine["task_seconds"] - plain["task_seconds"]) / more_spine / PLAIN.views
    return Measured(
        feature_read_bytes=plain["worker_read_bytes"] / (PLAIN.rows * PLAIN.views),
        spine_bytes=plain["spine_bytes"] / PLAIN.spine,
        exchange_bytes=plain["shuffle_bytes"] / PLAIN.spine,
        written_bytes=plain["written_bytes"] / PLAIN.spine,
        feature_seconds=feature_s,
        spine_seconds=spine_s,
        task_seconds=plain["seconds_without_rows"],
        worker_bytes=plain["worker_peak_bytes"] / WORKERS,
    )


def _of_scan(case: str) -> dict[str, Any]:
    document = read_results(f"spark_{case}")
    if document is None:
        raise NotMeasuredError(f"there are no results of the case {case}: run make bench-spark")
    measured: dict[str, Any] = document["ways"][0]["measured"]
    return measured
