"""The sentences of a run's result have its numbers and names."""

from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.materialize.messages import run_summary, skip_reason, upstream_note
from featurestore.store.ledger.runs import Outcome


def test_the_summary_has_the_counts_and_the_columns_with_nulls() -> None:
    did = Outcome(
        rows_in=1500,
        rows_out=1400,
        rows_quarantined=100,
        failures={"null_key": 99, "amount:in_range": 1000},
        null_unique_rows=1200,
    )

    summary, null_unique = run_summary(did, 3, ("order_id", "line")).split("; ")

    assert (
        summary == "stored 1,400 of 1,500 rows as version 3, "
        "quarantined 100 (amount:in_range 1,000, null_key 99)"
    )
    assert null_unique.startswith("1,200 ")
    assert "order_id, line" in null_unique


def test_rows_that_are_stored_with_a_warning_are_not_counted_as_quarantined() -> None:
    did = Outcome(rows_in=9, rows_out=6, rows_quarantined=3, failures={"a:isin": 5, "b:ge": 3})

    quarantined, warned = run_summary(did, 0, (), warnings=("a:isin",)).split(", ")[1:]

    assert ("b:ge 3" in quarantined, "a:isin" in quarantined) == (True, False)
    assert ("a:isin 5" in warned, "b:ge" in warned) == (True, False)


def test_the_summary_has_only_what_happened() -> None:
    did = Outcome(rows_in=2, rows_out=2)

    assert run_summary(did, 0, ("order_id",)) == "stored 2 of 2 rows as version 0"
    assert upstream_note("payments", None) == ""


def test_a_skipped_view_names_its_upstream_view_and_does_not_repeat_its_message() -> None:
    failed = RunResult(
        "spending", run_id="r1", status="failed", kind="run", message="it is empty."
    )

    assert "'spending'" in skip_reason(failed)
    assert failed.message not in skip_reason(failed)
