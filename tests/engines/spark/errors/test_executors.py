"""Problems of executors, read from texts of Spark."""

import pytest

from featurestore.engines.spark.errors.executors import executor_problem
from featurestore.errors import FeatureStoreError, MaterializationError, SetupError

TASK = (
    "Job aborted due to stage failure: Task 0 in stage 3.0 failed 4 times, most recent failure: "
)
LOST = (
    f"{TASK}Lost task 0.3 in stage 3.0 (TID 9) (10.0.0.7): ExecutorLostFailure (executor "
    "5 exited caused by one of the running tasks) Reason: Command exited with code 137\nDriver "
    "stacktrace:"
)
NO_PACKAGE = (
    'Traceback (most recent call last):\n  File "worker.py", line 9, in main\n'
    "ModuleNotFoundError: No module named 'deltalake._internal'\n"
)
NO_PYARROW = (
    "[PACKAGE_NOT_INSTALLED] PyArrow >= 18.0.0 must be installed; however, it was not found."
)
NO_PYTHON = 'java.io.IOException: Cannot run program "/opt/py/bin/python": error=2, No such file'


@pytest.mark.parametrize(
    ("text", "kind", "named"),
    [
        (LOST, MaterializationError, "4 times: Command exited with code 137"),
        (NO_PACKAGE, SetupError, "'deltalake'"),
        (NO_PYARROW, SetupError, "'pyarrow'"),
        (NO_PYTHON, SetupError, "/opt/py/bin/python"),
        ("Python worker exited unexpectedly (crashed)", MaterializationError, "Python"),
        ("Master removed our application: FAILED\n\tat x", SetupError, "application: FAILED"),
        ("Cannot call methods on a stopped SparkContext.", SetupError, "stopped SparkContext"),
    ],
)
def test_each_problem_has_an_error_of_its_kind(
    text: str, kind: type[FeatureStoreError], named: str
) -> None:
    problem = executor_problem(text, "materialize 'v'", MaterializationError)

    assert type(problem) is kind
    assert problem.call == "materialize 'v'"
    assert named in problem.found
    assert problem.fix


def test_a_package_that_this_python_lacks_too_is_no_problem_of_executors() -> None:
    text = NO_PACKAGE.replace("deltalake._internal", "no_such_package_anywhere")

    assert executor_problem(text, "materialize 'v'", MaterializationError) is None


def test_an_error_of_a_value_is_no_problem_of_executors() -> None:
    text = "[CAST_INVALID_INPUT] The value 'x' of the type STRING cannot be cast to INT."

    assert executor_problem(text, "materialize 'v'", MaterializationError) is None
