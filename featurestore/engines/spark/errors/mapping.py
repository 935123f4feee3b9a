"""Spark's errors in our words: every exception of PySpark, Py4J and Delta is mapped here.

What a person reads is the error's class and its first sentence, never the Java trace; the trace is
in the session's log.
"""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError, Py4JNetworkError
from pyspark.errors import PySparkException

from featurestore import errors
from featurestore.errors import (
    ConflictError,
    DefinitionError,
    FeatureStoreError,
    MaterializationError,
    SetupError,
    SourceError,
    TableError,
)

Kind = type[FeatureStoreError]

_MEMORY = "Raise spark.driver.memory in the Spark settings, or build in smaller batches."
_REBUILD = (
    "Build the view anew with `featurestore materialize --full`; "
    "a source that is updated in place needs `change_feed=True` or `unique_by`."
)
_PATH = "Check the path and that this machine can reach it."
_AGAIN = "Nothing was half-written; run it again."
_SQL = "Correct the definition's transform or fields."
_VALUE = "Correct the value at its source, or let the transform tolerate it, e.g. by try_cast."
_DAMAGED = "Put the file back; if it was rewritten on purpose, build with --full."
_READER = "Read it with the Spark engine, or write it without that feature."
_OTHER = "See spark.log in the project's state for Spark's full account."

# By the beginning of Spark's or Delta's error class; the first that fits is taken.
_CONDITIONS: tuple[tuple[str, Kind, str], ...] = (
    ("DELTA_SOURCE_TABLE_IGNORE_CHANGES", SourceError, _REBUILD),
    ("DELTA_SOURCE_IGNORE_DELETE", SourceError, _REBUILD),
    ("DELTA_SCHEMA_CHANGED", SourceError, _REBUILD),
    ("DELTA_STREAMING_", SourceError, _REBUILD),
    (
        "DELTA_MISSING_CHANGE_DATA",
        SourceError,
        "Enable the change data feed on the source table.",
    ),
    (
        "DELTA_CHANGE_TABLE_FEED_DISABLED",
        SourceError,
        "Enable the change data feed on the table.",
    ),
    ("PATH_NOT_FOUND", SourceError, _PATH),
    (
        "DELTA_TABLE_NOT_FOUND",
        SourceError,
        "Check the path: no Delta table lies there.",
    ),
    (
        "DELTA_MISSING_DELTA_TABLE",
        SourceError,
        "Check the path: no Delta table lies there.",
    ),
    ("DELTA_PATH_DOES_NOT_EXIST", SourceError, _PATH),
    (
        "UNABLE_TO_INFER_SCHEMA",
        SourceError,
        "Check that the source holds files of its format.",
    ),
    ("FAILED_READ_FILE", SourceError, _DAMAGED),
    ("CANNOT_READ_FILE_FOOTER", SourceError, _DAMAGED),
    ("MALFORMED_RECORD_IN_PARSING", SourceError, "Correct the record at its source."),
    ("DELTA_FILE_NOT_FOUND", SourceError, _DAMAGED),
    ("DELTA_LOG_FILE_NOT_FOUND", SourceError, _DAMAGED),
    ("DELTA_TRUNCATED_TRANSACTION_LOG", SourceError, _DAMAGED),
    ("DELTA_CONCURRENT", ConflictError, _AGAIN),
    ("DELTA_PROTOCOL_CHANGED", ConflictError, _AGAIN),
    ("DELTA_METADATA_CHANGED", ConflictError, _AGAIN),
    (
        "CONCURRENT_QUERY",
        ConflictError,
        "Another run of this view is at work; wait for it.",
    ),
    (
        "DELTA_VERSION_NOT_FOUND",
        TableError,
        "Ask for a version that the table still has.",
    ),
    ("DELTA_UNSUPPORTED_FEATURES", TableError, _READER),
    ("UNRESOLVED_", DefinitionError, _SQL),
    (
        "TABLE_OR_VIEW_NOT_FOUND",
        DefinitionError,
        "A SQL transform selects from {source}.",
    ),
    ("PARSE_", DefinitionError, _SQL),
    ("DATATYPE_MISMATCH", DefinitionError, _SQL),
    ("AMBIGUOUS_REFERENCE", DefinitionError, _SQL),
    ("CAST_", MaterializationError, _VALUE),
    ("ARITHMETIC_OVERFLOW", MaterializationError, _VALUE),
    ("DIVIDE_BY_ZERO", MaterializationError, _VALUE),
)
# Around every error of a stream, a task or a Python function: what they hold says more.
_WRAPPERS = frozenset(
    {
        "STREAM_FAILED",
        "FOREACH_BATCH_USER_FUNCTION_ERROR",
        "PYTHON_EXCEPTION",
        "FAILED_EXECUTE_UDF",
    }
)
_CONDITION = re.compile(r"\[([A-Z]+_[A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\](?= *([^\n]+))")
_OURS = re.compile(r"^featurestore\.errors\.(\w+): (.+?): (.+)\. (.+)$", re.MULTILINE)
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(?:: .*)?$")
_FRAME = re.compile(r'^\s+File "([^"]+)", line (\d+), in', re.MULTILINE)
_JAVA = re.compile(r"^: ([\w.$]+(?:Exception|Error)[^\n]*)", re.MULTILINE)
_SQLSTATE = re.compile(r" *SQLSTATE: .*$")
_LONGEST = 500


@contextmanager
def spark_errors(call: str, kind: Kind = MaterializationError) -> Iterator[None]:
    """Raise Spark's errors as ours; a context manager that also serves as a decorator.

    Args:
        call: What was being done, e.g. ``"materialize card_activity"``.
        kind: The error for what has no more fitting one.

    Raises:
        FeatureStoreError: Spark failed; of the kind that fits Spark's error class.

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
        raise mapped(error, call, kind) from None
    except ConnectionError as error:
        if not _of_the_gateway(error):
            raise
        raise _gateway_lost(call) from None


def mapped(error: Exception, call: str, kind: Kind = MaterializationError) -> FeatureStoreError:
    """Return our error for one of Spark's, as `spark_errors` would raise it.

    Example:
        >>> from pyspark.errors import PySparkException
        >>> error = PySparkException("[DELTA_CONCURRENT_APPEND] Files were added.")
        >>> mapped(error, "apply").exit_code
        5
    """
    text = str(error)
    ours = _OURS.search(text)
    if ours:  # one of our errors that was raised inside a batch function or a task
        return _kind_named(ours[1], kind)(*ours.group(2, 3, 4))
    for condition, sentence in _CONDITION.findall(text):
        if condition not in _WRAPPERS:
            return _by_condition(condition, sentence, call, kind)
    if "OutOfMemoryError" in text:
        return kind(call, "Spark ran out of memory", _MEMORY)
    if _is_lost(error):
        return _gateway_lost(call)
    return kind(call, _python_reason(text) or _first_line(text), _OTHER)


def _by_condition(condition: str, sentence: str, call: str, kind: Kind) -> FeatureStoreError:
    found = f"{condition}: {_SQLSTATE.sub('', sentence)[:_LONGEST].rstrip(' .')}"
    for beginning, fitting, fix in _CONDITIONS:
        if condition.startswith(beginning):
            return fitting(call, found, fix)
    return kind(call, found, _OTHER)


def _kind_named(name: str, otherwise: Kind) -> Kind:
    kind = getattr(errors, name, otherwise)
    return kind if isinstance(kind, type) and issubclass(kind, FeatureStoreError) else otherwise


def _python_reason(text: str) -> str | None:
    """Return a Python traceback's last line, and where it was raised."""
    _, found, trace = text.partition("Traceback (most recent call last):")
    if not found:
        return None
    raised = [line for line in trace.splitlines() if _RAISED.match(line)]
    frames = _FRAME.findall(trace)
    place = f" ({frames[-1][0]}:{frames[-1][1]})" if frames else ""
    return f"{raised[0] if raised else 'a Python function failed'}"[:_LONGEST] + place


def _first_line(text: str) -> str:
    java = _JAVA.search(text)
    lines = [java[1]] if java else text.strip().splitlines()
    return _SQLSTATE.sub("", lines[0] if lines else "Spark failed and said nothing")[:_LONGEST]


def _is_lost(error: Exception) -> bool:
    """Tell whether a call got no answer; a live JVM answers an error with its trace."""
    unanswered = type(error) is Py4JError and "Trace:" not in str(error)
    return unanswered or isinstance(error, Py4JNetworkError)


def _of_the_gateway(error: ConnectionError) -> bool:
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and str(frames[-1][0].f_globals.get("__name__")).startswith("py4j")


def _gateway_lost(call: str) -> SetupError:
    return SetupError(
        call,
        "Spark's Java process has ended, perhaps killed for lack of memory",
        "Run it again in a new Python process; see spark.log in the project's state.",
    )
