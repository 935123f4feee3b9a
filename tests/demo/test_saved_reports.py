"""Reports are saved for the next run, and read only with the same digest."""

from pathlib import Path

from demo.measure import Score
from demo.report import Grid, Report
from demo.saved_reports import read_report, save_report

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


def test_a_saved_report_is_read_unchanged(tmp_path: Path) -> None:
    save_report(tmp_path, REPORT, "digest 1")

    assert read_report(tmp_path, "fraud", "digest 1") == REPORT


def test_a_report_with_another_digest_is_not_read(tmp_path: Path) -> None:
    save_report(tmp_path, REPORT, "digest 1")

    assert read_report(tmp_path, "fraud", "digest 2") is None


def test_each_domain_has_its_own_report(tmp_path: Path) -> None:
    save_report(tmp_path, REPORT, "digest 1")

    assert read_report(tmp_path, "ecommerce", "digest 1") is None
