"""The runs that `materialize` prints."""

import json

import pytest

from featurestore.cli.produce import print_runs
from featurestore.errors import SourceError
from featurestore.jobs.materialize.job import RunResult


@pytest.mark.parametrize("as_json", [False, True])
def test_nulls_in_unique_by_are_a_warning_on_stderr(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with_nulls = RunResult("orders", run_id="r1", status="done", kind="run", null_unique_rows=3)
    without_nulls = RunResult("cards", run_id="r2", status="done", kind="run")

    print_runs([with_nulls, without_nulls], as_json)

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("orders: 3 stored rows have a null in unique_by")


def test_json_has_the_parts_of_a_failed_runs_error(capsys: pytest.CaptureFixture[str]) -> None:
    error = SourceError("materialize view 'orders'", "the source is empty", "Add rows to it.")
    failed = RunResult("orders", run_id="r1", status="failed", kind="build", error=error)

    print_runs([failed], as_json=True)

    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["view"], run["status"]) == ("orders", "failed")
    assert run["error"] == {
        "type": "SourceError",
        "call": "materialize view 'orders'",
        "found": "the source is empty",
        "fix": "Add rows to it.",
    }
