"""The time that jobs wait for executors."""

import pytest

from featurestore.engines.spark.errors.transport import received_error, sent_text
from featurestore.engines.spark.errors.unwrap import is_cancelled
from featurestore.engines.spark.session.executors import TIMEOUT, WaitingJobs, timeout_seconds
from featurestore.errors import ProjectError, SetupError


@pytest.mark.parametrize("text", ["120", "2 minutes", "-1s", "2.5m"])
def test_a_time_that_is_no_duration_is_refused_with_the_setting(text: str) -> None:
    with pytest.raises(ProjectError) as refused:
        timeout_seconds({TIMEOUT: text})

    assert TIMEOUT in refused.value.call
    assert text in refused.value.found


def test_a_job_that_is_cancelled_for_a_reason_of_ours_was_not_interrupted_by_the_user() -> None:
    reason = SetupError("run jobs", "there is no executor", "Start workers.")
    error = Exception(f"[SPARK_JOB_CANCELLED] Job 7 cancelled {sent_text(reason)} SQLSTATE: XXKDA")

    assert str(received_error(error)) == str(reason)
    assert not is_cancelled(error)  # type: ignore[arg-type]  # its text alone counts
    assert is_cancelled(Exception("[SPARK_JOB_CANCELLED] Job 7 cancelled"))  # type: ignore[arg-type]  # as above


def test_a_job_that_begins_after_another_was_cancelled_may_wait_as_long() -> None:
    waiting = WaitingJobs(120.0)

    assert waiting.overdue([1], 0.0) == []
    assert waiting.overdue([1], 119.0) == []
    assert waiting.overdue([1, 2], 120.0) == [1]
    assert waiting.overdue([2, 3], 121.0) == []
    assert waiting.overdue([2, 3], 240.0) == [2]
    assert waiting.overdue([], 240.5) == []  # executors have come
    assert waiting.overdue([3], 241.0) == []
