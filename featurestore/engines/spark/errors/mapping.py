"""The mapping of every exception of PySpark, Py4J and Delta to one of featurestore's errors.

A message shows Spark's error class and its first sentence, never the Java stack trace. The stack
trace is in the session's log.
"""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError, Py4JNetworkError
from pyspark.errors import PySparkException

from featurestore.engines.spark.errors.executors import executor_problem
from featurestore.engines.spark.errors.position import position_in, query_position
from featurestore.engines.spark.errors.transport import received_error
from featurestore.errors import (
    ConflictError,
    DefinitionError,
    FeatureStoreError,
    MaterializationError,
    SetupError,
    SourceError,
    SpineError,
    StorageError,
    TableError,
)
from featurestore.store.failures.object_store import object_store_problem

Kind = type[FeatureStoreError]

_MEMORY = "Raise spark.driver.memory in the Spark settings, or build in smaller batches."
_REBUILD = (
    "Rebuild the view with `featurestore materialize VIEW --full`. "
    "A source whose rows are updated or deleted in place needs `change_feed=True`; a source that "
    "appends revisions of a row needs `unique_by`."
)
_CHANGED_ROWS = (
    "Compute the range of event time with these rows again: "
    "`featurestore materialize VIEW --start ... --end ...`. Or rebuild the view"
    + _REBUILD.removeprefix("Rebuild the view")
)
_PATH = "Check the path, and that this machine can reach it."
_WRITABLE = "Check the path, and that Spark's user can write there."
_AGAIN = "Nothing was written: run the same command again."
_SQL = "Correct the view's transform or fields."
_VALUE = "Correct the value in the source, or use try_cast in the view's transform."
_DAMAGED = (
    "Restore the file. If it was rewritten on purpose, rebuild the view with "
    "`featurestore materialize VIEW --full`."
)
_SPINE = "Restore the file, or write the rows of the spine again."
_READER = "Write the table without that feature."
_CHECKPOINT = (
    "Remove the folder of the stream's checkpoint: the stream goes on after the last commit. "
    "Or rebuild the view with `featurestore materialize VIEW --full`."
)
_REPLACED = (
    "Rebuild the view from the source's present rows with `featurestore materialize VIEW --full`. "
    "Or put back the table that was read before."
)
_FUNCTION = (
    "Correct the function, or the rows of the source that it does not expect. Spark's full "
    "message is in .featurestore/spark.log in the project's folder."
)
_SAME_PYTHON = (
    "Name a Python of the driver's version by spark.pyspark.python in the Spark settings; for a "
    "session of your own, set the variable PYSPARK_PYTHON before it starts."
)
_NO_S3 = 'No FileSystem for scheme "s3'
# The class names of Hadoop's s3a and of Amazon's client in Java's stack trace.
_OF_S3A = re.compile(r"hadoop\.fs\.s3a\.|software\.amazon\.awssdk\.")
_S3 = (
    "Run `featurestore setup --with s3`, then the same command again in a new process. For a "
    "session of your own, build it with featurestore.spark_config() afterwards."
)
_OTHER = "See .featurestore/spark.log in the project's folder for Spark's full message."

_AT_LAST = " If a run fails again and again: `featurestore materialize VIEW --full`."

# By the beginning of Spark's or Delta's error class. The first entry that fits is used.
_CONDITIONS: tuple[tuple[str, Kind, str], ...] = (
    ("DELTA_SOURCE_TABLE_IGNORE_CHANGES", SourceError, _CHANGED_ROWS),
    ("DELTA_SOURCE_IGNORE_DELETE", SourceError, _CHANGED_ROWS),
    ("DELTA_SCHEMA_CHANGED", SourceError, _REBUILD),
    ("DELTA_STREAMING_", SourceError, _REBUILD),
    ("DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE", SourceError, _REPLACED),
    ("STREAMING_CHECKPOINT", MaterializationError, _CHECKPOINT),
    ("BATCH_METADATA_NOT_FOUND", MaterializationError, _CHECKPOINT),
    (
        "DELTA_MISSING_CHANGE_DATA",
        SourceError,
        "Enable the change data feed on the source table.",
    ),
    (
        "DELTA_CHANGE_TABLE_FEED_DISABLED",
        SourceError,
        "Enable the change data feed on the source table.",
    ),
    ("PATH_NOT_FOUND", SourceError, _PATH),
    ("DELTA_CANNOT_CREATE_LOG_PATH", StorageError, _WRITABLE),
    (
        "DELTA_TABLE_NOT_FOUND",
        SourceError,
        "Check the path: there is no Delta table.",
    ),
    (
        "DELTA_MISSING_DELTA_TABLE",
        SourceError,
        "Check the path: there is no Delta table.",
    ),
    ("DELTA_PATH_DOES_NOT_EXIST", SourceError, _PATH),
    (
        "UNABLE_TO_INFER_SCHEMA",
        SourceError,
        "Check that the source's folder has files of the declared format.",
    ),
    ("FAILED_READ_FILE", SourceError, _DAMAGED),
    ("CANNOT_READ_FILE_FOOTER", SourceError, _DAMAGED),
    ("MALFORMED_RECORD_IN_PARSING", SourceError, "Correct the record in the source file."),
    ("DELTA_FILE_NOT_FOUND", SourceError, _DAMAGED),
    ("DELTA_LOG_FILE_NOT_FOUND", SourceError, _DAMAGED),
    ("DELTA_TRUNCATED_TRANSACTION_LOG", SourceError, _DAMAGED),
    ("DELTA_CONCURRENT", ConflictError, _AGAIN),
    ("DELTA_PROTOCOL_CHANGED", ConflictError, _AGAIN),
    ("DELTA_METADATA_CHANGED", ConflictError, _AGAIN),
    (
        "CONCURRENT_QUERY",
        ConflictError,
        "Another run of this view has not ended: wait for it, then run the command again.",
    ),
    (
        "DELTA_VERSION_NOT_FOUND",
        TableError,
        "Use a version that the table still has.",
    ),
    ("DELTA_UNSUPPORTED_FEATURES", TableError, _READER),
    ("UNRESOLVED_", DefinitionError, _SQL),
    (
        "TABLE_OR_VIEW_NOT_FOUND",
        DefinitionError,
        "Write FROM {source} in a SQL transform.",
    ),
    ("PARSE_", DefinitionError, _SQL),
    ("DATATYPE_MISMATCH", DefinitionError, _SQL),
    ("AMBIGUOUS_REFERENCE", DefinitionError, _SQL),
    ("PYTHON_VERSION_MISMATCH", SetupError, _SAME_PYTHON),
    ("CAST_", MaterializationError, _VALUE),
    ("ARITHMETIC_OVERFLOW", MaterializationError, _VALUE),
    ("DIVIDE_BY_ZERO", MaterializationError, _VALUE),
)
# These wrap the error of a stream, a task or a Python function. The wrapped error says more.
_WRAPPERS = frozenset(
    {
        "STREAM_FAILED",
        "FOREACH_BATCH_USER_FUNCTION_ERROR",
        "PYTHON_EXCEPTION",
        "FAILED_EXECUTE_UDF",
        "TASK_WRITE_FAILED",
    }
)
_CONDITION = re.compile(r"\[([A-Z]+_[A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\](?= *([^\n]+))")
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(?:: .*)?$")
_JAVA = re.compile(r"^(?:: |(?=py4j\.))([\w.$]+(?:Exception|Error)[^\n]*)", re.MULTILINE)
_SQLSTATE = re.compile(r" *SQLSTATE: .*$")
# The file of a checkpoint that Spark cannot read, such as one whose checksum is wrong.
_IN_CHECKPOINT = re.compile(r"/checkpoints/\w+/\d+/(offsets|commits|sources|metadata)")
_LONGEST = 500


@contextmanager
def spark_errors(
    call: str, kind: Kind = MaterializationError, view: str = "VIEW"
) -> Iterator[None]:
    """Raise Spark's errors as featurestore's; a context manager that is also a decorator.

    Args:
        call: The operation for the message, e.g. ``"materialize card_activity"``.
        kind: The error for exceptions that no entry of the mapping fits.
        view: The view's name for commands in the message.

    Raises:
        FeatureStoreError: Spark failed. Spark's error class decides which one.

    Example:
        >>> from pyspark.errors import AnalysisException
        >>> with spark_errors("read payments"):
        ...     raise AnalysisException("[PATH_NOT_FOUND] Path does not exist: /x.")
        Traceback (most recent call last):
        featurestore.errors.SourceError: read payments: PATH_NOT_FOUND: Path does not exist: /x...
    """
    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise mapped(error, call, kind, view) from None
    except ConnectionError as error:
        if not _of_the_gateway(error):
            raise
        raise _gateway_lost(call) from None


def mapped(
    error: Exception,
    call: str,
    kind: Kind = MaterializationError,
    view: str = "VIEW",
    *,
    is_stream: bool = False,
) -> FeatureStoreError:
    """Return the error that `spark_errors` raises for one of Spark's.

    An error of featurestore that was raised inside the query comes back as it was.

    Args:
        error: Spark's exception.
        call: The operation for the message.
        kind: The error for exceptions that no entry of the mapping fits.
        view: The view's name for commands in the message.
        is_stream: Whether a stream failed. Its checkpoint may be why, which `--full` does not use.

    Example:
        >>> from pyspark.errors import PySparkException
        >>> error = PySparkException("[DELTA_CONCURRENT_APPEND] Files were added.")
        >>> mapped(error, "apply").exit_code
        5
    """
    received = received_error(error, call)
    if received is not None:
        return received
    text = str(error)
    if (problem := executor_problem(text, call, kind)) is not None:
        return problem
    if _NO_S3 in text:
        return SetupError(call, "this session of Spark cannot open s3:// addresses", _S3)
    if _OF_S3A.search(text) and (refused := object_store_problem(text)) is not None:
        return StorageError(call, refused.found, refused.fix)
    for condition, sentence in _CONDITION.findall(text):
        if condition not in _WRAPPERS:
            reason = _SQLSTATE.sub("", sentence)[:_LONGEST].rstrip(" .")
            position = query_position(text)
            begin = f"{condition}: in {position}" if position else condition
            return _by_condition(condition, f"{begin}: {reason}", call, kind, view)
    if "OutOfMemoryError" in text:
        return kind(call, "Spark ran out of memory", _MEMORY)
    if _is_lost(error):
        return _gateway_lost(call)
    if raised := _python_reason(text):
        return kind(call, raised, _FUNCTION)
    fix = _CHECKPOINT if _IN_CHECKPOINT.search(text) else _OTHER + _AT_LAST * is_stream
    return kind(call, _first_line(text), fix.replace("VIEW", view))


def _by_condition(
    condition: str, reason: str, call: str, kind: Kind, view: str
) -> FeatureStoreError:
    for beginning, fitting, fix in _CONDITIONS:
        if condition.startswith(beginning):
            if kind is SpineError and fix is _DAMAGED:  # no view helps
                return SpineError(call, reason, _SPINE)
            return fitting(call, reason, fix.replace("VIEW", view))
    return kind(call, reason, _OTHER)


def _python_reason(text: str) -> str | None:
    """Return the last line of a Python traceback, with the user's function and line."""
    _, traceback_begins, trace = text.partition("Traceback (most recent call last):")
    if not traceback_begins:
        return None
    raised = [line for line in trace.splitlines() if _RAISED.match(line)]
    reason = raised[0] if raised else "a Python function failed"
    position = position_in(trace)
    return f"{reason[:_LONGEST]}, in {position}" if position else reason[:_LONGEST]


def _first_line(text: str) -> str:
    java = _JAVA.search(text)
    lines = [java[1]] if java else text.strip().splitlines()
    return _SQLSTATE.sub("", lines[0] if lines else "Spark gave no reason")[:_LONGEST]


def _is_lost(error: Exception) -> bool:
    """Return whether the JVM did not answer; a live JVM answers an error with its stack trace."""
    unanswered = type(error) is Py4JError and "Trace:" not in str(error)
    return unanswered or isinstance(error, Py4JNetworkError)


def _of_the_gateway(error: ConnectionError) -> bool:
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and str(frames[-1][0].f_globals.get("__name__")).startswith("py4j")


def _gateway_lost(call: str) -> SetupError:
    return SetupError(
        call,
        "Spark's Java process has ended; it may have been killed for lack of memory",
        f"Run it again in a new Python process. {_OTHER}",
    )
