"""The CPU time to store a batch and its profile, compared with the same batch without a profile.

The target is a ratio of at most 1.3 at 2,000,000 rows. The time is that of the JVM, of Spark's
Python workers and of this process, which merges the sketches.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from pyspark.sql import DataFrame

from benchmarks.cpu import cpu_seconds
from benchmarks.expectations import CONF, ROWS, VIEW, plain_target, source_rows
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.session.session import session
from featurestore.engines.spark.write.batch import Target, commit_batch
from featurestore.jobs.profiles.batches import BatchSketches
from featurestore.monitoring.columns import stored_columns_of
from featurestore.monitoring.summary import summaries

PAIRS = 3


def measure(folder: Path) -> list[dict[str, object]]:
    """Return a row for each pair of batches: the CPU seconds, and their ratio."""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        spark = own_session(session(CONF, warehouse=Path(temporary) / "spark"))
        rows = source_rows(spark, Path(temporary) / "paid")
        times = [pair(rows, Path(temporary), number) for number in range(PAIRS + 1)]
        spark.stop()
    # The first pair compiles code and starts Spark's workers.
    return [_row(plain, profiled) for plain, profiled in times[1:]]


def _row(plain: float, profiled: float) -> dict[str, object]:
    return {
        "rows": f"{ROWS:,}",
        "without a profile, CPU seconds": round(plain, 2),
        "with a profile, CPU seconds": round(profiled, 2),
        "ratio": round(profiled / plain, 2),
    }


def pair(rows: DataFrame, folder: Path, number: int) -> tuple[float, float]:
    """Return the CPU seconds of a batch without a profile, and of one with it."""
    target = plain_target(folder, number)
    batches = BatchSketches(VIEW)
    profiled = replace(
        target, table=str(folder / f"profiled{number}"), profiling=batches.profiling
    )
    return _seconds(rows, target), _seconds(rows, profiled, batches)


def _seconds(rows: DataFrame, target: Target, batches: BatchSketches | None = None) -> float:
    used = cpu_seconds()
    commit_batch(VIEW, target, rows, 0)
    if batches is not None and not summaries(stored_columns_of(VIEW), batches.rows):
        raise RuntimeError("the batch has no profile")
    return cpu_seconds() - used
