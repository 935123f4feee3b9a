"""A small project for tests of the jobs: payments of cards, in a Delta table or in files.

In a `World`, runs are real and need Spark. In a `Store`, tests write what a run leaves: its
commits, checkpoints and records.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Float64, String
from featurestore.definitions.model.view import FeatureView
from featurestore.jobs.materialize.job import Job, RunResult
from featurestore.jobs.materialize.start import materialize
from featurestore.store.columns import UTC_MICROS
from featurestore.store.commit import LOG_PROPERTIES, CommitNotes
from featurestore.store.delta.commit_files import commit_digest
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from tests.store.quarantine_rows import put_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

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
DERIVED = replace(SPENDING, name="copied", source=SPENDING)

Payment = tuple[str | None, int | None, float | None]
"""A card, hours after noon, and an amount."""


class SparkNeededError(Exception):
    """A session was to be started."""


class Project:
    """A project: its folder, definitions and clock."""

    folder: Path
    views: Sequence[FeatureView]
    now: datetime
    files_per_batch: int = 1000
    profile: bool = False  # a second job of Spark for each batch

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
            spark=self.session,
            clock=lambda: self.now,
            files_per_batch=self.files_per_batch,
            profile=self.profile,
        )

    def session(self) -> "SparkSession":
        """The session of Spark, if the project has one."""
        raise SparkNeededError


@dataclass
class World(Project):
    """A project whose runs are real."""

    folder: Path
    spark: "SparkSession"
    views: list[FeatureView] = field(default_factory=lambda: [SPENDING])
    now: datetime = NOON + timedelta(days=2)
    files_per_batch: int = 1000
    profile: bool = False

    def session(self) -> "SparkSession":
        return self.spark

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


@dataclass
class Store(Project):
    """A project without Spark."""

    folder: Path
    views: Sequence[FeatureView] = (SPENDING,)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    batches: dict[str, int] = field(default_factory=dict)
    properties: dict[str, str | None] = field(default_factory=lambda: {**LOG_PROPERTIES})

    def uri(self, table_id: str = "t1", view: str = "spending") -> str:
        return self.layout.features(view, table_id)

    def build(
        self,
        table_id: str = "t1",
        state: str = "current",
        *,
        view: FeatureView = SPENDING,
        upstream: str | None = None,
    ) -> TableRecord:
        """Record a build."""
        record = TableRecord(
            view.name,
            table_id=table_id,
            fingerprint=table_fingerprint(view),
            state=state,  # type: ignore[arg-type]  # a state of the test's
            upstream=upstream,
            at=self.now,
        )
        Tables(self.layout).record(record)
        return record

    def pay(self, rows: pa.Table) -> None:
        """Append rows to the source, as one commit."""
        source = rows.select(["card_id", "event_timestamp", "amount"])
        write_deltalake(
            self.folder / "payments",
            source.rename_columns(["card_id", "at", "amount"]),
            mode="append",
        )

    def run(
        self,
        rows: pa.Table,
        table_id: str = "t1",
        view: str = "spending",
        *,
        pays: bool = True,
        bad: int = 0,
    ) -> str:
        """Write what a run leaves: its bad rows, the commit, its checkpoint and its records."""
        if pays:
            self.pay(rows)
        batch = self.batches.get(table_id, -1) + 1
        self.batches[table_id] = batch
        run_id = f"r-{table_id}-{batch}"
        offset, digest = self._offset()
        if bad:
            names = [(f"{run_id}-{number}", 0, batch, -1.0) for number in range(bad)]
            put_rows(self.layout.quarantine(view, table_id), *names)
        notes = CommitNotes(
            run_id,
            view=view,
            table_id=table_id,
            generation=0,
            batch_id=batch,
            source_offset=offset,
            source_commit=digest,
            rows_in=rows.num_rows + bad,
            rows_out=rows.num_rows,
            null_rows=0,
            rows_quarantined=bad,
            max_event_timestamp=None,
            started_at=self.now,
        )
        uri = self.uri(table_id, view)
        properties = CommitProperties(
            custom_metadata={"userMetadata": notes.to_json()},
            app_transactions=[Transaction(f"{table_id}/0", batch)],
        )
        write_deltalake(
            uri,
            rows,
            mode="append",
            commit_properties=properties,
            configuration=None if batch else self.properties,
        )
        self._checkpoint(table_id, batch, offset)
        self._record(run_id, view, table_id, rows.num_rows, offset, bad)
        return run_id

    def _offset(self) -> tuple[str, str | None]:
        source = DeltaTable(self.folder / "payments")
        read = source.version()
        offset = {
            "sourceVersion": 1,
            "reservoirId": source.metadata().id,
            "reservoirVersion": read + 1,
            "index": -1,
            "isStartingVersion": False,
        }
        return json.dumps(offset), commit_digest(str(self.folder / "payments"), read)

    def _checkpoint(self, table_id: str, batch: int, offset: str) -> None:
        folder = Path(self.layout.checkpoint(table_id, 0))
        for name in ("offsets", "commits"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "metadata").write_text(json.dumps({"id": "s"}))
        (folder / "offsets" / str(batch)).write_text(f"v1\n{{}}\n{offset}")
        (folder / "commits" / str(batch)).write_text("v1\n{}")

    def _record(
        self, run_id: str, view: str, table_id: str, rows: int, offset: str, bad: int
    ) -> None:
        version = DeltaTable(self.uri(table_id, view)).version()
        begun = RunRecord(
            run_id,
            view=view,
            table_id=table_id,
            kind="run",
            status="running",
            started_at=self.now,
        )
        outcome = Outcome(
            version=version,
            batches=1,
            rows_in=rows + bad,
            rows_out=rows,
            rows_quarantined=bad,
            source_offset=offset,
        )
        ended = replace(begun, status="done", ended_at=self.now, outcome=outcome)
        Runs(self.layout).record(begun)
        Runs(self.layout).record(ended)


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


def stored_rows(*cards: str, hour: int = 0, amount: float = 1.0) -> pa.Table:
    """Rows of a feature table."""
    at = pa.array([NOON + timedelta(hours=hour)] * len(cards), UTC_MICROS)
    return pa.table(
        {
            "card_id": pa.array(cards, pa.string()),
            "event_timestamp": at,
            "available_timestamp": at,
            "amount": pa.array([amount] * len(cards), pa.float64()),
            "_row_hash": pa.array([hash((card, hour, amount)) for card in cards], pa.int64()),
        }
    )


def age(folder: str, days: int) -> None:
    """Make the files of a folder, and what its log says of removed files, older."""
    moment = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    for path in Path(folder).rglob("*"):
        if path.is_file():
            os.utime(path, (moment, moment))
    for path in Path(folder, "_delta_log").glob("*checkpoint*"):
        path.unlink()
    for path in Path(folder, "_delta_log").glob("*.json"):
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for action in lines:
            if "remove" in action:
                action["remove"]["deletionTimestamp"] = int(moment * 1000)
        path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
