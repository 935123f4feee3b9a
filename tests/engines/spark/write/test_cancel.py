"""Spark's jobs of a run that ends early: also when the view's lock is lost while it writes."""

import time
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING

import pytest

from featurestore.engines.spark.source.readers import Reading
from featurestore.engines.spark.write.batch import Target
from featurestore.engines.spark.write.cancel import run_cancellable
from featurestore.engines.spark.write.stream import Stream
from featurestore.errors import ConflictError
from featurestore.store.lease import HeldLock
from tests.jobs.world import SPENDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyspark.sql import SparkSession


def slowly(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
    time.sleep(120)
    yield from batches


def test_a_write_ends_when_the_lock_cannot_be_renewed(spark: "SparkSession") -> None:
    lock = HeldLock("s3://shop/locks/views/spending.lock", "of a lease that was lost")
    addresses = dict.fromkeys(("table", "checkpoint", "source", "quarantine", "staging"), "none")
    target = Target(
        "r1", table_id="t", generation=0, started_at=datetime.now(UTC), lock=lock, **addresses
    )
    stream = Stream(
        SPENDING,
        source=SPENDING.source,  # type: ignore[arg-type]  # a Delta source
        target=target,
        reading=Reading("none"),
        stop=Event(),
        watch=lambda batches, rows, what="": None,
    )

    def write() -> int:
        return len(spark.range(1).mapInArrow(slowly, "id long").collect())

    with pytest.raises(ConflictError) as lost:
        run_cancellable(spark, stream, write)

    assert lock.address in lost.value.found
