"""A project with a schedule, applied from a file of definitions, and a clock that a test sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from deltalake import write_deltalake

import featurestore as fs
from tests.jobs.schedule.ledger import at
from tests.jobs.world import NOON, Payment, payments_table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = 'project = "shop"\nretries = 0\n'
DEFINITIONS = """\
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("card_id", fs.String),))
payments = fs.DeltaSource("payments", path="payments", timestamp_field="at")
refunds = fs.DeltaSource("refunds", path="refunds", timestamp_field="at")
amount = (fs.Field("amount", fs.Float64),)
spending = fs.FeatureView(
    "spending", entities=(card,), source=payments, schema=amount, latest=False,
    schedule="*/15 * * * *",
)
refunded = fs.FeatureView(
    "refunded", entities=(card,), source=refunds, schema=amount, latest=False,
    schedule="*/15 * * * *",
)
"""


@dataclass
class Project:
    """A project, its store, and its clock."""

    folder: Path
    spark: "SparkSession | None" = None
    now: datetime = NOON

    def __post_init__(self) -> None:
        (self.folder / "feature_defs").mkdir(parents=True)
        (self.folder / "featurestore.toml").write_text(SETTINGS, "utf-8")
        self.define(DEFINITIONS)

    @property
    def store(self) -> fs.FeatureStore:
        return fs.FeatureStore(self.folder, spark=self.spark, clock=lambda: self.now)

    def define(self, definitions: str) -> None:
        """Write the definitions, and apply them."""
        (self.folder / "feature_defs" / "shop.py").write_text(definitions, "utf-8")
        self.store.apply(self.store.plan())

    def redefine(self, old: str, new: str) -> None:
        """Apply the definitions with another text in place of each ``old``."""
        file = self.folder / "feature_defs" / "shop.py"
        self.define(file.read_text("utf-8").replace(old, new))

    def pay(self, *payments: Payment, source: str = "payments") -> None:
        """Append rows to a source, as one commit."""
        write_deltalake(self.folder / source, payments_table(payments), mode="append")

    def tick(self, moment: str) -> "list[Run]":
        """Run what is due at a moment."""
        self.now = at(moment)
        results = self.store.materialize(due=True, on_failure="return", progress=False)
        return [(result.view, result.status, result.rows_in) for result in results]

    def amounts(self, *cards: str) -> Sequence[float | None]:
        """The newest amount of each card."""
        rows = [{"card_id": card} for card in cards]
        latest = self.store.get_latest_features("spending:amount", rows, at=self.now)
        return latest.to_arrow()["amount"].to_pylist()  # type: ignore[no-any-return]  # of Arrow


Run = tuple[str, str, int]
"""A view, the status of its run, and the number of rows that it read."""
