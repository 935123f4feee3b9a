"""The error of a materialization in which a view failed."""

import pickle

import pytest

from featurestore.errors import MaterializationError, SourceError
from featurestore.jobs.materialize.job import RunResult, require_success

DONE = RunResult("a", run_id="r1", status="done", kind="run", rows_out=3)
NOTHING = RunResult("b", run_id="r2", status="nothing", kind="run")
FAILED = RunResult(
    "c",
    run_id="r3",
    status="failed",
    kind="run",
    message="it is empty. Add rows.",
    error=SourceError("materialize view 'c'", "it is empty", "Add rows."),
)
SKIPPED = RunResult("d", run_id="r4", status="skipped", kind="run", message="skipped: c failed")


def test_views_that_succeeded_raise_nothing() -> None:
    require_success([DONE, NOTHING])


def test_a_failure_is_raised_after_all_views_with_their_results() -> None:
    results = [DONE, FAILED, NOTHING, SKIPPED]

    with pytest.raises(MaterializationError) as raised:
        require_success(results)

    assert raised.value.results == results
    assert raised.value.__cause__ is None
    assert "2 of 4 views failed ('c', 'd')" in raised.value.found
    copied = pickle.loads(pickle.dumps(raised.value))
    assert [result.view for result in copied.results] == ["a", "c", "b", "d"]
    assert str(copied) == str(raised.value)
