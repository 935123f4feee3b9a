"""Whether a view's ``latest`` table has the newest rows and definition; read without Spark."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from featurestore.definitions.code.fingerprint import digest
from featurestore.definitions.model.view import FeatureView
from featurestore.query.compile import compile_view
from featurestore.store.commit import newest_rows
from featurestore.store.delta.log import newest_commits
from featurestore.store.layout import Layout

LATEST_SCHEMA = "featurestore.latest/1"
_RECENT_COMMITS = 20

Staleness = Literal["", "missing", "rows", "definition"]


def latest_notes(layout: Layout, view: FeatureView, table_id: str) -> dict[str, object]:
    """Return the notes that a ``latest`` table made now has in its commit, without the moment.

    Args:
        layout: The addresses of the tables.
        view: The view.
        table_id: The build of the view's table.
    """
    # The version of the newest rows: a compaction makes a version without new rows.
    batch = newest_rows(layout.features(view.name, table_id))
    return {
        "schema": LATEST_SCHEMA,
        "view": view.name,
        "table_id": table_id,
        "source_version": 0 if batch is None else batch.version,
        "query": digest(repr(compile_view(view))),
    }


def is_fresh(layout: Layout, view: FeatureView, table_id: str) -> bool:
    """Return whether the view's ``latest`` table has the newest version of rows and definition.

    Args:
        layout: The addresses of the tables.
        view: The view.
        table_id: The build of the view's table.
    """
    return not staleness(layout, view, table_id)


def staleness(layout: Layout, view: FeatureView, table_id: str) -> Staleness:
    """Return what the view's ``latest`` table lacks; ``""`` if it lacks nothing.

    Args:
        layout: The addresses of the tables.
        view: The view.
        table_id: The build of the view's table.

    Returns:
        ``"missing"`` without a table, ``"rows"`` if rows came since, and ``"definition"`` if only
        the view's features, such as its windows, have changed since.
    """
    last = last_refresh(layout.latest(view.name))
    if last is None:
        return "missing"
    wanted = latest_notes(layout, view, table_id)
    recorded = {name: last.notes.get(name) for name in wanted}
    if recorded == wanted:
        return ""
    return "definition" if recorded | {"query": wanted["query"]} == wanted else "rows"


@dataclass(frozen=True)
class LastRefresh:
    """The newest refresh of a ``latest`` table.

    Args:
        version: The Delta version that it has made.
        notes: The notes of its commit.
    """

    version: int
    notes: Mapping[str, object]

    @property
    def as_of(self) -> datetime | None:
        """The moment of its answers; None if the notes do not say."""
        try:
            moment = datetime.fromisoformat(str(self.notes.get("as_of")))
        except ValueError:
            return None
        return moment if moment.tzinfo is not None else None


def last_refresh(latest: str) -> LastRefresh | None:
    """Return the newest refresh of a ``latest`` table; None without one.

    Args:
        latest: Its address.

    Example:
        >>> last_refresh("no/such/table") is None
        True
    """
    newest = newest_commits(latest, _RECENT_COMMITS)
    # Clean-ups of the table commit without notes.
    noted = [each for each in newest if each.notes.get("schema") == LATEST_SCHEMA]
    return LastRefresh(noted[-1].version, noted[-1].notes) if noted else None
