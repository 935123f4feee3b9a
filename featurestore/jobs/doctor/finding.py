"""What a check finds, and what it looks at."""

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Protocol

from featurestore.credentials import without_credentials
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.store.delta.commit_files import CommitFile, newest_commit_files
from featurestore.store.delta.snapshot import Snapshot, open_snapshot
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import RunRecord
from featurestore.store.ledger.tables import TableRecord
from featurestore.times import Clock

_ALL = 2**40


@dataclass(frozen=True)
class Finding:
    """One problem of the store.

    Args:
        code: The code of the check, such as ``"D102"``. docs/repair.md lists the codes.
        table: The view, the ledger, or ``quarantine of`` a view.
        found: What was found.
        fix: What to do.
        repairable: Whether `doctor --repair` repairs it.
        repair: What the repair has done; empty without one.
    """

    code: str
    table: str
    _: KW_ONLY
    found: str
    fix: str
    repairable: bool = False
    repair: str = ""

    def __post_init__(self) -> None:
        """Hide credentials: the texts name addresses."""
        for name in ("found", "fix", "repair"):
            object.__setattr__(self, name, without_credentials(getattr(self, name)))

    @property
    def is_repaired(self) -> bool:
        """Whether it was repaired."""
        return bool(self.repair)


@dataclass(frozen=True)
class Subject:
    """A table that is checked: the current table of a view, its quarantine, or a ledger.

    Args:
        name: The name of the view or of the ledger, or ``quarantine of`` the view.
        uri: The table's address.
        layout: The addresses of the tables.
        clock: Returns the present time.
        loaded: Returns the loaded definitions.
        view: The view; None for a ledger.
        record: The build; None for a ledger.
        builds: The newest record of each build of all views.
        runs: The recorded runs of the view.
        is_quarantine: Whether it is the quarantine of the view's table.
    """

    name: str
    uri: str
    _: KW_ONLY
    layout: Layout
    clock: Clock
    loaded: Callable[[], Manifest]
    view: FeatureView | None = None
    record: TableRecord | None = None
    builds: tuple[TableRecord, ...] = ()
    runs: tuple[RunRecord, ...] = ()
    is_quarantine: bool = False

    @cached_property
    def commits(self) -> tuple[CommitFile, ...]:
        """The files of all commits that Delta still needs or has, newest first."""
        return newest_commit_files(self.uri, _ALL)

    @cached_property
    def own_runs(self) -> tuple[RunRecord, ...]:
        """The recorded runs of this build."""
        table_id = None if self.record is None else self.record.table_id
        return tuple(run for run in self.runs if run.table_id == table_id)

    @cached_property
    def snapshot(self) -> Snapshot:
        """The newest version of the table.

        Raises:
            TableError: It does not open.
        """
        return open_snapshot(self.uri)

    def finding(self, code: str, found: str, fix: str, *, repairable: bool = False) -> Finding:
        """Return a finding of this table."""
        return Finding(code, self.name, found=found, fix=fix, repairable=repairable)

    @property
    def rebuild(self) -> str:
        """The command that builds the view again."""
        view = self.name if self.view is None else self.view.name
        return f"`featurestore materialize {view} --full`"


class Check(Protocol):
    """Looks at one table. It may raise an error where the table cannot be read."""

    def __call__(self, subject: Subject, /) -> Iterator[Finding]:
        """Yield what is wrong."""


class Repair(Protocol):
    """Repairs what one check finds. The caller holds the view's lock."""

    def __call__(self, subject: Subject, /) -> str:
        """Repair it, and return what was done; empty if it cannot be repaired."""
