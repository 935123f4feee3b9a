"""The cause of a failed stream, found in Spark's exception and in the exceptions behind it."""

import re
from collections.abc import Iterator
from typing import TypeAlias

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from featurestore.engines.spark.errors.mapping import mapped
from featurestore.engines.spark.errors.transport import received_error
from featurestore.errors import FeatureStoreError, SourceError

SparkFailure: TypeAlias = PySparkException | Py4JError
"""An exception of Spark: a plain SparkException of a task comes as Py4J's own error."""

# The cause comes after the names of its wrappers, on the same line.
_CAUSE = re.compile(
    r"\[(?!STREAM_FAILED|FOREACH_BATCH_USER_FUNCTION_ERROR|PYTHON_EXCEPTION|TASK_WRITE_FAILED)[A-Z]+_[A-Z0-9_.]+\]"
)
_UNREADABLE = re.compile(r"FAILED_READ_FILE[^\]]*\] .*?reading file (\S+)\.\s")
_CAUSED_BY = re.compile(r"^Caused by: [\w.$]+: (.+)$", re.MULTILINE)
_CANCELLED = ("SPARK_JOB_CANCELLED", "cancelled as part of cancellation of all jobs")
_SQLSTATE = re.compile(r"\s*SQLSTATE: .*$")


def failure(error: SparkFailure, call: str, view: str = "VIEW") -> FeatureStoreError:
    """Return featurestore's error for a failed stream or batch.

    Args:
        error: Spark's exception.
        call: The operation for the message.
        view: The view's name for commands in the message.

    Example:
        >>> inner = "[STREAM_FAILED] Query terminated: [DELTA_SCHEMA_CHANGED] Columns changed."
        >>> failure(PySparkException(inner), "materialize v").found
        'DELTA_SCHEMA_CHANGED: Columns changed'
    """
    received = received_error(error, call)
    if received is not None:
        return received
    text = str(error)
    unreadable = _UNREADABLE.search(text)
    if unreadable:
        return _unreadable(call, unreadable[1], error, view)
    cause = _CAUSE.search(text)
    known = PySparkException(text[cause.start() :]) if cause else error
    return mapped(known, call, view=view, is_stream=True)


def is_cancelled(error: SparkFailure) -> bool:
    """Return whether somebody cancelled Spark's jobs, as Ctrl-C does.

    Jobs that featurestore itself cancels, because the cluster has no executor, say why.
    """
    is_own = received_error(error) is not None
    return not is_own and any(sign in str(error) for sign in _CANCELLED)


def _unreadable(call: str, file: str, error: SparkFailure, view: str) -> SourceError:
    causes = [_first_line(text) for text in _causes(error)]
    return SourceError(
        call,
        f"file {file} cannot be read" + (f": {'; '.join(causes[-2:])}" if causes else ""),
        # A file that is corrected in its place counts as changed: a run has begun to read it.
        "Move it out of the source's folder, and put a correct file there under another name. Or "
        "correct it in its place, or the source's schema, and rebuild the view with "
        f"`featurestore materialize {view} --full`.",
    )


def _causes(error: BaseException | None) -> Iterator[str]:
    # Py4J's errors have Java's stack trace in their text; PySpark's have their causes as private
    # attributes.
    while error is not None:
        yield from _CAUSED_BY.findall(str(error))
        error = getattr(error, "_cause", None)
        if error is not None:
            yield str(error)


def _first_line(text: str) -> str:
    return _SQLSTATE.sub("", next(iter(text.strip().splitlines()), "")).rstrip(" .")[:300]
