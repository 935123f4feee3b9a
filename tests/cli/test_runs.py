"""The runs that `materialize` prints."""

import pytest

from featurestore.cli.produce import print_runs
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
