"""The time to store a batch with expectations, compared with the same batch without them.

The target is a ratio of at most 1.5 at 2,000,000 rows. One row in a hundred fails a check.
"""

import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandera.polars as pa
from pyspark.sql import DataFrame, SparkSession

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Float64, Int64, String
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.session.session import session
from featurestore.engines.spark.write.batch import Target, commit_batch
from featurestore.quality.validation import validation_of
from featurestore.store.file_system import write_text

ROWS, PAIRS = 2_000_000, 3
CONF = Path(__file__).parents[1] / "spark-conf" / "local.conf"
CHECKS = pa.DataFrameSchema(
    {
        "amount": pa.Column(float, pa.Check.in_range(0, 990)),
        "currency": pa.Column(str, pa.Check.isin(["EUR", "USD", "GBP"])),
        "items": pa.Column(checks=pa.Check.ge(1)),
    }
)
VIEW = FeatureView(
    "payments",
    entities=(Entity("card", join_keys=(Field("card_id", Int64),)),),
    source=DeltaSource("paid", path="paid", timestamp_field="paid_at"),
    schema=(
        Field("amount", Float64),
        Field("currency", String),
        Field("items", Int64),
        Field("score", Float64),
    ),
)


def measure(folder: Path) -> list[dict[str, object]]:
    """Return a row for each pair of batches: the seconds, and their ratio."""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        spark = own_session(session(CONF, warehouse=Path(temporary) / "spark"))
        rows = source_rows(spark, Path(temporary) / "paid")
        times = [pair(rows, Path(temporary), number) for number in range(PAIRS + 1)]
        spark.stop()
    # The first pair compiles code and imports pandera.
    return [_row(f"{ROWS:,}", plain, checked) for plain, checked in times[1:]]


def _row(rows: str, plain: float, checked: float) -> dict[str, object]:
    return {
        "rows": rows,
        "without expectations, seconds": round(plain, 2),
        "with expectations, seconds": round(checked, 2),
        "ratio": round(checked / plain, 2),
    }


def source_rows(spark: SparkSession, path: Path) -> DataFrame:
    """Write the source's rows to files, and return them. One in a hundred fails a check."""
    rows = spark.range(ROWS).selectExpr(
        "pmod(hash(id), 100000) card_id",
        "timestamp_micros(1767225600000000 + id * 1000000) paid_at",
        "double(pmod(hash(id, 1), 100000)) / 100 amount",
        "elt(int(pmod(hash(id, 2), 3)) + 1, 'EUR', 'USD', 'GBP') currency",
        "int(pmod(hash(id, 3), 9)) + 1 items",
        "double(id) / 7 score",
    )
    rows.write.parquet(str(path))
    return spark.read.parquet(str(path))


def pair(rows: DataFrame, folder: Path, number: int) -> tuple[float, float]:
    """Return the seconds of a batch without expectations, and of one with them."""
    target = plain_target(folder, number)
    checked = replace(
        target,
        table=str(folder / f"checked{number}"),
        validation=validation_of(replace(VIEW, expectations=CHECKS)),
    )
    return tuple(_seconds(rows, each) for each in (target, checked))  # type: ignore[return-value]  # of two


def plain_target(folder: Path, number: int) -> Target:
    """Return what a batch is stored to, without expectations and without a profile."""
    checkpoint = str(folder / f"checkpoint{number}")
    # As Spark has it before a batch begins: the version, settings, and the end of the batch.
    write_text(f"{checkpoint}/offsets/0", 'v1\n{}\n{"logOffset":0}')
    return Target(
        f"run{number}",
        table_id=f"plain{number}",
        generation=0,
        table=str(folder / f"plain{number}"),
        checkpoint=checkpoint,
        source="paid",
        quarantine=str(folder / f"quarantine{number}"),
        staging=str(folder / "staging"),
        started_at=datetime.now(UTC),
    )


def _seconds(rows: DataFrame, target: Target) -> float:
    begun = time.perf_counter()
    commit_batch(VIEW, target, rows, 0)
    return time.perf_counter() - begun
