"""The repair of a range on the command line: what would be replaced, and wrong options."""

import json
from datetime import UTC, datetime

import pytest

from featurestore.cli.produce import print_repairs
from featurestore.jobs.repair.plan import RepairPlan

PLAN = RepairPlan(
    "spending",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 2, 1, tzinfo=UTC),
    rows=7,
    rows_kept=11,
    files=2,
    bytes=2048,
    source_version=3,
    source_changed=True,
    rebuilt=("copied", "copied_twice"),
)


def test_a_dry_run_shows_what_would_be_replaced(capsys):
    print_repairs([PLAN], as_json=True)
    (repair,) = json.loads(capsys.readouterr().out)["repairs"]
    print_repairs([PLAN], as_json=False)
    table = capsys.readouterr().out

    assert (repair["start"], repair["end"]) == (
        "2026-01-01T00:00:00+00:00",
        "2026-02-01T00:00:00+00:00",
    )
    assert (repair["rows"], repair["rows_kept"], repair["files"]) == (7, 11, 2)
    assert repair["rebuilt"] == ["copied", "copied_twice"]
    assert all(text in table for text in ("7", "11", "2048", "changed", "copied_twice"))


def test_a_dry_run_of_a_view_that_no_run_has_built_is_refused(run, filled):
    times = ("--start", "1970-01-01", "--end", "1970-02-01", "--dry-run")

    code, out, err = run("materialize", "profile", *times, "-p", filled.settings.folder)

    assert (code, out) == (2, "")
    assert "materialize profile" in err


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--end", "2026-02-01"), "start"),
        (("--start", "2026-02-01", "--end", "2026-01-01"), "start"),
        (("--start", "2026-02-01", "--end", "2026-02-01"), "empty"),
        (("--start", "2999-01-01", "--end", "2999-02-01"), "future"),
        (("--start", "2026-01-01T00:00:00", "--end", "2026-02-01"), "zone"),
        (("--start", "2026-01-01", "--end", "2026-02-01", "--full"), "full"),
        (("--start", "2026-01-01", "--end", "2026-02-01", "--due"), "due"),
        (("--start", "2026-01-01", "--end", "2026-02-01", "--latest"), "--end"),
    ],
)
def test_options_that_do_not_fit_are_refused(run, filled, options, word):
    (view, *_) = [each.view for each in filled.status()]

    code, out, err = run("materialize", view, *options, "-p", filled.settings.folder)

    assert (code, out) == (2, "")
    assert word in err
