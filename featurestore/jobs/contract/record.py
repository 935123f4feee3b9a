"""The record of accepted columns where a run has stored no row: a commit without rows."""

from dataclasses import replace

from featurestore.definitions.model.view import FeatureView
from featurestore.jobs.contract.check import Accepted, recorded_columns
from featurestore.store.commit import newest_batch
from featurestore.store.delta.log import record_notes
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import TableRecord


def record_columns(
    layout: Layout, view: FeatureView, table: TableRecord, run_id: str, accepted: Accepted
) -> None:
    """Record the columns that a run accepted, unless a batch of it has done so.

    The columns are in the notes of each batch. A source whose columns have changed may have no new
    row, and the next run must know all the same that they were accepted. Nothing is recorded for a
    table without a batch, whose first one will do so.

    Args:
        layout: The addresses of the tables.
        view: The view.
        table: The build of its table.
        run_id: The run.
        accepted: What the run accepted.
    """
    if accepted.columns is None or view.schema_contract == "ignore":
        return
    uri = layout.features(view.name, table.table_id)
    newest = newest_batch(uri)
    if newest is None or recorded_columns(layout, view, [table]) == accepted.columns:
        return
    notes = replace(
        newest.notes,
        run_id=run_id,
        rows_in=0,
        rows_out=0,
        null_rows=0,
        null_unique_rows=0,
        rows_quarantined=0,
        failures={},
        max_event_timestamp=None,
        repair=None,
        rows_copied=0,
        bad_rows_copied=0,
        source_columns=accepted.recorded,
        source_name=view.source.name,
    )
    record_notes(uri, notes.to_json())
