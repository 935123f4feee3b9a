"""A ledger of a scheduled view, written by hand, and what is due by it. It needs no Spark."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.view import FeatureView
from featurestore.jobs.schedule.due import ViewSchedule, schedules
from featurestore.store.current import CurrentTables
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import RunKind, RunRecord, RunStatus
from featurestore.store.ledger.tables import TableRecord, TableState
from tests.jobs.world import SPENDING, other

QUARTERLY = other(SPENDING, schedule="*/15 * * * *")


def at(text: str) -> datetime:
    """A moment of 1 January 2026, such as ``"12:30"``."""
    return datetime.fromisoformat(f"2026-01-01T{text}").replace(tzinfo=UTC)


@dataclass
class Ledger:
    """The applied views with their runs and builds, in the order of their records."""

    views: list[FeatureView] = field(default_factory=lambda: [QUARTERLY])
    runs: list[RunRecord] = field(default_factory=list)
    tables: list[TableRecord] = field(default_factory=list)

    def build(
        self, view: FeatureView | None = None, state: TableState = "current", upstream: str = ""
    ) -> None:
        """Record a build of a view."""
        view = view or self.views[0]
        record = TableRecord(
            view.name,
            table_id=f"{view.name}{len(self.tables)}",
            fingerprint=table_fingerprint(view),
            state=state,
            upstream=upstream or None,
            at=at("00:00"),
        )
        self.tables.append(record)

    def run(
        self,
        moment: str,
        status: RunStatus = "done",
        view: str = "spending",
        kind: RunKind = "run",
    ) -> None:
        """Record a run that started at a moment."""
        record = RunRecord(
            f"r{len(self.runs)}",
            view=view,
            table_id="t",
            kind=kind,
            status=status,
            started_at=at(moment),
        )
        self.runs.append(replace(record, sequence=len(self.runs) + 1))

    def schedules(self, moment: str) -> dict[str, ViewSchedule]:
        """The state of each schedule at a moment."""
        tables = CurrentTables(Layout("store"), self.tables)
        return {s.view: s for s in schedules(self.views, tables, self.runs, at(moment))}

    def schedule(self, moment: str) -> ViewSchedule:
        """The state of the first view's schedule at a moment."""
        return self.schedules(moment)[self.views[0].name]
