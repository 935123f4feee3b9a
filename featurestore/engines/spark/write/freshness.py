"""Whether a view's ``latest`` table has the newest rows and definition; read without Spark."""

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
    newest = newest_commits(layout.latest(view.name), _RECENT_COMMITS)
    # Clean-ups of the table commit without notes.
    noted = [commit.notes for commit in newest if commit.notes.get("schema") == LATEST_SCHEMA]
    if not noted:
        return "missing"
    recorded = {name: value for name, value in noted[-1].items() if name != "as_of"}
    wanted = latest_notes(layout, view, table_id)
    if recorded == wanted:
        return ""
    return "definition" if recorded | {"query": wanted["query"]} == wanted else "rows"
