"""Reports are kept for the next run, and used only in the same state."""

from pathlib import Path

from demo.measure import Score
from demo.memory import recall, remember
from demo.report import Grid, Report

REPORT = Report(
    "fraud",
    "fraud_v1",
    "payments",
    10,
    2,
    [Score("boosting", "ROC AUC", 5, 5, 0.5, 0.75, "a note")],
    [Grid("newest", ["card_id"], [["c1"]])],
    ("a remark",),
)


def test_a_report_comes_back_as_it_was(tmp_path: Path) -> None:
    remember(tmp_path, REPORT, "state 1")

    assert recall(tmp_path, "fraud", "state 1") == REPORT


def test_another_state_forgets_it(tmp_path: Path) -> None:
    remember(tmp_path, REPORT, "state 1")

    assert recall(tmp_path, "fraud", "state 2") is None


def test_another_domain_has_its_own(tmp_path: Path) -> None:
    remember(tmp_path, REPORT, "state 1")

    assert recall(tmp_path, "ecommerce", "state 1") is None
