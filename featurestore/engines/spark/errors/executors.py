"""Errors of a cluster's executors: what they lack, and what ended them."""

import re
from importlib.util import find_spec

from featurestore.errors import FeatureStoreError, SetupError

Kind = type[FeatureStoreError]

_MISSING = re.compile(
    r"ModuleNotFoundError: No module named '([\w.]+)'|\[PACKAGE_NOT_INSTALLED\] (\w+)"
)
_NO_PYTHON = re.compile(r'Cannot run program "([^"]+)"')
_LOST = re.compile(r"ExecutorLostFailure \(executor \S+ exited[^)]*\)(?: Reason: ([^\n]+))?")
_TIMES = re.compile(r"failed (\d+) times")
_CRASHED = "Python worker exited unexpectedly"
PYTHON_TOO_SLOW = "Python worker failed to connect back"
"""The beginning of Spark's text if a Python process did not start in time."""

_NO_CLUSTER = re.compile(
    r"Master removed our application[^\n]*|All masters are unresponsive[^\n]*"
    r"|SparkContext was shut ?down|stopped SparkContext|after failing to register with any master"
)
_INSTALL = (
    "Install featurestore, of the same version as here, with its packages in the Python of every "
    "executor: `pip install 'featurestore[spark]'`. Or name a Python that has them by "
    "spark.pyspark.python in the Spark settings (the variable PYSPARK_PYTHON for a session of "
    "your own), or send one with spark.archives."
)
_NAME = (
    "Name a Python that every executor has by spark.pyspark.python in the Spark settings; for a "
    "session of your own, set the variable PYSPARK_PYTHON before it starts."
)
_MORE_MEMORY = (
    "Most executors end for lack of memory. Raise spark.executor.memory; if Python needs it, as "
    "in retrieval and UDFs, raise spark.executor.memoryOverhead. The page of the cluster has the "
    "executors' logs. Then run the same command again: what was committed is not done again."
)
_BUSY = (
    "The machine is busy, or its Python cannot import PySpark: see Spark's log there. Then run "
    "the same command again."
)
_LOOK = (
    "Check that the master of spark.master runs, and that the executors reach the driver at "
    "spark.driver.host. The logs of the executors, on the page of the cluster, say why they "
    "ended. Then start a new Python process, and run the same command again."
)


def executor_problem(text: str, call: str, kind: Kind) -> FeatureStoreError | None:
    """Return the error for a problem of executors in the text of Spark's exception, or None.

    Args:
        text: The text, with the Python traceback of a task if there is one.
        call: The operation for the message.
        kind: The error for executors that were lost.

    Example:
        >>> text = "ModuleNotFoundError: No module named 'pyarrow.lib'"
        >>> executor_problem(text, "materialize v", SetupError).found
        "the Python of Spark's executors has no package 'pyarrow'"
    """
    missing = _MISSING.search(text)
    if missing and (package := _here(missing[1] or missing[2])):
        found = f"the Python of Spark's executors has no package {package!r}"
        return SetupError(call, found, _INSTALL)
    if no_python := _NO_PYTHON.search(text):
        found = f"an executor cannot start its Python: it has no program {no_python[1]}"
        return SetupError(call, found, _NAME)
    if lost := _LOST.search(text):
        times = _TIMES.search(text)
        found = (
            f"executors were lost while they ran a task, {times[1] if times else 'several'} times"
        )
        return kind(call, f"{found}: {(lost[1] or 'no reason given').strip()}", _MORE_MEMORY)
    if PYTHON_TOO_SLOW in text:
        return kind(call, "Spark's Python did not start within 10 seconds", _BUSY)
    if _CRASHED in text:
        return kind(call, "the Python of a task ended unexpectedly", _MORE_MEMORY)
    if gone := _NO_CLUSTER.search(text):
        return SetupError(call, f"the cluster has ended the session: {gone[0]}", _LOOK)
    return None


def _here(module: str) -> str:
    """Return the package of a module if this Python has it; ``""`` if not.

    A module that is missing here too is a mistake of the user's code, not of the executors.
    """
    package = module.partition(".")[0].lower()
    return package if find_spec(package) is not None else ""
