"""What went wrong in a stream, told from Spark's exception and from those that caused it."""

import re
from collections.abc import Iterator
from typing import TypeAlias

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from featurestore.engines.spark.errors.mapping import mapped
from featurestore.engines.spark.errors.transport import reported
from featurestore.errors import FeatureStoreError, SourceError

SparkFailure: TypeAlias = PySparkException | Py4JError
"""What Spark raises: a plain SparkException of a task comes as Py4J's own error."""

# What failed inside a stream stands behind its wrappers, on the same line.
_CAUSE = re.compile(
    r"\[(?!STREAM_FAILED|FOREACH_BATCH_USER_FUNCTION_ERROR|PYTHON_EXCEPTION)[A-Z]+_[A-Z0-9_.]+\]"
)
_UNREADABLE = re.compile(r"FAILED_READ_FILE[^\]]*\] .*?reading file (\S+)\.\s")
_CAUSED_BY = re.compile(r"^Caused by: [\w.$]+: (.+)$", re.MULTILINE)
_CANCELLED = ("SPARK_JOB_CANCELLED", "cancelled as part of cancellation of all jobs")
_SQLSTATE = re.compile(r"\s*SQLSTATE: .*$")


def failure(error: SparkFailure, call: str) -> FeatureStoreError:
    """Return our error for one of Spark's: the one reported from inside, or what Spark means.

    Example:
        >>> inner = "[STREAM_FAILED] Query terminated: [DELTA_SCHEMA_CHANGED] Columns changed."
        >>> failure(PySparkException(inner), "materialize v").found
        'DELTA_SCHEMA_CHANGED: Columns changed'
    """
    known = reported(error)
    if known is not None:
        return known
    text = str(error)
    unreadable = _UNREADABLE.search(text)
    if unreadable:
        return _unreadable(call, unreadable[1], error)
    inner = _CAUSE.search(text)
    return mapped(PySparkException(text[inner.start() :]) if inner else error, call)


def is_cancelled(error: SparkFailure) -> bool:
    """Return whether Spark's jobs were cancelled from outside, as Ctrl-C does."""
    return any(sign in str(error) for sign in _CANCELLED)


def _unreadable(call: str, file: str, error: SparkFailure) -> SourceError:
    causes = [_first_line(text) for text in _causes(error)]
    return SourceError(
        call,
        f"file {file} cannot be read" + (f": {'; '.join(causes[-2:])}" if causes else ""),
        "Put a whole file in its place that has the declared columns, or correct the source's "
        "schema.",
    )


def _causes(error: BaseException | None) -> Iterator[str]:
    # Py4J's errors carry Java's trace in their text, PySpark's the causes as (private) objects.
    while error is not None:
        yield from _CAUSED_BY.findall(str(error))
        error = getattr(error, "_cause", None)
        if error is not None:
            yield str(error)


def _first_line(text: str) -> str:
    return _SQLSTATE.sub("", next(iter(text.strip().splitlines()), "")).rstrip(" .")[:300]
