"""Featurestore's own errors, sent out of a Spark query in the text of Spark's exception.

A batch function, a task and an SQL expression run in other threads, processes or machines. Spark
passes only the text of their exceptions on. So the class and the parts of the error are written
into that text as JSON, and read from it in the driver.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore import errors
from featurestore.errors import FeatureStoreError, MaterializationError

SENTINEL = "featurestore-error "
"""It begins an error of featurestore in the text of an exception."""


class _SentError(Exception):
    """An exception whose text has an error of featurestore; users never see it."""


@contextmanager
def send_errors() -> Iterator[None]:
    """Raise errors of featurestore in the form that `received_error` reads.

    Example:
        >>> with send_errors():
        ...     raise errors.SourceError("read payments", "it is empty", "Add rows.")
        Traceback (most recent call last):
        ...
        featurestore.engines.spark.errors.transport._SentError: featurestore-error {"kind": ...
    """
    try:
        yield
    except FeatureStoreError as error:
        raise _SentError(sent_text(error)) from error


def sent_text(error: FeatureStoreError) -> str:
    """Return an error in the form that `received_error` reads, in one line.

    Example:
        >>> sent_text(errors.SourceError("read payments", "it is empty", "Add rows."))
        'featurestore-error {"kind": "SourceError", "parts": ["read payments", "it is empty", ...'
    """
    return SENTINEL + json.dumps({"kind": type(error).__name__, "parts": error.__reduce__()[1]})


def refusal(call: str, found: Column, fix: str) -> Column:
    """Return an expression that stops the query with a `SourceError`.

    Args:
        call: The operation for the message.
        found: A text column: the problem with the value in the current row.
        fix: What to do next.
    """
    parts = F.to_json(
        F.struct(
            F.lit("SourceError").alias("kind"),
            F.array(F.lit(call), found, F.lit(fix)).alias("parts"),
        )
    )
    return F.raise_error(F.concat(F.lit(SENTINEL), parts))


def received_error(error: BaseException, call: str = "") -> FeatureStoreError | None:
    """Return the error of featurestore in an exception's text; None if there is none.

    Args:
        error: The exception.
        call: The operation, for an error that a worker raised without knowing it.

    Example:
        >>> received_error(
        ...     RuntimeError('featurestore-error {"kind": "", "parts": ["a", "b", "c."]} at')
        ... )
        MaterializationError('a: b. c.')
    """
    _, sentinel, rest = str(error).partition(SENTINEL)
    if not sentinel:
        return None
    try:
        sent, _ = json.JSONDecoder().raw_decode(rest)
        first, *others = sent["parts"]
        return _kind(sent["kind"])(first or call, *others)
    except (ValueError, KeyError, TypeError):  # Spark cut the text short
        return None


def _kind(name: str) -> type[FeatureStoreError]:
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, FeatureStoreError):
        return kind
    return MaterializationError
