"""Errors of ours that were raised inside a query, and come back as text in Spark's exception.

A batch function and an SQL expression run in other threads, processes or machines. What they say
about a user's data is written as JSON into the exception's message, and read from it again here.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.errors import (
    ContractError,
    FeatureStoreError,
    MaterializationError,
    SourceError,
    TableError,
)

_MARK = "featurestore-error "
_KINDS = {
    kind.__name__: kind for kind in (ContractError, MaterializationError, SourceError, TableError)
}


class _Reported(Exception):  # noqa: N818  # a carrier of an error, never shown
    pass


@contextmanager
def reporting() -> Iterator[None]:
    """Send errors of ours out of a batch function in a form that `reported` reads.

    Example:
        >>> with reporting():
        ...     raise SourceError("read payments", "it is empty", "Add rows.")
        Traceback (most recent call last):
        ...
        featurestore.engines.spark.errors.transport._Reported: featurestore-error {"kind": ...
    """
    try:
        yield
    except FeatureStoreError as error:
        parts = {"kind": type(error).__name__, "parts": error.__reduce__()[1]}
        raise _Reported(_MARK + json.dumps(parts)) from error


def refuse(call: str, found: Column, fix: str) -> Column:
    """Return an expression that stops the query with a `SourceError`.

    Args:
        call: What was being done.
        found: A text column that says what stood in the way, of the row at hand.
        fix: What to do next.
    """
    parts = F.to_json(
        F.struct(
            F.lit("SourceError").alias("kind"),
            F.array(F.lit(call), found, F.lit(fix)).alias("parts"),
        )
    )
    return F.raise_error(F.concat(F.lit(_MARK), parts))


def reported(error: BaseException) -> FeatureStoreError | None:
    """Return the error of ours that lies in an exception's text, or None.

    Example:
        >>> reported(RuntimeError('featurestore-error {"kind": "", "parts": ["a", "b", "c."]} at'))
        MaterializationError('a: b. c.')
    """
    _, mark, rest = str(error).partition(_MARK)
    if not mark:
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(rest)
        return _KINDS.get(found["kind"], MaterializationError)(*found["parts"])
    except (ValueError, KeyError, TypeError):  # cut short by Spark
        return None
