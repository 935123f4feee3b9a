"""The pages of a view and of its features show its checks, and how often rows failed them."""

import json
from datetime import UTC, datetime

import pytest

from featurestore.store.ledger.runs import Outcome, RunRecord, Runs
from tests.site.conftest import Make, site_of
from tests.site.page import Page

pytest.importorskip("pandera")

CHECKED = """
import featurestore as fs
import pandera.polars as pa

card = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),))
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at")
checked = fs.FeatureView(
    "checked", entities=(card,), source=paid,
    schema=(fs.Field("amount", fs.Float64), fs.Field("city", fs.String)),
    expectations=fs.Expectations(
        pa.DataFrameSchema({
            "amount": pa.Column(float, pa.Check.gt(0), nullable=True),
            "city": pa.Column(str, pa.Check.isin(["Oslo"]), nullable=True),
        }),
        max_bad_share=0.1, severity={"city:isin": "warn"},
    ),
)
"""
HEAD = ["check", "if a row fails", "failed rows", "in runs", "last"]


def test_a_feature_shows_the_checks_of_its_column_with_what_failed(make_store: Make) -> None:
    store = make_store(CHECKED)
    names = [check.name for check in store.applied().views[0].expectations.checks]
    (of_amount,) = (name for name in names if name.startswith("amount:g"))
    for number, failed in enumerate((2, 3, 0)):
        at = datetime(2026, 3, 1 + number, 9, 30, tzinfo=UTC)
        failures = {of_amount: failed} if failed else {}
        outcome = Outcome(
            rows_in=9, rows_out=9 - failed, rows_quarantined=failed, failures=failures
        )
        own = {"view": "checked", "table_id": "t1", "kind": "run", "ended_at": at}
        Runs(store.layout).record(
            RunRecord(f"r{number}", status="done", started_at=at, outcome=outcome, **own)
        )

    site = site_of(store)

    amount = json.loads(site["api/v1/features/checked/amount.json"])["expectations"]
    city = json.loads(site["api/v1/features/checked/city.json"])["expectations"]
    row = next(each for each in amount if each["name"] == of_amount)
    assert (row["failed_rows"], row["failed_runs"]) == (5, 2)
    assert row["last_failed_at"] == "2026-03-02T09:30:00Z"
    assert of_amount not in {each["name"] for each in city}
    assert {each["severity"] for each in city if each["name"] == "city:isin"} == {"warn"}
    shown = next(
        table for table in Page(site["features/checked/amount.html"]).tables if table[0] == HEAD
    )
    assert ["5", "2", "2026-03-02 09:30 UTC"] in [line[2:] for line in shown[1:]]
