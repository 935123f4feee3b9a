"""A run says which rows it left out, and which of those that it stored name no event."""

from featurestore.jobs.materialize.messages import run_summary
from featurestore.store.ledger.runs import Outcome


def test_rows_with_a_null_in_unique_by_are_told_with_what_becomes_of_them() -> None:
    did = Outcome(rows_in=1500, rows_out=1400, null_rows=100, null_unique_rows=1200)

    assert run_summary(did, 3, ("order_id", "line")) == (
        "stored 1,400 of 1,500 rows as version 3, left out 100 with a null key or time; 1,200 "
        "have a null in order_id, line: of these, only the newest row of each key exists"
    )
    assert run_summary(Outcome(rows_in=2, rows_out=2), 0, ("order_id",)) == (
        "stored 2 of 2 rows as version 0"
    )
