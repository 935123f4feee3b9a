"""What materialize prints of its runs."""

import pytest

from featurestore.cli.produce import print_runs
from featurestore.jobs.materialize.job import RunResult


@pytest.mark.parametrize("as_json", [False, True])
def test_rows_that_name_no_event_are_told_on_stderr(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = RunResult("orders", run_id="r1", status="done", kind="run", null_unique_rows=3)
    plain = RunResult("cards", run_id="r2", status="done", kind="run")

    print_runs([odd, plain], as_json)

    assert capsys.readouterr().err.splitlines() == [
        "orders: 3 of the rows stored have a null in unique_by: of a key's, only the newest exists"
    ]
