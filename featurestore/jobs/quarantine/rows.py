"""The rows in a view's quarantine."""

from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import NotFoundError, nearest
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.store.quarantine import QuarantinedRow, read_quarantine


def quarantined_rows(layout: Layout, applied: Manifest, view: str) -> list[QuarantinedRow]:
    """Return the rows in the quarantine of a view's current build, by the time of their runs.

    Before the first build has ended, these are the rows of that build.

    Args:
        layout: The addresses of the tables.
        applied: The applied definitions.
        view: The view's name.

    Raises:
        NotFoundError: The view is not applied, or was never materialized.
    """
    return read_quarantine(layout, build_of(layout, applied, view, f"quarantine({view!r})"))


def build_of(layout: Layout, applied: Manifest, view: str, call: str) -> TableRecord:
    """Return a view's current build, or its first one that has not ended.

    Args:
        layout: The addresses of the tables.
        applied: The applied definitions.
        view: The view's name.
        call: The operation, for messages.

    Raises:
        NotFoundError: The view is not applied, or was never materialized.
    """
    if applied.view(view) is None:
        names = [each.name for each in applied.views]
        raise NotFoundError(call, f"no view {view!r} is applied", nearest(view, names))
    tables = Tables(layout)
    record = tables.current(view) or tables.building(view)
    if record is None:
        raise NotFoundError(
            call,
            f"view {view!r} was never materialized",
            f"Run `featurestore materialize {view}`.",
        )
    return record
