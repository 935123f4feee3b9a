"""Errors of featurestore for exceptions that nothing else has mapped: of Spark, Delta or the disk.

One view's exception must not take the results of other views with it, so each becomes the error
of that view.
"""

from deltalake.exceptions import DeltaError
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from featurestore.engines.spark.errors.unwrap import failure
from featurestore.errors import FeatureStoreError, MaterializationError
from featurestore.store.failures import storage_error

_LONGEST = 500


def own_error(error: Exception, view: str, call: str) -> FeatureStoreError:
    """Return an exception of a view's run as an error of featurestore.

    Args:
        error: The exception. An error of featurestore is returned as it is.
        view: The view's name for commands in the message.
        call: The operation for the message.

    Example:
        >>> own_error(ValueError("no such row"), "v", "materialize view 'v'").found
        'ValueError: no such row'
    """
    if isinstance(error, FeatureStoreError):
        return error
    if isinstance(error, PySparkException | Py4JError):
        return failure(error, call, view)
    if isinstance(error, OSError | DeltaError):
        return storage_error(error, call)
    unexpected = MaterializationError(
        call,
        f"{type(error).__name__}: {str(error)[:_LONGEST]}".rstrip(": "),
        f"Run `featurestore materialize {view} --full`, which needs nothing of the present table. "
        "Please report this text: featurestore has no better message for it.",
    )
    unexpected.__cause__ = error
    return unexpected
