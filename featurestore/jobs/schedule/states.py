"""The state of a project's schedules, read from its ledgers. It needs no Spark."""

from datetime import datetime

from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import RequestError
from featurestore.jobs.schedule.due import ViewSchedule, schedules
from featurestore.query.selection import Selection, selected_views, selection_text
from featurestore.store.current import CurrentTables
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables


def due(
    applied: Manifest, layout: Layout, now: datetime, views: Selection | None = None
) -> list[ViewSchedule]:
    """Return the state of each view that has a schedule, each after the views it derives from.

    Args:
        applied: The applied definitions.
        layout: The addresses of the tables.
        now: The present moment.
        views: Views, or services for all views that they need; None for all applied views.

    Raises:
        NotFoundError: A view is not applied.
        RequestError: None of the views has a schedule.
    """
    call = f"due({'' if views is None else selection_text(views)})"
    chosen = applied.views if views is None else selected_views(applied, views, call)
    names = {view.name for view in chosen}
    tables = CurrentTables(layout, Tables(layout).records())
    states = schedules(applied.views, tables, Runs(layout).records(), now)
    states = [state for state in states if state.view in names]
    if not states:
        raise RequestError(
            call,
            f"no applied view {'' if views is None else 'of these '}has a schedule",
            "Add schedule='*/15 * * * *' to a view and run `featurestore apply`. Or materialize "
            "without --due (due=True), which runs views now.",
        )
    return states
