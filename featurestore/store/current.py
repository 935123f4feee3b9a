"""A view's current table, or the reason why it has none: resolved here for every caller."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.view import FeatureView
from featurestore.store.delta.log import is_table
from featurestore.store.file_system import list_folders
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import TableRecord


@dataclass(frozen=True)
class CurrentTable:
    """The table that readers of a view see.

    Args:
        record: Its build, as the ledger records it.
        uri: Its address.
        state: ``"current"``; ``"changed"`` if the view was changed since the table was built;
            ``"outdated"`` if the table is made of an older table of its upstream view.
    """

    record: TableRecord
    uri: str
    state: Literal["current", "changed", "outdated"]


@dataclass(frozen=True)
class NoTable:
    """A view that readers find no table of.

    Args:
        state: ``"never materialized"``, or ``"building"`` if its first build has not ended.
    """

    state: Literal["never materialized", "building"]


def unrecorded_builds(layout: Layout, view: str, records: Iterable[TableRecord]) -> str | None:
    """Return that a view has tables and the ledger of builds has no record of it, as a clause.

    None is returned if the ledger has a record, or if there is no table.

    Args:
        layout: The addresses of the tables.
        view: The view's name.
        records: The newest record of each build, by `Tables.records`.

    Example:
        >>> unrecorded_builds(Layout("no/such/root"), "payments", ()) is None
        True
    """
    if any(record.view == view for record in records):
        return None
    folder = layout.builds(view)
    if not any(is_table(f"{folder}/{name}") for name in list_folders(folder)):
        return None
    return f"the ledger {layout.tables()} has no record of the tables in {folder}"


class CurrentTables:
    """The current table of each view, by one reading of the ledger of builds.

    Args:
        layout: The addresses of the tables.
        records: The newest record of each build, by `Tables.records`.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="data/paid", timestamp_field="at")
        >>> view = FeatureView("payments", entities=(), source=paid, schema=())
        >>> CurrentTables(Layout("store/demo"), records=()).of(view)
        NoTable(state='never materialized')
    """

    def __init__(self, layout: Layout, records: Iterable[TableRecord]) -> None:
        self._layout = layout
        records = tuple(records)
        self._ended = [each for each in records if each.state in ("current", "retired")]
        # Records are in the order of their sequence, so the last of each state is the newest.
        self._newest = {(record.view, record.state): record for record in records}

    def of(self, view: FeatureView) -> CurrentTable | NoTable:
        """Return the view's current table, or why it has none."""
        record = self._newest.get((view.name, "current"))
        if record is None:
            building = (view.name, "building") in self._newest
            return NoTable("building" if building else "never materialized")
        uri = self._layout.features(view.name, record.table_id)
        if record.fingerprint != table_fingerprint(view):
            return CurrentTable(record, uri, "changed")
        is_newest = record.upstream == self._upstream_build(view)
        return CurrentTable(record, uri, "current" if is_newest else "outdated")

    def answering(self, view: FeatureView) -> CurrentTable | NoTable:
        """Return the table that answers a view by this definition.

        A build may end between a reader's look at the definitions and at the tables. The retired
        table, which fits the reader's definition, is still there.

        Args:
            view: The view, by the definition that the answer follows.
        """
        table = self.of(view)
        if isinstance(table, NoTable) or table.state != "changed":
            return table
        own = view.name, table_fingerprint(view)
        for record in reversed(self._ended):
            if (record.view, record.fingerprint) == own:
                uri = self._layout.features(view.name, record.table_id)
                return CurrentTable(record, uri, "current")
        return table

    def _upstream_build(self, view: FeatureView) -> str | None:
        """Return the upstream view's current build; None without one, or without such a view."""
        if not isinstance(view.source, FeatureView):
            return None
        record = self._newest.get((view.source.name, "current"))
        return None if record is None else record.table_id
