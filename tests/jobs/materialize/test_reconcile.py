"""What a crashed run did not record is completed from the commits, also of a lost ledger."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from featurestore.jobs.materialize.reconcile import reconcile
from featurestore.store.commit import batch_commits
from featurestore.store.delta.log import record_notes
from featurestore.store.ledger.runs import RunStatus
from featurestore.store.ledger.tables import TableState
from tests.jobs.world import NOON, Store, stored_rows

RANGE = (NOON.isoformat(), (NOON + timedelta(days=1)).isoformat())


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("current", "done"),
        ("retired", "done"),
        ("repairing", "interrupted"),
        ("building", "interrupted"),
    ],
)
def test_a_run_on_a_table_that_readers_never_had_was_interrupted(
    shop: Store, state: TableState, status: RunStatus
) -> None:
    table = shop.build("t2", state)
    shop.run(stored_rows("b"), "t2")
    [commit] = batch_commits(shop.uri("t2"))
    notes = replace(commit.notes, run_id="repair", repair=RANGE, rows_in=0, rows_out=0)
    record_notes(shop.uri("t2"), notes.to_json())
    shutil.rmtree(shop.layout.runs())

    runs = {each.run_id: each for each in reconcile(shop.layout, [table], (), shop.now)}

    assert {(each.kind, each.status) for each in runs.values()} == {
        ("build", status),
        ("repair", status),
    }
    assert (runs["repair"].outcome.error is None) == (status == "done")
    assert runs["repair"].outcome.range_start == NOON
