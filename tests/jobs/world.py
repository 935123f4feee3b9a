"""A small project for tests of the jobs: payments of cards, in a Delta table or in files."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Float64, String
from featurestore.definitions.model.view import FeatureView
from featurestore.jobs.materialize.job import Job, RunResult
from featurestore.jobs.materialize.start import materialize
from featurestore.store.columns import UTC_MICROS
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import Tables

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CARD = Entity("card", join_keys=(Field("card_id", String),))
PAYMENTS = DeltaSource("payments", path="payments", timestamp_field="at")
SPENDING = FeatureView(
    "spending",
    entities=(CARD,),
    source=PAYMENTS,
    schema=(Field("amount", Float64),),
    aggregations=(Aggregation("amount", "sum", windows=("7d",)),),
    latest=False,
)

Payment = tuple[str | None, int | None, float | None]
"""A card, hours after noon, and an amount."""


@dataclass
class World:
    """A project: its folder, definitions and clock."""

    folder: Path
    spark: SparkSession
    views: list[FeatureView] = field(default_factory=lambda: [SPENDING])
    now: datetime = NOON + timedelta(days=2)
    files_per_batch: int = 1000

    @property
    def layout(self) -> Layout:
        return Layout(str(self.folder / "store"), folder=self.folder)

    @property
    def job(self) -> Job:
        manifest = Manifest.of([*self.views])
        return Job(
            self.layout,
            applied=lambda: manifest,
            loaded=lambda: manifest,
            spark=lambda: self.spark,
            clock=lambda: self.now,
            files_per_batch=self.files_per_batch,
        )

    def pay(self, *payments: Payment) -> None:
        """Append payments to the Delta source, as one commit."""
        write_deltalake(self.folder / "payments", payments_table(payments), mode="append")

    def materialize(self, **options: object) -> RunResult:
        """Materialize the only view."""
        (result,) = materialize(self.job, **options)  # type: ignore[arg-type]  # passed through
        return result

    def table(self, view: str = "spending") -> DeltaTable:
        """The view's current feature table."""
        record = Tables(self.layout).current(view)
        if record is None:
            raise LookupError(view)
        return DeltaTable(self.layout.features(view, record.table_id))

    def rows(self, *columns: str, view: str = "spending") -> list[tuple[object, ...]]:
        """The stored rows, sorted; by default their card, hours after noon and amount."""
        stored = pa.table(self.table(view).scan()).to_pylist()
        names = columns or ("card_id", "hour", "amount")
        rows = [row | {"hour": hour_of(row["event_timestamp"])} for row in stored]
        return sorted(tuple(row[name] for name in names) for row in rows)

    def latest(self, view: str = "spending") -> list[dict[str, object]]:
        """The rows of the view's ``latest`` table, sorted by key."""
        rows = pa.table(DeltaTable(self.layout.latest(view)).scan()).to_pylist()
        return sorted(rows, key=lambda row: str(row.get("card_id")))


def payments_table(payments: Sequence[Payment]) -> pa.Table:
    """Payments as an Arrow table."""
    return pa.table(
        {
            "card_id": pa.array([card for card, _, _ in payments], pa.string()),
            "at": pa.array([moment_of(hour) for _, hour, _ in payments], UTC_MICROS),
            "amount": pa.array([amount for _, _, amount in payments], pa.float64()),
        }
    )


def moment_of(hour: int | None) -> datetime | None:
    """The time this many hours after noon."""
    return None if hour is None else NOON + timedelta(hours=hour)


def hour_of(moment: datetime) -> float:
    """The hours from noon to a time."""
    return (moment - NOON) / timedelta(hours=1)


def other(view: FeatureView, **changes: object) -> FeatureView:
    """The view with some fields changed."""
    return replace(view, **changes)  # type: ignore[arg-type]  # fields are named by the test
